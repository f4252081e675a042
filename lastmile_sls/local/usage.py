"""Requests by day and version of a deployment on this machine, from its functions' logs, as far back as they are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from lastmile_sls.control.usage import Counted, mean
from lastmile_sls.local import records
from lastmile_sls.local.home import Place
from lastmile_sls.local.logs import KEPT_FILES, log_file


@dataclass
class _Sum:
    requests: int = 0
    duration_ms: float = 0.0


def counted(place: Place, since: date) -> tuple[Counted, ...]:
    """Return each version's days; what the logs no longer hold is not in them."""
    sums: dict[tuple[date, str], _Sum] = {}
    for event in _events(place):
        day = date.fromisoformat(event["time"][:10])
        if day >= since:
            one = sums.setdefault((day, str(event["version"])), _Sum())
            one.requests += 1
            one.duration_ms += event["duration_ms"]
    return tuple(
        Counted(day, version, one.requests, mean(one.duration_ms / one.requests))
        for (day, version), one in sorted(sums.items())
    )


def _events(place: Place) -> Iterator[dict[str, Any]]:
    """Return the events of requests that a version answered at once, by whichever function answered the caller."""
    functions = records.all_of(place, "function")
    called = {name for record in functions for name in record.inputs.get("calls") or ()}
    for record in functions:
        if record.name in called:
            continue
        path = log_file(place, record.name)
        for older in range(KEPT_FILES - 1, -1, -1):
            file = path.with_name(f"{path.name}.{older}") if older else path
            if file.exists():
                with file.open(encoding="utf-8", errors="replace") as lines:
                    yield from filter(None, map(_event, lines))


def _event(line: str) -> dict[str, Any] | None:
    """Return the event of a line, `TIME [PID] {...}`; None for what is no request's, or of no version."""
    _, bracket, rest = line.partition("] ")
    if not bracket or not rest.startswith('{"time": '):
        return None
    try:
        event = json.loads(rest)
    except ValueError:
        return None
    if event.get("faas.trigger", "http") != "http" or not {"status", "version", "duration_ms"} <= set(event):
        return None
    found: dict[str, Any] = event
    return found
