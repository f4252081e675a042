"""Requests per second of warm servers with a booster of 500 trees: one core for the server, another for the load."""

from __future__ import annotations

from functools import partial

from bench import servers
from bench.http_first_prediction import prepare
from bench.processes import object_store
from bench.results import Goal, Report, Row
from bench.rounds import interleave
from bench.throughput import STEADY, method, sample
from bench.workshop import Workshop

NAME = "booster_throughput"
OURS = "ours, compiled trees"
GOALS = [
    Goal("ours to MLServer", OURS, "MLServer", at_least=10),
    Goal("ours to MLServer without workers", OURS, "MLServer, no workers", at_least=10),
]


def run(workshop: Workshop, rounds: int) -> Report:
    """Measure all servers, interleaved."""
    with object_store(workshop.objects, workshop.logs / "object-store.log") as store:
        found = [
            servers.ours(workshop, store, "booster"),
            servers.mlserver(workshop, "booster", workers=False),
            servers.mlserver(workshop, "booster", workers=True),
        ]
        pairs = [(server, Row(server.name, server.shown, server.switched_on)) for server in found]
        prepare(workshop, pairs)
        rows = interleave(
            NAME, rounds, pairs, partial(sample, workshop, workshop.facts["booster_probability"])
        )
    told = f"A LightGBM booster of 500 trees, a row of 30 numbers, as JSON. {method(rounds)}"
    return Report(
        "Throughput with a booster", "requests/s", OURS, rows, GOALS, told, STEADY, more_is_better=True
    )
