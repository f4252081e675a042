"""Delivers a queue's messages to the function that works on it, as a cloud's event source does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from lastmile_runtime.adapters.deliveries import PATH
from lastmile_sls.local.exchange import Answer, NotConnected
from lastmile_sls.local.functions import FindPool, PoolClosed
from lastmile_sls.local.gateway import Busy, Refused, ask_function
from lastmile_sls.local.queue import Counts, DeadMessage, Message, Queue
from lastmile_sls.local.queue_thread import QueueThread

_LOG = logging.getLogger("lastmile.host")
_LONGEST_REST_S = 1.0
"""How long a message that another process made visible may wait; what this one knows of is delivered at once."""
_LONGEST_DELAY_S = 60.0
_BUSY_REST_S = 0.2
_STOP_S = 10.0
_TOLD_TOGETHER = 100
_TELL_AGAIN_S = 5.0

Tell = Callable[[DeadMessage], None]
"""Lets whoever waits for a message know that it was set aside; called in a thread, more than once after a crash."""


@dataclass(frozen=True)
class DeliveriesConfig:
    """How a queue's messages are delivered."""

    queue: str
    function: str
    max_attempts: int
    lease_s: float
    """Longer than a delivery can take; what a killed host had leased is handed out when the next one starts."""
    retention_s: float | None
    at_once: int
    """Deliveries under way."""
    jobs_url: str | None
    """Where the answers of jobs are kept."""


class Deliveries:
    """One queue's messages on their way to its function."""

    def __init__(self, config: DeliveriesConfig, messages: Queue, find_pool: FindPool, tell: Tell) -> None:
        """Own the queue from now on."""
        self.config = config
        self._thread = QueueThread(messages)
        self._find_pool = find_pool
        self._tell = tell
        self._tell_at = 0.0
        self._woken = asyncio.Event()
        self._stopping = False
        self._under_way: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to deliver."""
        self._loop = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """Stop delivering; messages are still taken. What does not end in time is left to its lease."""
        self._stopping = True
        self._woken.set()
        if self._loop:
            await self._loop
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_STOP_S)
        late = list(self._under_way)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def close(self) -> None:
        """Close the queue; it is stopped already."""
        await self._thread.close()

    async def send(self, body: bytes) -> str:
        """Add a message, on disk when this returns, and return its id. Raises sqlite3.Error when it is not."""
        id_ = await self._thread.do(lambda queue: queue.send(body))
        self._woken.set()
        return id_

    async def redrive(self) -> int:
        """Deliver what was set aside once more; return how many messages that are."""
        count = await self._thread.do(Queue.redrive)
        self._woken.set()
        return count

    async def measure(self) -> tuple[Counts, float]:
        """Return how many messages are in which state, and the age of the oldest that is not set aside, seconds."""
        return await self._thread.do(lambda queue: (queue.counts(), queue.oldest_s()))

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                rest_s = await self._begin_more()
                await self._tell_of_the_dead()
            except Exception:  # noqa: BLE001 - told in the host's log, and the host goes on
                _LOG.exception("the queue %s could not be read", self.config.queue)
                rest_s = _LONGEST_REST_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest_s):
                    await self._woken.wait()

    async def _begin_more(self) -> float:
        """Begin as many deliveries as there is room for; return for how long to rest unless woken, seconds."""
        free = self.config.at_once - len(self._under_way)
        if free <= 0:
            return _LONGEST_REST_S  # the end of a delivery wakes
        messages, wait_s = await self._thread.do(lambda queue: (queue.receive_many(free), queue.wait_s()))
        for message in messages:
            if self._stopping:
                await self._thread.do(lambda queue, unseen=message: queue.give_back(unseen, tried=False))  # type: ignore[misc]
                continue
            task = asyncio.ensure_future(self._deliver(message))
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        return _LONGEST_REST_S if wait_s is None else min(wait_s, _LONGEST_REST_S)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._woken.set()

    async def _deliver(self, message: Message) -> None:
        settle = await self._try(message)
        try:
            settled = await self._thread.do(settle)
        except sqlite3.Error as error:
            _LOG.warning("message %s of %s is left to its lease: %s", message.id, self.config.queue, error)
            return
        if not settled:
            _LOG.warning("message %s of %s was settled after its lease", message.id, self.config.queue)

    async def _try(self, message: Message) -> Callable[[Queue], bool]:
        """Have the function work on a message; return what to do with it then."""
        rest_s, tried = delay_s(message.attempts), True
        try:
            answer = await self._ask(message)
            if answer.status < 300:
                return lambda queue: queue.acknowledge(message)
            reason = _reason(answer)
        except Busy as busy:
            rest_s, tried, reason = _BUSY_REST_S, False, busy.detail
        except Refused as refused:
            reason = refused.detail
        except Exception:  # noqa: BLE001 - told in the host's log, and the message is delivered again
            _LOG.exception("message %s of %s could not be delivered", message.id, self.config.queue)
            reason = "the host could not deliver it; its log says why."
        return lambda queue: queue.give_back(message, delay_s=rest_s, reason=reason, tried=tried)

    async def _ask(self, message: Message) -> Answer:
        """Return the function's answer. Raises Refused when there is none, Busy when it was not asked."""
        last = message.attempts >= self.config.max_attempts
        headers = [
            (b"x-lastmile-attempt", b"%d" % message.attempts),
            (b"x-lastmile-last", b"1" if last else b"0"),
            (b"x-lastmile-sent-at", b"%.3f" % message.sent_at),
        ]
        while True:
            pool = self._find_pool()
            if pool is None:
                raise Busy(503, f"the function {self.config.function} is not deployed.")
            try:
                return await ask_function(pool, "POST", PATH.encode(), headers, message.body)
            except (PoolClosed, NotConnected):
                continue  # nothing was sent yet: another process can have the message

    async def _tell_of_the_dead(self) -> None:
        """Let those who wait for messages that were set aside know; one that fails is tried again after a while."""
        now = asyncio.get_running_loop().time()
        if now < self._tell_at:
            return
        for message in await self._thread.do(lambda queue: queue.untold(_TOLD_TOGETHER)):
            try:
                await asyncio.to_thread(self._tell, message)
            except Exception:  # noqa: BLE001 - told in the host's log, and the host goes on
                _LOG.exception("the answer of message %s could not be kept", message.id)
                self._tell_at = now + _TELL_AGAIN_S
                return
            await self._thread.do(lambda queue, told=message: queue.told(told))  # type: ignore[misc]


def _reason(answer: Answer) -> str:
    try:
        return str(json.loads(answer.body)["error"])
    except (ValueError, KeyError, TypeError):
        return f"the function answered {answer.status}."


def delay_s(attempts: int) -> float:
    """Return how long a message rests after so many attempts: 0, 1, 2, 4 ... 60 s."""
    return 0.0 if attempts <= 1 else min(_LONGEST_DELAY_S, 2.0 ** min(attempts - 2, 10))


def at_once(places: int) -> int:
    """Return how many of a function's places deliveries may take: three quarters, so that requests find one."""
    return max(1, places * 3 // 4)
