"""How long a version takes from exec to its first answer, in a fresh interpreter as a function starts it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastmile_runtime.manifest import FILE, Bundle, Version, digest
from lastmile_runtime.tensors import Tensor
from lastmile_sls.spec.contract import Column

ROUNDS = 3
_TIMEOUT_S = 120
_NOBODY = "unix:///nowhere#nobody"
"""Where a router's other functions would be: they are measured by themselves."""
# Answers one prediction as an adapter does, then says so and how large the process became (KiB).
_CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
from lastmile_runtime.http import Request
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log
environ = {"LASTMILE_BUNDLE": sys.argv[1], "LASTMILE_MANIFEST_DIGEST": sys.argv[2], "LASTMILE_ROUTING": sys.argv[3],
           "LASTMILE_FUNCTIONS": sys.argv[6]}
application = start(environ, Log("check", lambda line: None), keeps_running=False)
answer = application.handle(Request("POST", sys.argv[4], {}, sys.argv[5].encode()))
sys.stdout.write(f"{answer.status}\\n")
sys.stdout.flush()
try:  # getrusage would tell what the process had been before exec
    with open("/proc/self/status") as status:
        memory = next(line.split()[1] for line in status if line.startswith("VmHWM"))
except OSError:
    import resource
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sys.stdout.write(f"{memory}\\n")
if answer.status != 200:
    sys.stderr.write(answer.body.decode())
"""


class NoAnswerError(Exception):
    """The function did not answer; the message says why."""


@dataclass(frozen=True)
class FirstAnswer:
    """What was measured."""

    seconds: float
    """From exec to the first answer: the best of some rounds, with a warm page cache."""
    memory_bytes: int
    """The most that the process held until then."""


def measure_all(
    bundle: Path, pinned: str, model: str, contract: Sequence[Column]
) -> dict[str, FirstAnswer | str]:
    """Measure each version that a bundle serves itself; a text says why one was not measured.

    Args:
        bundle: The built bundle's folder.
        pinned: Its digest.
        model: The model's name.
        contract: The spec's inputs, for a row that is not refused.
    """
    found: dict[str, FirstAnswer | str] = {}
    for version in Bundle(str(bundle), pinned).manifest.versions:
        inputs = example(version, contract)
        if version.remote is not None:
            continue
        if inputs is None:
            found[version.id] = "the model does not say what it takes"
            continue
        try:
            found[version.id] = measure(bundle, model, version, inputs)
        except NoAnswerError as error:
            found[version.id] = str(error)
    return found


def example(version: Version, contract: Sequence[Column]) -> list[Tensor] | None:
    """Return a request of one row that the contract allows; None for inputs whose sizes are not known."""
    if not version.inputs or any(-1 in tensor.shape[1:] for tensor in version.inputs):
        return None
    seen = [_seen(column.datatype, column) for column in contract]
    found = []
    for index, spec in enumerate(version.inputs):
        count = math.prod(spec.shape[1:])
        if len(version.inputs) == 1 and len(seen) == count:
            data = seen
        else:
            column = contract[index] if len(contract) == len(version.inputs) else None
            data = [_seen(spec.datatype, column)] * count
        found.append(Tensor(spec.name, spec.datatype, [1, *spec.shape[1:]], data))
    return found


def _seen(datatype: str, column: Column | None) -> Any:
    if column is not None and column.categories:
        return column.categories[0]
    if datatype in ("BYTES", "BOOL"):
        return "" if datatype == "BYTES" else False
    lowest = column.minimum if column is not None and column.minimum is not None else 0.0
    return float(lowest) if datatype.startswith("FP") else int(lowest)


def measure(
    bundle: Path, model: str, version: Version, inputs: list[Tensor], rounds: int = ROUNDS
) -> FirstAnswer:
    """Start a bundle anew some times and have one of its versions answer. Raises NoAnswerError.

    Args:
        bundle: The built bundle's folder.
        model: The model's name.
        version: The version to ask.
        inputs: A request's tensors.
        rounds: How often; the best counts.
    """
    manifest = (bundle / FILE).read_bytes()
    body = json.dumps({"inputs": [_written(tensor) for tensor in inputs]})
    arguments = [
        str(bundle),
        digest(manifest),
        json.dumps({"champion": version.id, "weights": _weights(manifest, version.id)}),
        f"/v2/models/{model}/versions/{version.id}/infer",
        body,
        json.dumps(dict.fromkeys(_called(manifest), _NOBODY)),
    ]
    found = [_once([sys.executable, "-c", _CHILD, *arguments]) for _ in range(rounds)]
    return min(found, key=lambda one: one.seconds)


def _weights(manifest: bytes, id_: str) -> dict[str, int]:
    ids = [version["id"] for version in json.loads(manifest)["versions"]]
    return {one: 10_000 * (one == id_) for one in ids}


def _called(manifest: bytes) -> list[str]:
    versions = json.loads(manifest)["versions"]
    return sorted({version["remote"]["function"] for version in versions if version.get("remote")})


def _once(command: list[str]) -> FirstAnswer:
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        status = process.stdout.readline().strip()
        seconds = time.perf_counter() - began
        memory = process.stdout.readline().strip()
        told = process.stderr.read()
    if status != "200":
        lines = told.strip().splitlines()
        raise NoAnswerError(lines[-1] if lines else f"it ended with {process.returncode}")
    return FirstAnswer(seconds, int(memory) * 1024)


def _written(tensor: Tensor) -> dict[str, Any]:
    document = tensor.to_json()
    document["data"] = [None if value != value else value for value in tensor.data]  # noqa: PLR0124 - NaN alone differs from itself
    return document
