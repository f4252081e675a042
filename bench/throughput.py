"""Requests per second of warm servers with a model that costs nothing: one core for the server, another for the load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from bench import servers
from bench.environments import BENCH, EnvironmentFailure
from bench.http_first_prediction import prepare, wait_for_prediction
from bench.processes import free_ports, object_store, processor_s, running
from bench.results import Goal, Report, Row
from bench.rounds import interleave
from bench.servers import Server
from bench.workshop import Workshop

NAME = "throughput"
CONNECTIONS = 16
WARM_UP_S = 1.0
SECONDS = 3.0
OURS = "ours"
STEADY = "requests per second of processor time"
GOALS = [
    Goal("ours to FastAPI", OURS, "FastAPI + uvicorn", at_least=5),
    Goal("ours to MLServer", OURS, "MLServer", at_least=7),
    Goal("ours to MLServer without workers", OURS, "MLServer, no workers", at_least=7),
]


def run(workshop: Workshop, rounds: int) -> Report:
    """Measure all servers, interleaved."""
    with object_store(workshop.objects, workshop.logs / "object-store.log") as store:
        found = [
            servers.ours(workshop, store, "noop"),
            servers.ours(workshop, store, "noop", governed=False),
            *servers.peers(workshop, "noop"),
        ]
        pairs = [(server, Row(server.name, server.shown, server.switched_on)) for server in found]
        prepare(workshop, pairs)
        rows = interleave(NAME, rounds, pairs, partial(sample, workshop, sum(workshop.row("python"))))
    return Report(
        "Throughput",
        *("requests/s", OURS, rows, GOALS, f"The sum of 30 numbers, as JSON. {method(rounds)}", STEADY),
        more_is_better=True,
    )


def method(rounds: int) -> str:
    """Return how servers are loaded, in words."""
    return (
        "All of a server's processes on one core, the load on another: "
        f"{CONNECTIONS} keep-alive connections, each with one request at a time, for {SECONDS:g} s after "
        f"{WARM_UP_S:g} s of warming up, a fresh server for each; interleaved rounds: {rounds}. p50 of one connection is "
        "without others beside it. Where the load's own core is busy to 90 % and more, the server could do more."
    )


def sample(workshop: Workshop, right: float, server: Server, row: Row) -> None:
    """Add a sample to a row, or the reason why there is none; `right` is the number that the model answers."""
    python = workshop.environments.python(server.environment)
    cores = sorted(os.sched_getaffinity(0))
    ports = free_ports(3)
    command = server.command(python, ports)
    log = workshop.logs / f"{NAME}-{server.environment}.log"
    with running(command, server.environ_of(python, ports), server.folder, log, core=cores[0]) as process:
        try:
            wait_for_prediction(server, ports[0], right, process)
            load(server, ports[0], right, CONNECTIONS, WARM_UP_S, cores[-1])
            used_s = -processor_s(process.process)
            many = load(server, ports[0], right, CONNECTIONS, SECONDS, cores[-1])
            used_s += processor_s(process.process)
            one = load(server, ports[0], right, 1, WARM_UP_S, cores[-1])
        except (TimeoutError, EnvironmentFailure) as error:
            row.failure = str(error)
            return
    row.samples.append(many["answers"] / many["seconds"])
    for name, value in (
        (STEADY, many["answers"] / max(used_s, 0.01)),
        ("p50, us", many["p50_us"]),
        ("p99, us", many["p99_us"]),
        ("p50 of one connection, us", one["p50_us"]),
        ("load's core busy, %", many["busy"] * 100),
    ):
        row.details.setdefault(name, []).append(value)


def load(
    server: Server, port: int, right: float, connections: int, seconds: float, core: int
) -> dict[str, Any]:
    """Load a server from another core; return what the generator told. Raises EnvironmentFailure for a wrong answer."""
    # Every server writes numbers as Python does; the last digits of a probability are each library's own.
    given = server.request(port, keep_alive=True) + b"\0" + f"{right}".encode()[:12]
    script = str(BENCH / "generator.py")
    command = [sys.executable, "-I", "-S", script, str(port), str(connections), str(seconds)]
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {core})
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            check=False,
            timeout=seconds + 30,
            cwd=Path(script).parent,
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentFailure(f"the load did not end: {error}") from error
    finally:
        os.sched_setaffinity(0, allowed)
    if done.returncode:
        raise EnvironmentFailure(done.stderr.decode(errors="replace").strip()[-300:])
    found: dict[str, Any] = json.loads(done.stdout)
    if found["wrong"]:
        raise EnvironmentFailure(
            f"{found['wrong']} answers were wrong, the first {found['first_wrong'][:300]}"
        )
    return found
