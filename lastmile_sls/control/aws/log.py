"""A function's log group in CloudWatch."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from lastmile_sls.control.aws.client import Aws
from lastmile_sls.control.clock import CloudClock
from lastmile_sls.control.events import read_event
from lastmile_sls.control.follow import matches
from lastmile_sls.control.told import Event, Query

_FIRST_WINDOW = timedelta(minutes=1)


class _ClockMended(Exception):
    """The first answer told that this machine's clock is wrong, so that another span is meant."""


class LogGroup:
    """A log group, which is read from the oldest on: so first the last minute, then further back until there is enough."""

    late_s = 30.0

    def __init__(self, aws: Aws, function: str, group: str, clock: CloudClock) -> None:
        self._aws = aws
        self._function = function
        self._group = group
        self._clock = clock

    def read(self, query: Query) -> list[Event]:
        """Return the newest events, oldest first. Raises LastmileError."""
        window = _FIRST_WINDOW
        while True:
            since = self._clock.now() - query.since if isinstance(query.since, timedelta) else query.since
            start = max(since, self._clock.now() - window) if isinstance(query.since, timedelta) else since
            try:
                found = deque(self._from(start, query), maxlen=query.lines)
            except _ClockMended:
                continue
            if len(found) >= query.lines or start <= since:
                return list(found)
            window *= 10

    def _from(self, start: datetime, query: Query) -> Iterator[Event]:
        """Return what was since then, the oldest first, over all pages. Raises _ClockMended."""
        asked: dict[str, Any] = {"logGroupName": self._group, "startTime": int(start.timestamp() * 1000)}
        if pattern := pattern_of(query):
            asked["filterPattern"] = pattern
        while True:
            with self._aws.asking(f"the log of {self._function}"):
                answer = self._aws.client("logs").filter_log_events(**asked)
            mended = self._clock.note(answer["ResponseMetadata"]["HTTPHeaders"].get("date"))
            if mended and isinstance(query.since, timedelta):
                raise _ClockMended
            events = sorted(map(self._event, answer["events"]), key=lambda event: event.at)
            yield from (event for event in events if matches(event, query))
            if not answer.get("nextToken"):
                return
            asked["nextToken"] = answer["nextToken"]

    def _event(self, found: dict[str, Any]) -> Event:
        at = datetime.fromtimestamp(found["timestamp"] / 1000, UTC)
        return read_event(found["message"], at, self._function, id_=found["eventId"])


def pattern_of(query: Query) -> str:
    """Return CloudWatch's pattern (docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html)."""
    terms = []
    if query.errors:
        terms.append(
            '(($.level = "ERROR") || ($.level = "FATAL") || ($.record.status = "error") || '
            '($.record.status = "failure") || ($.record.status = "timeout"))'
        )
    if query.request_id is not None:
        wanted = json.dumps(query.request_id)
        terms.append(f"(($.request_id = {wanted}) || ($.record.requestId = {wanted}))")
    return "{ " + " && ".join(terms) + " }" if terms else ""
