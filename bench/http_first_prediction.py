"""HTTP style: from exec to the first correct prediction over HTTP on $PORT. An answer of a health check does not count."""

from __future__ import annotations

import http.client
import io
import json
import socket
import time
from contextlib import suppress
from functools import partial
from typing import Any

from bench import servers
from bench.environments import EnvironmentFailure
from bench.processes import Running, free_ports, object_store, running
from bench.results import Goal, Report, Row
from bench.rounds import interleave
from bench.servers import Server
from bench.workshop import Workshop

NAME = "http_first_prediction"
TIMEOUT_S = 90.0
PROCESSOR = "processor time, ms"
_RETRY_S = 0.002
_NOT_READY_S = 0.02
"""A server that answers, but not yet with predictions, is not kept from loading by being asked too often."""
OURS = "ours, ONNX"
TREES = "ours, compiled trees"
GOALS = [
    Goal("naive FastAPI to ours", "FastAPI + uvicorn + joblib + scikit-learn", OURS, at_least=6),
    Goal("BentoML to ours", "BentoML", OURS, at_least=10),
    Goal("MLServer to ours", "MLServer", OURS, at_least=10),
    Goal("MLServer without workers to ours", "MLServer, no workers", OURS, at_least=10),
    Goal("LitServe to ours", "LitServe", OURS, at_least=10),
    Goal("MLflow to ours", "MLflow", OURS, at_least=10),
    Goal("naive FastAPI to compiled trees", "FastAPI + uvicorn + joblib + scikit-learn", TREES, at_least=50),
    Goal("BentoML to compiled trees", "BentoML", TREES, at_least=80),
    Goal("MLServer to compiled trees", "MLServer", TREES, at_least=80),
    Goal("LitServe to compiled trees", "LitServe", TREES, at_least=80),
]


def run(workshop: Workshop, rounds: int) -> Report:
    """Measure all servers, interleaved."""
    with object_store(workshop.objects, workshop.logs / "object-store.log") as store:
        found = [
            servers.ours(workshop, store, "trained"),
            servers.ours(workshop, store, "compiled"),
            servers.fastapi_onnx(workshop),
            *servers.peers(workshop, "trained"),
        ]
        pairs = [(server, Row(server.name, server.shown, server.switched_on)) for server in found]
        prepare(workshop, pairs)
        rows = interleave(NAME, rounds, pairs, partial(sample, workshop))
    method = (
        "From exec to the first correct prediction over HTTP; a health check's answer does not count. Page cache warm, "
        f"a fresh process for each sample, both cores; interleaved rounds: {rounds}. The processor's time is that of all "
        "of a server's processes until then."
    )
    return Report("HTTP style", "ms", OURS, rows, GOALS, method, PROCESSOR)


def prepare(workshop: Workshop, pairs: list[tuple[Server, Row]]) -> None:
    """Install every environment and write what its server needs; what cannot be is the row's failure."""
    for server, row in pairs:
        try:
            server.before(workshop.environments.python(server.environment))
        except EnvironmentFailure as failure:
            row.failure = str(failure)


def sample(workshop: Workshop, server: Server, row: Row) -> None:
    """Add a sample to a row, or the reason why there is none."""
    python = workshop.environments.python(server.environment)
    ports = free_ports(3)
    command = server.command(python, ports)
    started = time.perf_counter()
    log = workshop.logs / f"{NAME}-{server.environment}.log"
    with running(command, server.environ_of(python, ports), server.folder, log) as process:
        try:
            wait_for_prediction(server, ports[0], workshop.facts["probability"], process)
        except TimeoutError as error:
            row.failure = str(error)
            return
        took_s = time.perf_counter() - started
    row.samples.append(took_s * 1000)
    row.details.setdefault(PROCESSOR, []).append(process.processor_s * 1000)


def wait_for_prediction(server: Server, port: int, right: float, process: Running) -> None:
    """Ask until the answer is right. Raises TimeoutError, with what there was instead, when that takes too long."""
    request = server.request(port, keep_alive=False)
    deadline = time.monotonic() + TIMEOUT_S
    last, pause_s = "nothing listened", _RETRY_S
    while time.monotonic() < deadline:
        if process.process.poll() is not None:
            raise TimeoutError(f"it ended with {process.process.returncode}: {process.last_words()}")
        try:
            status, document = ask(port, request)
        except (OSError, ValueError, http.client.HTTPException) as error:
            if not isinstance(error, ConnectionRefusedError):
                last = f"{type(error).__name__}: {error}"
        else:
            with suppress(LookupError, TypeError, ValueError):
                if status == 200 and abs(server.read(document) - right) < 1e-4:
                    return
            last, pause_s = f"{status}: {str(document)[:300]}", _NOT_READY_S
        time.sleep(pause_s)
    raise TimeoutError(f"no right answer within {TIMEOUT_S:g} s; the last was {last}")


def ask(port: int, request: bytes) -> tuple[int, Any]:
    """Send a request; return the answer's status and document.

    Raises OSError, http.client.HTTPException, and ValueError for a body that is not JSON.
    """
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, json.load(io.BytesIO(answer.read()))
