"""The host's clock: when it sends, and what is due after a time in which it could not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.local import clock
from lastmile_sls.local.clock import Clock
from lastmile_sls.local.home import Place
from lastmile_sls.local.records import Owner, Record
from lastmile_sls.local.resources.schedule import KIND, Past, past_file, read_past, write_past

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def record(cron: str = "*/10 * * * *") -> Record:
    inputs = {
        "deployment": "demo-dev",
        "name": "schedule",
        "queue": "jobs",
        "cron": cron,
        "message": '{"kind": "batch"}',
    }
    return Record("schedule", "schedule", inputs, {}, Owner("urn", "embedded"), "2026-11-29T00:00:00Z")


class World:
    """A clock whose time the test sets."""

    def __init__(self, folder: Path, cron: str = "*/10 * * * *") -> None:
        self.place = Place.of(folder, "demo-dev")
        self.now = NOON
        self.sent: list[tuple[str, bytes, datetime]] = []
        self.refuse = False
        write_past(self.place, "schedule", Past(cron, "2026-11-29T12:00:00Z"))
        self.clock = Clock(self.place, self._send, lambda: self.now)
        self.clock.serve([record(cron)])

    async def _send(self, queue: str, message: bytes) -> None:
        if self.refuse:
            raise LastmileError("the disk is full.", "")
        self.sent.append((queue, message, self.now))

    async def at(self, moment: datetime) -> float:
        self.now = moment
        return await self.clock.tick()

    @property
    def past(self) -> Past | None:
        return read_past(self.place, "schedule")


def run(folder: Path, test: Callable[[World], Awaitable[None]], cron: str = "*/10 * * * *") -> None:
    async def inner() -> None:
        await test(World(folder, cron))

    asyncio.run(inner())


def test_a_message_is_sent_when_it_is_due_and_once(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        assert await world.at(NOON) == 30
        assert await world.at(NOON + timedelta(minutes=9, seconds=50)) == 10
        assert world.sent == []
        due = NOON + timedelta(minutes=10, seconds=1)
        assert await world.at(due) == 30
        assert await world.at(due) == 30
        assert world.sent == [("jobs", b'{"kind": "batch"}', due)]
        assert world.past == Past("*/10 * * * *", "2026-11-29T12:10:01Z", "2026-11-29T12:10:01Z")

    run(tmp_path, test)


def test_what_was_missed_is_due_once(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        late = NOON + timedelta(days=3, minutes=5)
        await world.at(late)
        await world.at(late)
        assert [moment for _, _, moment in world.sent] == [late]
        await world.at(late + timedelta(minutes=5))
        assert len(world.sent) == 2

    run(tmp_path, test)


def test_what_cannot_be_sent_is_still_due(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        world.refuse = True
        assert await world.at(NOON + timedelta(minutes=10)) == 5
        world.refuse = False
        await world.at(NOON + timedelta(minutes=10, seconds=5))
        assert len(world.sent) == 1

    run(tmp_path, test)


def test_a_time_that_never_comes_and_a_past_that_was_lost(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        assert await world.at(NOON + timedelta(days=5000)) == 30
        assert world.sent == []
        world.clock.serve([record()])
        past_file(world.place, "schedule").unlink()
        await world.at(NOON)
        await world.at(NOON + timedelta(minutes=10))
        assert len(world.sent) == 1

    run(tmp_path, test, "0 0 30 2 *")


def test_somebody_sends_it_without_waiting(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        await world.clock.send("schedule")
        assert world.past == Past("*/10 * * * *", "2026-11-29T12:00:00Z", "2026-11-29T12:00:00Z")
        await world.at(NOON + timedelta(minutes=10))
        assert len(world.sent) == 2
        with pytest.raises(LastmileError) as caught:
            await world.clock.send("other")
        assert caught.value.message == "demo-dev has no schedule 'other'; its schedules are schedule."

    run(tmp_path, test)


def test_it_runs_by_itself_and_takes_changes_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_LONGEST_REST_S", 60)

    async def test(world: World) -> None:
        sent = asyncio.Event()

        async def send(queue: str, message: bytes) -> None:
            sent.set()

        own = Clock(world.place, send, lambda: NOON + timedelta(minutes=10))
        own.start()
        await asyncio.sleep(0)
        own.serve([record()])
        async with asyncio.timeout(10):
            await sent.wait()
        await own.stop()

    run(tmp_path, test)


def test_the_kind(tmp_path: Path) -> None:
    place = Place.of(tmp_path, "demo-dev")
    assert KIND.check({"cron": "61 * * * *"}) == [
        ("cron", "cron has '61' for the minute, but it must be 0 to 59.")
    ]
    assert KIND.check({"cron": "1 * * * *"}) == []
    made = record("0 6 * * *")
    path = past_file(place, "schedule")
    assert KIND.make(place, made) == {"path": str(path)}
    assert KIND.drifted(place, made) == []
    document = json.loads(path.read_text())
    assert (document["cron"], document["sent_at"]) == ("0 6 * * *", None)
    kept = Past("0 6 * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
    write_past(place, "schedule", kept)
    KIND.make(place, made)
    assert read_past(place, "schedule") == kept
    KIND.make(place, record("0 7 * * *"))  # nothing is made up for by another expression
    past = read_past(place, "schedule")
    assert past is not None
    assert (past.cron, past.sent_at) == ("0 7 * * *", kept.sent_at)
    assert past.counted_to > kept.counted_to
    KIND.remove(place, made)
    assert KIND.drifted(place, made) == ["path"]
