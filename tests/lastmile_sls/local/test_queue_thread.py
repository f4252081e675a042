from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.local import queue as queue_module
from lastmile_sls.local.queue import Counts, Queue
from lastmile_sls.local.queue_thread import QueueThread


class CountingQueue(Queue):
    """Counts transactions."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, 3, 30)
        self.transactions = 0

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self.transactions += 1
        with super().transaction():
            yield


def with_thread(queue: Queue, use: Callable[[QueueThread], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        thread = QueueThread(queue)
        try:
            await asyncio.wait_for(use(thread), 30)
        finally:
            await thread.close()

    asyncio.run(run())


def test_what_comes_together_is_committed_together(tmp_path: Path) -> None:
    queue = CountingQueue(tmp_path / "q")

    async def use(thread: QueueThread) -> None:
        held = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold(_: Queue) -> None:
            asyncio.run_coroutine_threadsafe(held.wait(), loop).result(30)

        first = asyncio.ensure_future(thread.do(hold))
        sends = [asyncio.ensure_future(thread.do(lambda q: q.send(b"x"))) for _ in range(50)]
        await asyncio.sleep(0)
        held.set()
        await first
        assert len(set(await asyncio.gather(*sends))) == 50
        assert await thread.do(Queue.counts) == Counts(50, 0, 0)

    with_thread(queue, use)
    assert queue.transactions <= 4


def fill(path: Path) -> Queue:
    """Return a queue whose file may not grow any more."""
    queue = Queue(path, 3, 30)
    queue.send(b"small")
    (pages,) = queue._database.execute("pragma page_count").fetchone()
    queue._database.execute(f"pragma max_page_count = {pages}")
    return queue


def test_on_a_full_disk_a_message_is_refused_whole_and_what_takes_no_room_passes(tmp_path: Path) -> None:
    queue = fill(tmp_path / "q")
    message = queue.receive()
    assert message is not None

    async def use(thread: QueueThread) -> None:
        large = thread.do(lambda q: q.send(b"x" * 100_000))
        results = await asyncio.gather(
            large, thread.do(lambda q: q.acknowledge(message)), return_exceptions=True
        )
        assert str(results[0]) == "database or disk is full"
        assert results[1] is True
        assert await thread.do(Queue.counts) == Counts(0, 0, 0)

    with_thread(queue, use)


def test_a_held_file_refuses_all_that_waits_after_one_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "BUSY_S", 0.05)
    queue = Queue(tmp_path / "q", 3, 30)
    other = sqlite3.connect(tmp_path / "q", isolation_level=None)
    other.execute("begin immediate")

    async def use(thread: QueueThread) -> None:
        results = await asyncio.gather(
            *(thread.do(lambda q: q.send(b"x")) for _ in range(20)), return_exceptions=True
        )
        assert {str(result) for result in results} == {"database is locked"}
        other.execute("rollback")
        await thread.do(lambda q: q.send(b"x"))
        assert await thread.do(Queue.counts) == Counts(1, 0, 0)

    try:
        with_thread(queue, use)
    finally:
        other.close()


def test_whoever_gave_up_waiting_disturbs_nobody(tmp_path: Path) -> None:
    async def use(thread: QueueThread) -> None:
        given_up = asyncio.ensure_future(thread.do(lambda q: q.send(b"x")))
        await asyncio.sleep(0)
        given_up.cancel()
        assert await thread.do(Queue.counts) == Counts(1, 0, 0)

    with_thread(Queue(tmp_path / "q", 3, 30), use)


def test_what_was_asked_for_is_done_before_the_file_is_closed(tmp_path: Path) -> None:
    async def run() -> None:
        thread = QueueThread(Queue(tmp_path / "q", 3, 30))
        sends = [asyncio.ensure_future(thread.do(lambda q: q.send(b"x"))) for _ in range(5)]
        await asyncio.sleep(0)
        await thread.close()
        await asyncio.gather(*sends)

    asyncio.run(run())
    assert Queue(tmp_path / "q", 3, 30).counts() == Counts(5, 0, 0)
