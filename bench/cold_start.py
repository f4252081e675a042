"""Lambda style: from exec to the first correct answer, through AWS's own runtime client or our own bootstrap.

The Runtime API is on this machine, and the event waits in it when the process starts.
"""

from __future__ import annotations

import json
import queue
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.environments import EnvironmentFailure, site_packages
from bench.processes import Running, object_store, running
from bench.results import Goal, Report, Row
from bench.rounds import interleave
from bench.workshop import INFER, STICKY, Bundle, Workshop, module_command, our_answer, shown
from lastmile_sls.check.aws.event import http_event
from lastmile_sls.check.aws.runtime_api import RuntimeApi

NAME = "cold_start"
TIMEOUT_S = 60.0
PROCESSOR = "processor time, ms"
MEMORY = "memory, MB"
_POLL_S = 0.1
HANDLER = "lastmile_runtime.adapters.aws.handler"

BARE = "bare `python -I -S`, its first byte"
EMPTY = "empty handler"
PLAIN = "ours, plain class, 1 version"
PLAIN_TWO = "ours, plain class, 2 versions"
OWN = "ours, plain class, 1 version, own bootstrap"
ONNX = "ours, ONNX, 2 versions"
ONNX_OWN = "ours, ONNX, 2 versions, own bootstrap"
TREES = "ours, compiled trees, 1 version"
TREES_TWO = "ours, compiled trees, 2 versions"
TREES_OWN = "ours, compiled trees, 1 version, own bootstrap"
NAIVE = "FastAPI + Mangum + joblib + scikit-learn"
CAREFUL = "FastAPI + Mangum + ONNX Runtime"
GOALS = [
    Goal("a plain class to the empty handler, one version", PLAIN, EMPTY, at_most=1.10),
    Goal("a plain class to the empty handler, two versions", PLAIN_TWO, EMPTY, at_most=1.6),
    Goal("own bootstrap to bare `python -I -S`", OWN, BARE, at_most=1.6),
    Goal("naive to ours with ONNX, runtime client", NAIVE, ONNX, at_least=8),
    Goal("naive to ours with ONNX, own bootstrap", NAIVE, ONNX_OWN, at_least=8),
    Goal("compiled trees to the empty handler, one version", TREES, EMPTY, at_most=1.10),
    Goal("naive to compiled trees, one version", NAIVE, TREES, at_least=35),
    Goal("naive to compiled trees, two versions", NAIVE, TREES_TWO, at_least=25),
    Goal("naive to compiled trees, own bootstrap", NAIVE, TREES_OWN, at_least=80),
]
_OURS_ON = "contract (range, missing), telemetry (EMF lines), digest check"
_LIVE_ON = f"{_OURS_ON}, sticky 90/10 routing, document read over HTTP"
_CLIENT = "awslambdaric"


@dataclass
class Entry:
    """One way to answer an event."""

    row: Row
    environment: str
    command: Callable[[Path], list[str]]
    """From the environment's interpreter."""
    folder: Path
    environ: dict[str, str]
    event: dict[str, Any]
    is_right: Callable[[Any], bool]


def run(workshop: Workshop, rounds: int) -> Report:
    """Measure all entries, interleaved."""
    with object_store(workshop.objects, workshop.logs / "object-store.log") as store:
        found = entries(workshop, store)
        pairs = [(entry, entry.row) for entry in found]
        rows = interleave(NAME, rounds, pairs, lambda entry, _: sample(workshop, entry))
    method = (
        "From exec to the first correct answer at a local Runtime API. Page cache warm, a fresh process for each "
        f"sample; interleaved rounds: {rounds}. The processor's time ends with the answer, as the process does."
    )
    return Report("Lambda style", "ms", EMPTY, rows, GOALS, method, PROCESSOR)


def entries(workshop: Workshop, store: str) -> list[Entry]:
    """Return what is measured."""
    total, probability = sum(workshop.row("python")), workshop.facts["probability"]
    plain, two = workshop.bundle("python", 1), workshop.bundle("python", 2)
    onnx = workshop.bundle("onnx", 2)
    trees, trees_two = workshop.bundle("sklearn", 1), workshop.bundle("sklearn", 2)
    return [
        bare(workshop),
        empty(workshop),
        ours(workshop, store, PLAIN, plain, total, _OURS_ON),
        ours(workshop, store, PLAIN_TWO, two, total, _LIVE_ON),
        ours(workshop, store, OWN, plain, total, _OURS_ON, own=True),
        ours(workshop, store, ONNX, onnx, probability, _LIVE_ON),
        ours(workshop, store, ONNX_OWN, onnx, probability, _LIVE_ON, own=True),
        ours(workshop, store, TREES, trees, probability, _OURS_ON),
        ours(workshop, store, TREES_TWO, trees_two, probability, _LIVE_ON),
        ours(workshop, store, TREES_OWN, trees, probability, _OURS_ON, own=True),
        peer(workshop, NAIVE, "fastapi", "lambda_sklearn", workshop.joblib),
        peer(workshop, CAREFUL, "fastapi-onnx", "lambda_onnx", workshop.onnx),
    ]


def bare(workshop: Workshop) -> Entry:
    """Return the interpreter alone: what no function in Python can be quicker than."""
    code = "import posix; posix.write(1, b'1'); posix.read(0, 1)"
    return Entry(
        Row(BARE, f'python -I -S -c "{code}"', "nothing"),
        "ours",
        lambda python: [str(python), "-I", "-S", "-c", code],
        workshop.peers,
        workshop.environ(),
        {},
        bool,
    )


def empty(workshop: Workshop) -> Entry:
    """Return the floor of Lambda's own runtime."""
    return Entry(
        Row(EMPTY, f"python -m {_CLIENT} lambda_empty.handler", "nothing"),
        "ours",
        lambda python: module_command(python, _CLIENT, "lambda_empty.handler"),
        workshop.peers,
        workshop.environ(PYTHONPATH=str(workshop.peers)),
        {},
        lambda answer: bool(answer == {"statusCode": 200, "body": "{}"}),
    )


def ours(
    workshop: Workshop,
    store: str,
    name: str,
    bundle: Bundle,
    expected: float,
    switched_on: str,
    *,
    own: bool = False,
) -> Entry:
    """Return a bundle under the runtime client, or under its own bootstrap."""
    wrapper = bundle.folder / "lastmile_runtime/adapters/aws_bootstrap"

    def command(python: Path) -> list[str]:
        if own:
            # As Lambda calls an exec wrapper: with the command that it would run without one.
            return [str(wrapper), str(python), "/var/runtime/bootstrap.py"]
        return module_command(python, _CLIENT, HANDLER)

    def is_right(answer: Any) -> bool:
        """Tell whether it is the model's, by the live routing document where there is one."""
        route = answer["headers"]["x-model-route"]
        number = our_answer(json.loads(answer["body"]))
        return abs(number - expected) < 1e-4 and not route.startswith("default")

    environ = workshop.environ(PYTHONPATH=str(bundle.folder), **bundle.environ(store))
    if own:
        del environ["PYTHONPATH"]
    shown_command = "aws_bootstrap python" if own else f"python -m {_CLIENT} {HANDLER}"
    return Entry(
        Row(name, shown_command, switched_on),
        "ours",
        command,
        bundle.folder,
        environ,
        event(INFER, workshop.request(bundle)),
        is_right,
    )


def peer(workshop: Workshop, name: str, environment: str, module: str, model: Path) -> Entry:
    """Return what people deploy today."""
    expected = workshop.facts["probability"]
    body = json.dumps({"features": workshop.facts["row"]}).encode()
    command = module_command(Path("python"), _CLIENT, f"{module}.handler")
    return Entry(
        Row(name, shown(command), "its defaults: pydantic's types; no contract, no telemetry, no routing"),
        environment,
        lambda python: module_command(python, _CLIENT, f"{module}.handler"),
        workshop.peers,
        workshop.environ(PYTHONPATH=str(workshop.peers), BENCH_MODEL=str(model)),
        event("/predict", body),
        lambda answer: bool(abs(json.loads(answer["body"])["probability"][1] - expected) < 1e-4),
    )


def event(path: str, body: bytes) -> dict[str, Any]:
    """Return an event of API Gateway's HTTP API, payload format 2.0, from a caller who is known again."""
    found = http_event(path, body)
    found["headers"] |= STICKY
    return found


def sample(workshop: Workshop, entry: Entry) -> None:
    """Add a sample to an entry, or the reason why there is none."""
    log = workshop.logs / f"{NAME}.log"
    try:
        python = workshop.environments.python(entry.environment)
        with RuntimeApi() as api:
            environ = {**entry.environ, **function_environ(api, entry.folder, python)}
            id_ = api.send(entry.event)
            started = time.perf_counter()
            with running(
                entry.command(python), environ, entry.folder, log, stdin=subprocess.PIPE
            ) as function:
                answer = first_byte(function) if entry.row.name == BARE else outcome(api, id_, function)
                took_s = time.perf_counter() - started
                memory_mb = most_memory_mb(function)
    except (EnvironmentFailure, TimeoutError, OSError) as error:
        entry.row.failure = str(error)
        return
    try:
        right = entry.is_right(answer)
    except (LookupError, TypeError, ValueError):
        right = False
    if not right:
        entry.row.failure = f"the answer is wrong: {str(answer)[:300]}"
        return
    entry.row.samples.append(took_s * 1000)
    entry.row.details.setdefault(MEMORY, []).append(memory_mb)
    entry.row.details.setdefault(PROCESSOR, []).append(function.processor_s * 1000)


def function_environ(api: RuntimeApi, folder: Path, python: Path) -> dict[str, str]:
    """Return what Lambda sets."""
    return {
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_FUNCTION_NAME": "predict",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_TASK_ROOT": str(folder),
        # Where Lambda's own packages are; an isolated interpreter does not find its environment's otherwise.
        "LAMBDA_RUNTIME_DIR": str(site_packages(python)),
    }


def most_memory_mb(function: Running) -> float:
    """Return the most that a process has held so far (MB)."""
    status = Path(f"/proc/{function.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1000


def first_byte(function: Running) -> bool:
    """Wait until a process has written something."""
    deadline = time.monotonic() + TIMEOUT_S
    while function.log.stat().st_size == 0:
        if time.monotonic() > deadline:
            raise TimeoutError("it wrote nothing")
        time.sleep(0.0001)  # the other processor belongs to whoever else needs it
    return True


def outcome(api: RuntimeApi, id_: str, function: Running) -> Any:
    """Wait for an event's answer. Raises TimeoutError, with the function's last words, when there is none."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            found = api.outcomes[id_].get(timeout=_POLL_S)
        except queue.Empty:
            if function.process.poll() is not None:
                raise TimeoutError(
                    f"it ended with {function.process.returncode}: {function.last_words()}"
                ) from None
            continue
        if found.kind != "response":
            raise TimeoutError(f"it failed: {found.document}")
        return found.document
    raise TimeoutError(f"no answer within {TIMEOUT_S:g} s: {function.last_words()}")
