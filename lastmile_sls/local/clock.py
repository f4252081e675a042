"""The host's clock: sends what each schedule says to its queue, when it is due.

What was due while the host did not run, or the machine slept, is due once when it is back, not as often as it was missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from lastmile_sls.errors import LastmileError
from lastmile_sls.local.home import Place
from lastmile_sls.local.records import Record
from lastmile_sls.local.resources.schedule import Past, read_past, told, write_past
from lastmile_sls.spec.cron import next_after, parse

_LOG = logging.getLogger("lastmile.host")
_LONGEST_REST_S = 30.0
"""How late it is noticed that the clock was set, or the machine woke up: a rest does not pass while it sleeps."""
_AGAIN_S = 5.0

Send = Callable[[str, bytes], Awaitable[None]]
"""Sends a queue, by its name, a message. Raises LastmileError."""


def _now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """The schedules of a deployment in service."""

    def __init__(self, place: Place, send: Send, now: Callable[[], datetime] = _now) -> None:
        self._place = place
        self._send = send
        self._now = now
        self._schedules: dict[str, Record] = {}
        self._changed = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send what is due."""
        self._loop = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """Send nothing any more."""
        if self._loop:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop

    def serve(self, schedules: Iterable[Record]) -> None:
        """Take up what the records say."""
        self._schedules = {record.name: record for record in schedules}
        self._changed.set()

    async def send(self, name: str) -> None:
        """Send a schedule's message now, whenever it is due. Raises LastmileError."""
        record = self._schedules.get(name)
        if record is None:
            names = ", ".join(sorted(self._schedules)) or "none"
            raise LastmileError(
                f"{self._place.deployment} has no schedule {name!r}; its schedules are {names}.",
                "schedule in the spec makes one.",
            )
        await self._send_message(record, self._past(record))

    async def tick(self) -> float:
        """Send what is due; return for how long to rest, seconds, unless something changes."""
        rest_s = _LONGEST_REST_S
        for record in list(self._schedules.values()):
            try:
                rest_s = min(rest_s, await self._tick(record))
            except Exception:  # noqa: BLE001 - told in the host's log, and the host goes on
                _LOG.exception("the schedule %s could not be kept", record.name)
                rest_s = min(rest_s, _AGAIN_S)
        return rest_s

    async def _tick(self, record: Record) -> float:
        """Send one schedule's message if it is due; return in how many seconds it is the next time."""
        past, now = self._past(record), self._now()
        due = next_at(past)
        if due is not None and due <= now:
            past = replace(past, counted_to=told(now))
            await self._send_message(record, past)
            due = next_at(past)
        return _LONGEST_REST_S if due is None else max(0.0, (due - now).total_seconds())

    async def _send_message(self, record: Record, past: Past) -> None:
        await self._send(str(record.inputs["queue"]), str(record.inputs["message"]).encode())
        write_past(self._place, record.name, replace(past, sent_at=told(self._now())))
        _LOG.info("the schedule %s was sent to %s", record.name, record.inputs["queue"])

    def _past(self, record: Record) -> Past:
        past = read_past(self._place, record.name)
        if past is None:  # somebody deleted it, and a count that begins anew each time would never be over
            past = Past(str(record.inputs["cron"]), told(self._now()))
            write_past(self._place, record.name, past)
        return past

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            rest_s = await self.tick()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest_s):
                    await self._changed.wait()


def next_at(past: Past) -> datetime | None:
    """Return when a schedule is due next, if that is still to come; None when it never is."""
    return next_after(parse(past.cron), datetime.fromisoformat(past.counted_to))
