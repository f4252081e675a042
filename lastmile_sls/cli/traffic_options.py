"""The options that say what traffic is meant, which `estimate` and `compare` share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from lastmile_sls.estimate.traffic_file import Shape

_NUMBERS = {
    "requests": "Requests in a month.",
    "request_kb": "What a request carries, in KB. Default: 1.",
    "response_kb": "What an answer carries, in KB. Default: 1.",
    "log_kb": "What a request leaves in the log, in KB. Default: 1.",
    "peak": "Requests in flight at the busiest moment. Default: 1.",
    "cold_share": "How many of the requests wait for a cold start: 0 to 1. Default: 0.01.",
    "init_ms": "How long such a start takes, in ms. Default: measured on the bundle.",
    "later_share": "How many of the requests are answered later, through the queue: 0 to 1. Default: 0.",
    "rows": "Rows of files that the schedule scores in a month. Default: 0.",
    "row_ms": "How long one row of a file takes, in ms. Default: measured; with --duration, as long as a request.",
    "concurrency": "Requests that share an instance on average. Default: from the traffic.",
}


def traffic_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say what traffic is meant, as the argument `shapes`: by name, `` for the only one."""

    @functools.wraps(function)
    def with_shapes(duration: Sequence[str], traffic_path: Path | None, **others: Any) -> None:
        from lastmile_sls.estimate.traffic_file import shapes_of

        asked = _asked(duration, {name: others.pop(name) for name in _NUMBERS})
        function(shapes=shapes_of(asked, traffic_path), **others)

    command = click.option(
        "--traffic",
        "traffic_path",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="A YAML file with the same names, or with several shapes by name. Options go over it.",
    )(with_shapes)
    for name, text in reversed(_NUMBERS.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, metavar="NUMBER", help=text)(command)
    return click.option(
        "--duration",
        multiple=True,
        metavar="[VERSION=]MS",
        help="How long a version takes for a request, in ms; may be given for each. Default: measured on the bundle.",
    )(command)


def _asked(durations: Sequence[str], said: dict[str, str | None]) -> Shape:
    from lastmile_sls.estimate.traffic_file import EVERY, Shape, number

    found: dict[str, Decimal] = {}
    for word in durations:
        version, equals, ms = word.rpartition("=")
        found[version if equals else EVERY] = number("duration", ms, "--duration")
    numbers: dict[str, Any] = {
        name: number(name, value, f"--{name.replace('_', '-')}")
        for name, value in said.items()
        if value is not None
    }
    return Shape(duration=found, **numbers)
