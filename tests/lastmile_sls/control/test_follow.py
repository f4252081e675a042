from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lastmile_sls.control.events import read_event
from lastmile_sls.control.follow import follow, matches
from lastmile_sls.control.told import Event, Query

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)


def event(name: str, seconds: float) -> Event:
    return read_event(name, AT + timedelta(seconds=seconds), "predict", id_=name)


class Source:
    """A log that grows with each look."""

    late_s = 30.0

    def __init__(self, *looks: list[Event]) -> None:
        self._looks = list(looks)
        self.there: list[Event] = []
        self.queries: list[Query] = []

    def read(self, query: Query) -> list[Event]:
        self.queries.append(query)
        since = AT if isinstance(query.since, timedelta) else query.since
        found = sorted((one for one in self.there if one.at >= since), key=lambda one: one.at)
        return found[-query.lines :]

    def pause(self, _: float) -> None:
        if not self._looks:
            raise KeyboardInterrupt
        self.there += self._looks.pop(0)


def followed(source: Source, lines: int = 2) -> list[str]:
    told: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        told.extend(found.text for found in follow(source, Query(timedelta(hours=1), lines), source.pause))
    return told


def test_each_event_is_told_once_late_ones_too() -> None:
    source = Source(
        [event("d", 4)],
        [event("late", 2.5), event("e", 5)],
        [event("far", 500)],
        [event("too late", 6)],
    )
    source.there = [event("a", 1), event("b", 2), event("c", 3)]
    assert followed(source) == ["b", "c", "d", "late", "e", "far"]
    assert source.queries[-1].since == AT + timedelta(seconds=470)


def test_an_empty_log_is_waited_for() -> None:
    source = Source([], [event("a", 1)])
    assert followed(source) == ["a"]
    assert [query.since for query in source.queries[:3]] == [timedelta(hours=1)] * 3


def test_nothing_that_was_there_before_is_told_when_no_lines_are_asked_for() -> None:
    source = Source([event("c", 3)])
    source.there = [event("a", 1), event("b", 2)]
    assert followed(source, lines=0) == ["c"]
    assert followed(Source([event("a", 1)]), lines=0) == ["a"]


def test_what_is_asked_for() -> None:
    everything = Query(timedelta(hours=1), 1)
    error = read_event('{"level": "error", "request_id": "r-1"}', AT, "predict")
    note = read_event('{"type": "platform.start", "record": {"requestId": "p-1"}}', AT, "predict")
    assert matches(error, everything)
    assert not matches(note, everything)
    assert matches(note, Query(timedelta(hours=1), 1, request_id="p-1", platform=True))
    assert matches(error, Query(timedelta(hours=1), 1, errors=True, request_id="r-1"))
    assert not matches(error, Query(timedelta(hours=1), 1, request_id="r-2"))
    assert not matches(read_event("plain", AT, "predict"), Query(timedelta(hours=1), 1, errors=True))
