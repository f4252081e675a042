"""A deployment on a cloud that is played: what its client would say, for the commands to show."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from lastmile_sls.control.events import read_event
from lastmile_sls.control.told import AlarmState, Event, FunctionState, Query, ScheduleState
from lastmile_sls.control.usage import Counted
from lastmile_sls.queue_view import PeekedMessage, QueueStatus, peeked

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
DIGEST = "sha256:" + "ab" * 32
OUTPUTS: dict[str, Any] = {
    "deployment": "churn-dev",
    "target": "aws",
    "region": "eu-west-1",
    "account": "123456789012",
    "versions": ["v1", "v2"],
    "url": "https://x.example",
    "key": "the-key",
    "functions": {"predict": "arn:1", "predict-v2": "arn:2"},
    "logs": {"predict": "group-1"},
    "queue": {"jobs": "https://q", "dead_letters": "https://d"},
}


@dataclass
class Played:
    """A cloud's client."""

    states: tuple[FunctionState, ...] = ()
    clock: ScheduleState | None = None
    told: tuple[AlarmState, ...] = ()
    has_queue: bool = True
    events: list[Event] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    late_s: float = 30.0
    counts: tuple[Counted, ...] = ()
    asked_since: date | None = None

    def functions(self) -> tuple[FunctionState, ...]:
        return self.states

    def schedule(self) -> ScheduleState | None:
        return self.clock

    def alarms(self) -> tuple[AlarmState, ...]:
        return self.told

    def usage(self, since: date) -> tuple[Counted, ...]:
        self.asked_since = since
        return tuple(one for one in self.counts if one.day >= since)

    def queue(self) -> Played | None:
        return self if self.has_queue else None

    def log(self, function: str) -> Played:
        assert function == "predict"
        return self

    def read(self, query: Query) -> list[Event]:
        self.queries.append(query)
        return self.events[-query.lines :]

    def status(self) -> QueueStatus:
        return QueueStatus("jobs", 3, None, 2, 95.0)

    def peek(self, count: int, *, waiting: bool = False) -> list[PeekedMessage]:
        body = json.dumps({"kind": "job", "id": "j-1"})
        return [peeked("m-1", body, attempts=5, age_s=7500, reason="it answered 500")][:count]

    def redrive(self, told: Callable[[int], None]) -> int:
        told(1)
        return 2


def event(text: str, seconds: float = 0) -> Event:
    return read_event(text, AT + timedelta(seconds=seconds), "predict", id_=text)


def with_traffic(folder: Path) -> dict[str, Any]:
    """Return outputs whose routing document is in a folder."""
    document = {
        "champion": "v2",
        "weights": {"v1": 1000, "v2": 9000},
        "shadows": [{"version": "v3", "percent": 500}],
    }
    (folder / "routing.json").write_text(json.dumps(document))
    return {**OUTPUTS, "routing": f"{folder.as_uri()}/routing.json"}
