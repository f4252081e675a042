"""Delivers a queue's messages to the function that works on it, as a cloud's event source does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from lastmile_runtime.adapters.deliveries import PATH
from lastmile_sls.local.exchange import NotConnected
from lastmile_sls.local.functions import FindPool, PoolClosed
from lastmile_sls.local.gateway import Refused, ask_function
from lastmile_sls.local.queue import Message, Queue

_LOG = logging.getLogger("lastmile.host")
_POLL_S = 1.0
"""How long a message that has become visible by time may wait; one that is sent is delivered at once."""
_LONGEST_DELAY_S = 60.0
_NEVER = (400, 422)


class Deliveries:
    """One queue's messages on their way to its function."""

    def __init__(self, queue: Queue, name: str, find_pool: FindPool, at_once: int, max_attempts: int) -> None:
        self.queue = queue
        self.name = name
        self._find_pool = find_pool
        self._places = asyncio.Semaphore(at_once)
        self._max_attempts = max_attempts
        self._sent = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to deliver."""
        self._loop = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """Stop delivering; what is under way is given back by its lease, should it not end in time."""
        if self._loop:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)
        for task in list(self._tasks):
            task.cancel()
        self.queue.close()

    def send(self, body: bytes) -> str:
        """Add a message, on disk when this returns, and return its id."""
        id_ = self.queue.send(body)
        self._sent.set()
        return id_

    async def _run(self) -> None:
        while True:
            await self._places.acquire()
            message = self._receive()
            if message is not None:
                task = asyncio.ensure_future(self._deliver(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                continue
            self._places.release()
            self._sent.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._sent.wait(), _POLL_S)

    def _receive(self) -> Message | None:
        try:
            return self.queue.receive()
        except Exception:  # noqa: BLE001 - told in the host's log, and the host goes on
            _LOG.exception("the queue %s could not be read", self.name)
            return None

    async def _deliver(self, message: Message) -> None:
        try:
            status = await self._ask(message)
            settle: Callable[[], bool]
            if status < 300 or status in _NEVER:
                settle = lambda: self.queue.acknowledge(message)  # noqa: E731
            else:
                settle = lambda: self.queue.give_back(message, delay_s=delay_s(message.attempts))  # noqa: E731
            if not settle():
                _LOG.warning("message %s of %s was settled after its lease", message.id, self.name)
        except Exception:  # noqa: BLE001 - told in the host's log, and the host goes on
            _LOG.exception(
                "message %s of %s could not be settled; its lease ends by itself", message.id, self.name
            )
        finally:
            self._places.release()

    async def _ask(self, message: Message) -> int:
        """Return the function's status; 503 when it gave no answer."""
        last = message.attempts >= self._max_attempts
        headers = [
            (b"x-lastmile-attempt", b"%d" % message.attempts),
            (b"x-lastmile-last", b"1" if last else b"0"),
        ]
        pool = self._find_pool()
        if pool is None:
            return 503
        try:
            answer = await ask_function(pool, "POST", PATH.encode(), headers, message.body)
        except (PoolClosed, NotConnected, Refused):
            return 503
        return answer.status


def delay_s(attempts: int) -> float:
    """Return how long a message rests after so many attempts: 0, 1, 2, 4 ... 60 s."""
    return 0.0 if attempts <= 1 else min(_LONGEST_DELAY_S, 2.0 ** min(attempts - 2, 10))
