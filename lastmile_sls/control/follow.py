"""Goes on with a log that events are added to: each is told once, though clouds deliver some late."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from lastmile_sls.control.told import Event, LogSource, Query

_POLL_S = 2.0
_MOST = 10_000
"""Events between two looks."""


def matches(event: Event, query: Query) -> bool:
    """Tell whether an event is one that was asked for, where the cloud's own filter lets more through."""
    if (query.errors and event.level != "error") or (event.is_platform and not query.platform):
        return False
    return query.request_id is None or query.request_id in _ids(event)


def follow(source: LogSource, query: Query, pause: Callable[[float], None] = time.sleep) -> Iterator[Event]:
    """Return a log's newest events, and then what is added, until interrupted.

    What comes later than `late_s` after events that happened after it is not seen. Raises LastmileError.
    """
    late = timedelta(seconds=source.late_s)
    found, told = source.read(replace(query, lines=max(query.lines, 1))), query.lines
    while not found:
        pause(_POLL_S)
        found = source.read(replace(query, lines=_MOST))
        told = len(found)
    yield from found[len(found) - min(told, len(found)) :]
    seen = {event.id: event.at for event in found}
    last = max(seen.values())
    query = replace(query, since=last - late, lines=_MOST)
    # What was there before the newest so many was not asked for.
    seen |= {event.id: event.at for event in source.read(query) if event.at <= last}
    while True:
        for event in source.read(query):
            if event.id not in seen:
                yield event
            seen[event.id] = event.at
        newest = max(seen.values())
        seen = {id_: at for id_, at in seen.items() if at >= newest - 2 * late}
        query = replace(query, since=newest - late)
        pause(_POLL_S)


def _ids(event: Event) -> tuple[object, ...]:
    """Return the ids that an event has: the caller's own, and the platform's."""
    record = event.raw.get("record") if isinstance(event.raw, dict) else None
    platform = record.get("requestId") if isinstance(record, dict) else None
    return (event.facts.get("request_id"), event.facts.get("faas.invocation_id"), platform)
