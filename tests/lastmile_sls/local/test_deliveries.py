from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lastmile_runtime.adapters.deliveries import PATH
from lastmile_sls.local import deliveries as module
from lastmile_sls.local.deliveries import Deliveries, DeliveriesConfig, at_once, delay_s
from lastmile_sls.local.queue import Counts, DeadMessage, Queue

CONFIG = DeliveriesConfig("jobs", "predict", 2, 60.0, None, 2, None)


class FakePool:
    """A function of one process, which answers as the test says, and notes what it was sent."""

    def __init__(self, socket: Path) -> None:
        self.config = SimpleNamespace(timeout_s=5.0, max_instances=1, concurrency=2)
        self.seen: list[tuple[bytes, dict[str, str]]] = []
        self.under_way = self.most = 0
        self.answer = 204
        self.place = asyncio.Event()
        self.place.set()
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.paths = [socket]
        self.set_aside_paths: list[Path] = []
        self.socket = socket

    async def start(self) -> asyncio.Server:
        return await asyncio.start_unix_server(self._serve, str(self.socket))

    async def acquire(self) -> Any:
        await self.place.wait()
        path = self.paths.pop() if len(self.paths) > 1 else self.paths[0]
        return SimpleNamespace(path=path, explain=self._explain)

    async def release(self, instance: Any, *, answered: bool) -> None:
        """It has no places to count."""

    async def retire(self, instance: Any) -> None:
        """It goes on."""

    async def set_aside(self, instance: Any) -> None:
        self.set_aside_paths.append(instance.path)

    async def _explain(self) -> str:
        return "the function's process ended before it answered."

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        assert first == f"POST {PATH} HTTP/1.1"
        headers = dict(line.split(": ", 1) for line in lines)
        self.seen.append((await reader.readexactly(int(headers["content-length"])), headers))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.goes_on.wait()
        self.under_way -= 1
        if self.answer:
            body = b'{"error": "out of luck"}' if self.answer >= 400 else b""
            writer.write(f"HTTP/1.1 {self.answer} x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        writer.close()


class World:
    """A queue, its deliveries and their function."""

    def __init__(self, folder: Path, socket: Path) -> None:
        self.queue = Queue(folder / "q", CONFIG.max_attempts, CONFIG.lease_s)
        self.function = FakePool(socket)
        self.pool: FakePool | None = self.function
        self.told: list[DeadMessage] = []
        self.refuse_to_tell = 0
        find: Any = lambda: self.pool  # noqa: E731 - a fake has not the type of a pool
        self.deliveries = Deliveries(CONFIG, self.queue, find, self._tell)

    def _tell(self, message: DeadMessage) -> None:
        if self.refuse_to_tell:
            self.refuse_to_tell -= 1
            raise OSError("the disk is full")
        self.told.append(message)

    async def counts(self) -> Counts:
        return (await self.deliveries.measure())[0]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def until_counts(world: World, counts: Counts) -> None:
    async with asyncio.timeout(20):
        while await world.counts() != counts:
            await asyncio.sleep(0.005)


def run(tmp_path: Path, test: Callable[[World], Awaitable[None]]) -> None:
    async def whole(socket: Path) -> None:
        world = World(tmp_path, socket)
        server = await world.function.start()
        world.deliveries.start()
        try:
            await asyncio.wait_for(asyncio.ensure_future(test(world)), 30)
        finally:
            world.function.goes_on.set()
            world.function.place.set()
            await world.deliveries.stop()
            await world.deliveries.close()
            server.close()

    with tempfile.TemporaryDirectory() as folder:  # a socket's path may have about 100 bytes
        asyncio.run(whole(Path(folder, "s")))


@pytest.fixture(autouse=True)
def at_once_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing rests between attempts, and nothing is found by polling."""
    monkeypatch.setattr(module, "delay_s", lambda attempts: 0.0)
    monkeypatch.setattr(module, "_LONGEST_REST_S", 600.0)
    monkeypatch.setattr(module, "_BUSY_REST_S", 0.01)


def test_what_is_sent_is_delivered_at_once_and_removed_when_done(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        await asyncio.sleep(0.05)  # the loop rests by now, for ten minutes
        await world.deliveries.send(b"job")
        await until_counts(world, Counts(0, 0, 0))
        ((body, headers),) = world.function.seen
        assert (body, headers["x-lastmile-attempt"], headers["x-lastmile-last"]) == (b"job", "1", "0")

    run(tmp_path, test)


def test_a_message_that_becomes_visible_later_is_found_by_time(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        await world.deliveries._thread.do(lambda queue: queue.send(b"job", delay_s=0.2))
        world.deliveries._woken.set()
        await until(lambda: world.function.seen)

    run(tmp_path, test)


def test_only_so_many_are_under_way(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        world.function.goes_on.clear()
        for number in range(5):
            await world.deliveries.send(b"%d" % number)
        await until(lambda: world.function.under_way == 2)
        assert await world.counts() == Counts(3, 2, 0)
        world.function.goes_on.set()
        await until_counts(world, Counts(0, 0, 0))
        assert sorted(body for body, _ in world.function.seen) == [b"0", b"1", b"2", b"3", b"4"]
        assert world.function.most == 2

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (503, "out of luck"),
        (400, "out of luck"),
        (0, "the function's process ended before it answered."),
        (302, "the function answered 302."),
    ],
)
def test_what_is_not_done_is_delivered_again_then_set_aside_and_told(
    tmp_path: Path, answer: int, reason: str
) -> None:
    async def test(world: World) -> None:
        world.function.answer = answer
        await world.deliveries.send(b"job")
        await until(lambda: world.told)
        assert [(m.body, m.attempts, m.reason) for m in world.told] == [(b"job", 2, reason)]
        attempts = [(h["x-lastmile-attempt"], h["x-lastmile-last"]) for _, h in world.function.seen]
        assert attempts == [("1", "0"), ("2", "1")]
        world.function.answer = 204
        assert await world.deliveries.redrive() == 1
        await until_counts(world, Counts(0, 0, 0))
        assert len(world.told) == 1

    run(tmp_path, test)


def test_telling_that_fails_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TELL_AGAIN_S", 0.01)
    monkeypatch.setattr(module, "_LONGEST_REST_S", 0.02)

    async def test(world: World) -> None:
        world.function.answer = 503
        world.refuse_to_tell = 2
        await world.deliveries.send(b"job")
        await until(lambda: world.told)
        await until(lambda: not world.queue.untold(1))
        assert (world.refuse_to_tell, len(world.told)) == (0, 1)

    run(tmp_path, test)


def test_what_finds_no_place_or_no_function_was_no_attempt(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        world.function.config.timeout_s = 0.02
        world.function.place.clear()
        world.function.answer = 204
        await world.deliveries.send(b"job")
        await asyncio.sleep(0.2)
        world.pool = None
        await asyncio.sleep(0.1)
        assert world.told == []
        world.function.config.timeout_s = 5.0
        world.function.place.set()
        world.pool = world.function
        await until_counts(world, Counts(0, 0, 0))
        assert [h["x-lastmile-attempt"] for _, h in world.function.seen] == ["1"]

    run(tmp_path, test)


def test_a_process_that_was_gone_before_it_was_asked_is_no_attempt(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        gone = world.function.socket.with_name("gone")
        world.function.paths.append(gone)
        await world.deliveries.send(b"job")
        await until_counts(world, Counts(0, 0, 0))
        assert world.function.set_aside_paths == [gone]
        assert [h["x-lastmile-attempt"] for _, h in world.function.seen] == ["1"]

    run(tmp_path, test)


def test_stopping_waits_for_what_is_under_way(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        world.function.goes_on.clear()
        for _ in range(3):
            await world.deliveries.send(b"job")
        await until(lambda: world.function.under_way == 2)
        stopping = asyncio.ensure_future(world.deliveries.stop())
        await asyncio.sleep(0.05)
        assert not stopping.done()
        world.function.goes_on.set()
        await stopping
        await world.deliveries.send(b"late")
        await world.deliveries.close()
        with pytest.raises(sqlite3.ProgrammingError, match="the queue was closed"):
            await world.deliveries.send(b"too late")

    run(tmp_path, test)
    assert Queue(tmp_path / "q", 2, 60).counts() == Counts(2, 0, 0)


def test_a_queue_that_cannot_be_read_for_a_while_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_REST_S", 0.02)
    original = Queue.receive_many
    broken = [True]

    def receive_many(queue: Queue, most: int) -> Any:
        if broken[0]:
            raise sqlite3.OperationalError("database is locked")
        return original(queue, most)

    monkeypatch.setattr(Queue, "receive_many", receive_many)

    async def test(world: World) -> None:
        await world.deliveries.send(b"job")
        await asyncio.sleep(0.1)
        broken[0] = False
        await until_counts(world, Counts(0, 0, 0))

    run(tmp_path, test)


def test_messages_rest_longer_after_each_attempt() -> None:
    assert [delay_s(attempts) for attempts in (1, 2, 3, 4, 5, 8, 9, 100)] == [0, 1, 2, 4, 8, 60, 60, 60]


def test_requests_are_left_a_quarter_of_the_places() -> None:
    assert [at_once(places) for places in (1, 2, 3, 4, 8, 64)] == [1, 1, 2, 3, 6, 48]
