"""A function's processes: started by a request, bounded in number, memory and time, ended when idle."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from lastmile_sls.local.instances import FunctionConfig, Instance, InstanceGone, exit_words, start_instance
from lastmile_sls.local.logs import FunctionLog
from lastmile_sls.local.metrics import FunctionState, is_event

GRACE_S = 10.0
"""What a process has to finish its requests when it is told to end, as on Cloud Run."""
WATCH_S = 1.0
MAX_BACKOFF_S = 30.0


class PoolClosed(Exception):
    """Another pool has taken this one's place."""


class Pool:
    """The instances of one function."""

    def __init__(
        self,
        config: FunctionConfig,
        sockets: Path,
        log: FunctionLog,
        observe: Callable[[str], None],
        watch_s: float = WATCH_S,
    ) -> None:
        """Start nothing yet.

        Args:
            config: What they run.
            sockets: The folder of the instances' sockets.
            log: Keeps what they say.
            observe: Given each line that they say.
            watch_s: How often they are looked after, seconds.
        """
        self.config = config
        self.instances: list[Instance] = []
        self.requests = 0
        self.restarts = 0
        self._sockets = sockets
        self._log = log
        self._observe = observe
        self._watch_s = watch_s
        self._numbers = itertools.count()
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._retry_at = 0.0
        self._reason = ""
        self._closed = False

    async def start(self) -> None:
        """Start the instances that are kept warm, and the watch over all of them."""
        self._spawn_task(self._watch())
        await self._keep_minimum()

    async def acquire(self) -> Instance:
        """Return an instance with a free place, starting one if there is room; wait when there is none.

        Raises InstanceGone with the reason while the function keeps failing to start, PoolClosed after `close`.
        """
        async with self._changed:
            while True:
                if self._closed:
                    raise PoolClosed
                instance = self._with_free_place() or await self._started()
                if instance:
                    instance.in_flight += 1
                    self.requests += 1
                    return instance
                await self._changed.wait()

    async def release(self, instance: Instance, *, answered: bool) -> None:
        """Give an instance's place back."""
        async with self._changed:
            instance.in_flight -= 1
            instance.idle_since = time.monotonic()
            if answered:
                instance.served += 1
                self._failures = 0
            self._changed.notify_all()

    def state(self) -> FunctionState:
        """Return what runs now."""
        return FunctionState(
            instances=Counter(instance.state for instance in self.instances),
            in_flight=sum(instance.in_flight for instance in self.instances),
            memory_bytes=sum(instance.memory_mb() for instance in self.instances) * 2**20,
            restarts=self.restarts,
        )

    async def set_aside(self, instance: Instance) -> None:
        """Send an instance that does not accept connections no more requests."""
        async with self._changed:
            instance.state = "ending"
            self._changed.notify_all()
        self._spawn_task(self._kill_after_grace(instance))

    async def retire(self, instance: Instance) -> None:
        """Send an instance no more requests; it ends when what it has accepted is answered, or after the grace."""
        async with self._changed:
            instance.end()
            self._changed.notify_all()
        self._spawn_task(self._kill_after_grace(instance))

    async def close(self) -> None:
        """End every instance once its requests are answered; those that wait for a place get PoolClosed."""
        async with self._changed:
            self._closed = True
            for instance in self.instances:
                instance.state = "ending"
            self._changed.notify_all()
            # A request that the process has not accepted yet would be lost if it were told to end before.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait_for(self._is_drained), self.config.timeout_s)
        for instance in self.instances:
            instance.end()
        ends = [asyncio.ensure_future(instance.ended.wait()) for instance in self.instances]
        if ends:
            _, late = await asyncio.wait(ends, timeout=GRACE_S)
            for instance in list(self.instances):
                instance.kill("it did not end in time")
            if late:
                await asyncio.wait(late)
        for task in self._tasks:
            task.cancel()
        self._log.close()

    def _is_drained(self) -> bool:
        return all(instance.in_flight == 0 for instance in self.instances)

    def _running(self) -> int:
        return sum(instance.state == "running" for instance in self.instances)

    def _with_free_place(self) -> Instance | None:
        """Return the fullest instance that has a place, so that the others can become idle."""
        ready = [i for i in self.instances if i.state == "running" and i.in_flight < self.config.concurrency]
        return max(ready, key=lambda instance: instance.in_flight, default=None)

    async def _started(self) -> Instance | None:
        if self._running() >= self.config.max_instances:
            return None
        if time.monotonic() < self._retry_at:
            raise InstanceGone(f"the function does not start: {self._reason}")
        return await self._start_instance()

    async def _start_instance(self) -> Instance:
        # The name is short and our own: a socket's path may have about 100 bytes.
        path = self._sockets / f"{id(self):x}-{next(self._numbers)}.sock"
        instance = await start_instance(self.config, path)
        self.instances.append(instance)
        self._spawn_task(self._attend(instance))
        return instance

    async def _attend(self, instance: Instance) -> None:
        """Keep what an instance says, and notice its end."""
        reading = asyncio.ensure_future(self._keep_output(instance))
        code = await instance.process.wait()
        # A process of its own that it left behind may hold the pipe open.
        await asyncio.wait([reading], timeout=1.0)
        reading.cancel()
        instance.path.unlink(missing_ok=True)
        async with self._changed:
            instance.state = "ending"
            self.instances.remove(instance)
            if instance.killed_for or not instance.asked_to_end:
                self._note_failure(instance, code)
            self._changed.notify_all()
        instance.ended.set()
        if not self._closed:
            await self._keep_minimum()

    async def _keep_output(self, instance: Instance) -> None:
        assert instance.process.stdout is not None
        while line := await _read_line(instance.process.stdout):
            if not is_event(line):
                instance.last_line = line
            self._log.write(instance.pid, line)
            self._observe(line)

    def _note_failure(self, instance: Instance, code: int) -> None:
        how = f"killed: {instance.killed_for}" if instance.killed_for else exit_words(code)
        self._log.write(
            instance.pid, json.dumps({"level": "error", "event": "instance ended", "reason": how})
        )
        self.restarts += 1
        if instance.served == 0 and not instance.killed_for:
            self._failures += 1
            self._reason = instance.last_line or f"its process {how}."
            self._retry_at = time.monotonic() + backoff_s(self._failures)

    async def _keep_minimum(self) -> None:
        async with self._changed:
            while not self._closed and self._running() < self.config.min_instances:
                if time.monotonic() < self._retry_at:
                    return
                await self._start_instance()

    async def _watch(self) -> None:
        """Time and again: end what is idle, kill what has outgrown its memory."""
        while True:
            await asyncio.sleep(self._watch_s)
            for instance in list(self.instances):
                used = instance.memory_mb()
                if used > self.config.memory_mb and not instance.killed_for:
                    instance.kill(
                        f"it used {used:.0f} MB, but resources.memory_mb is {self.config.memory_mb}"
                    )
            for instance in list(self.instances):
                if self._is_idle(instance) and self._running() > self.config.min_instances:
                    await self.retire(instance)
            await self._keep_minimum()

    def _is_idle(self, instance: Instance) -> bool:
        rest_s = time.monotonic() - instance.idle_since
        return instance.state == "running" and instance.in_flight == 0 and rest_s > self.config.idle_timeout_s

    async def _kill_after_grace(self, instance: Instance) -> None:
        await asyncio.sleep(GRACE_S)
        if instance in self.instances:
            instance.kill("it did not end in time")

    def _spawn_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


FindPool = Callable[[], Pool | None]
"""Gives the pool that is in service now; None when its function is gone."""


def backoff_s(failures: int) -> float:
    """Return how long a function that failed to start so often in a row is left alone: 0, 0.5, 1, 2 ... 30 s."""
    if failures <= 1:
        return 0.0
    return min(MAX_BACKOFF_S, 0.5 * 2.0 ** min(failures - 2, 16))


async def _read_line(stream: asyncio.StreamReader) -> str:
    """Return the next line without its end, never empty before the end of the stream; an endless one is cut."""
    while True:
        try:
            raw = await stream.readline()
        except ValueError:  # longer than the reader's limit; what was read is gone
            return "[a line of more than 64 KiB]"
        if not raw:
            return ""
        if line := raw.decode(errors="replace").rstrip():
            return line
