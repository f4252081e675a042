"""How long a version takes here: its built bundle, started anew and asked its certified examples again and again.

What is timed is what the function's adapter waits for, from a parsed request to its answer. What a cloud adds is not known;
that an instance may have less than one processor is.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from lastmile_runtime.manifest import Bundle, Version
from lastmile_sls.build.check import function_environment
from lastmile_sls.build.prepare import OUTPUT_FOLDER, Prepared, prepare
from lastmile_sls.bundle.interpreter import find_interpreter
from lastmile_sls.bundle.trust.beside import certification_name, folder_of, read_documents
from lastmile_sls.certification.first_answer import example
from lastmile_sls.check.answers import Question
from lastmile_sls.errors import LastmileError
from lastmile_sls.files import write_private
from lastmile_sls.plan.document import FunctionPlan
from lastmile_sls.spec.contract import Column
from lastmile_sls.targets import environments

Tell = Callable[[str], None]
FORMAT = "lastmile.durations/1"
_KEPT = "durations.json"
_MOST_KEPT = 64
_TIMEOUT_S = 300
_ROWS = 256
_ROUNDS = 3
_CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
from lastmile_runtime import jsons
from lastmile_runtime.http import Request
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log
application = start(jsons.loads(sys.argv[2]), Log("measure", lambda line: None), keeps_running=False)
def ask(body):
    return application.handle(Request("POST", sys.argv[3], {}, body))
answer = ask(sys.argv[4].encode())
sys.stdout.write(f"{answer.status}\\n")
sys.stdout.flush()
if answer.status != 200:
    sys.exit(answer.body.decode())
import json, statistics, time
asked = json.load(sys.stdin)
bodies = [body.encode() for body in asked["bodies"]]
def median_ms(bodies, least, most, seconds):
    for body in bodies:
        if ask(body).status != 200:
            return None, 0
    took, ends_at = [], time.perf_counter() + seconds
    while len(took) < least or (len(took) < most and time.perf_counter() < ends_at):
        body = bodies[len(took) % len(bodies)]
        began = time.perf_counter()
        ask(body)
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), len(took)
one, count = median_ms(bodies, 20, 2000, 0.3)
rows, _ = median_ms([asked["rows"].encode()], 3, 100, 0.1)
print(json.dumps({"ms": one, "count": count, "rows_ms": rows}))
"""
"""Answers as an adapter does: once, which it tells at once, then many times, and last some rows together."""


@dataclass(frozen=True)
class VersionTimes:
    """A version on this machine, milliseconds."""

    first: Decimal
    """From exec to the first answer: the best of some starts, with a warm page cache."""
    warm: Decimal
    """A request after that: the median."""
    row: Decimal | None
    """A row of many that come together; None where it takes no rows."""
    count: int
    """How many requests the median is of."""

    def to_json(self) -> dict[str, Any]:
        """Return it for a file."""
        row = None if self.row is None else str(self.row)
        return {"first": str(self.first), "warm": str(self.warm), "row": row, "count": self.count}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> VersionTimes:
        """Return what a file says. Raises KeyError, TypeError or ArithmeticError for what is none."""
        row = None if said["row"] is None else Decimal(said["row"])
        return cls(Decimal(said["first"]), Decimal(said["warm"]), row, int(said["count"]))


@dataclass(frozen=True)
class Measured:
    """What was measured, on what."""

    versions: Mapping[str, VersionTimes]
    machine: str
    """Processor and Python, for people."""
    bundle: str
    """Whose bundle it was: the target's, or this machine's own."""


def measure(
    prepared: Prepared, spec_path: Path, environ: Mapping[str, str], tell: Tell = lambda _: None
) -> Measured:
    """Measure every version of a project; what was measured of the same bundle is not measured again.

    A bundle for another processor cannot run here: the bundle that the same spec has for this machine is measured then.
    Raises LastmileError, which asks for --duration, where neither can be.
    """
    interpreter = _interpreter(prepared, environ)
    if interpreter is None:
        tell("building for this machine, to measure on it")
        environment = prepared.spec.environment
        prepared = prepare(spec_path, "local", environ, environment=environment, images=False, tell=tell)
        interpreter = Path(sys.executable)
    kept_in = spec_path.resolve().parent / OUTPUT_FOLDER / _KEPT
    machine = f"{platform.machine()}, Python {_version_of(prepared)}"
    kept, found = _kept(kept_in), {}
    for function in prepared.plan["functions"]:
        key = f"{function['bundle']['digest']} {machine}"
        if key not in kept:
            tell(f"measuring {function['name']}")
            kept[key] = _measure_function(prepared, function, interpreter)
            _keep(kept_in, kept)
        found.update(kept[key])
    return Measured(found, machine, prepared.plan["target"])


def _interpreter(prepared: Prepared, environ: Mapping[str, str]) -> Path | None:
    """Return the Python that runs the target's bundles here; None where nothing does."""
    wanted, here = prepared.environment, environments.here()
    if prepared.plan["target"] == "local" or wanted is None or here is None:
        return None
    if here.processor != wanted.processor:
        return None
    try:
        return find_interpreter(wanted.python, environ=environ)
    except LastmileError:
        return None


def _version_of(prepared: Prepared) -> str:
    if prepared.plan["target"] == "local" or prepared.environment is None:
        return platform.python_version()
    return prepared.environment.python


def _measure_function(
    prepared: Prepared, function: FunctionPlan, interpreter: Path
) -> dict[str, VersionTimes]:
    folder, digest = prepared.bundle(function["name"]), function["bundle"]["digest"]
    versions = {one.id: one for one in Bundle(str(folder), digest).manifest.versions}
    documents = read_documents(folder_of(folder)).contents
    found = {}
    for id_ in function["versions"]:
        asked = _asked(versions[id_], documents, prepared.spec.contract.inputs)
        environment = {
            **function_environment(function),
            "LASTMILE_BUNDLE": str(folder),
            "LASTMILE_MANIFEST_DIGEST": digest,
            "LASTMILE_ROUTING": json.dumps(
                {"champion": id_, "weights": {one: 10_000 * (one == id_) for one in versions}}
            ),
        }
        alone = [] if prepared.plan["target"] == "local" else ["-I", "-S"]
        words = [json.dumps(environment), asked[0].path(prepared.spec.name), asked[0].body().decode()]
        found[id_] = _ask(id_, [str(interpreter), *alone, "-c", _CHILD, str(folder), *words], asked)
    return found


def _asked(version: Version, documents: Mapping[str, bytes], contract: Sequence[Column]) -> list[Question]:
    """Return a version's certified examples, else a row that its contract allows. Raises LastmileError without either."""
    certified = json.loads(documents.get(certification_name(version.id), b'{"examples": []}'))["examples"]
    rows = [one["inputs"] for one in certified]
    if not rows and (made := example(version, contract)) is not None:
        rows = [[tensor.to_json() for tensor in made]]
    if not rows:
        raise _give(version.id, "its model does not say what it takes, and there is no sample")
    return [Question(version.id, inputs, ()) for inputs in rows]


def _ask(version: str, command: list[str], asked: Sequence[Question]) -> VersionTimes:
    bodies = [question.body().decode() for question in asked]
    many = replace(asked[0], inputs=[_repeated(tensor) for tensor in asked[0].inputs])
    request = json.dumps({"bodies": bodies, "rows": many.body().decode()})
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        status = process.stdout.readline().strip()
        first_ms = (time.perf_counter() - began) * 1000
        try:
            told, errors = process.communicate(request if status == "200" else None, timeout=_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise _give(version, f"it did not end within {_TIMEOUT_S} s") from None
    found = json.loads(told) if status == "200" and process.returncode == 0 else {}
    if not found.get("ms"):
        lines = errors.strip().splitlines()
        raise _give(version, lines[-1] if lines else f"its process ended with {process.returncode}")
    first_ms = min([first_ms, *(_first_ms(command) for _ in range(_ROUNDS - 1))])
    row = None if found["rows_ms"] is None else _ms(found["rows_ms"] / _ROWS)
    return VersionTimes(_ms(first_ms), _ms(found["ms"]), row, found["count"])


def _first_ms(command: list[str]) -> float:
    """Return how long one more start takes until its first answer; it is not asked again."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        took_ms = (time.perf_counter() - began) * 1000
        process.kill()
    return took_ms


def _ms(value: float) -> Decimal:
    """Return milliseconds to a tenth of a microsecond, so that nothing quick is nothing."""
    return max(Decimal("0.0001"), Decimal(value).quantize(Decimal("0.0001")))


def _repeated(tensor: Mapping[str, Any]) -> dict[str, Any]:
    return {**tensor, "shape": [_ROWS, *tensor["shape"][1:]], "data": list(tensor["data"]) * _ROWS}


def _give(version: str, why: str) -> LastmileError:
    return LastmileError(
        f"how long {version} takes cannot be measured here: {why.rstrip('.')}.",
        f"Say it: --duration {version}=MS",
    )


def _kept(path: Path) -> dict[str, dict[str, VersionTimes]]:
    """Return what was measured before; nothing where that cannot be read."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            return {}
        return {
            key: {version: VersionTimes.from_json(said) for version, said in times.items()}
            for key, times in document["bundles"].items()
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
        return {}


def _keep(path: Path, kept: Mapping[str, Mapping[str, VersionTimes]]) -> None:
    newest = list(kept.items())[-_MOST_KEPT:]
    bundles = {key: {version: times.to_json() for version, times in found.items()} for key, found in newest}
    write_private(path, json.dumps({"format": FORMAT, "bundles": bundles}, indent=1).encode())
