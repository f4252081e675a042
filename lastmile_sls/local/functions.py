"""A function's processes: started by a request, bounded in number, memory and time, ended when idle."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from lastmile_sls.local.logs import FunctionLog

GRACE_S = 10.0
"""What a process has to finish its requests when it is told to end, as on Cloud Run."""
WATCH_S = 1.0
MAX_BACKOFF_S = 30.0
_BACKLOG = 1024
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from lastmile_runtime.adapters.local import main; main()"
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "OPENBLAS_CORETYPE")

InstanceState = Literal["running", "ending"]


class InstanceGone(Exception):
    """The process ended before it answered."""


class Overloaded(Exception):
    """Every instance is busy, and no more may be started."""


@dataclass(frozen=True)
class FunctionConfig:
    """What a function runs, and the room it gets."""

    name: str
    bundle: Path
    bundle_digest: str
    memory_mb: int
    timeout_s: float
    idle_timeout_s: float
    concurrency: int
    min_instances: int
    max_instances: int
    environment: Mapping[str, str]
    routing: str
    """The routing document, as JSON."""


class Instance:
    """One process, and the socket on which it listens."""

    def __init__(self, path: Path, process: asyncio.subprocess.Process) -> None:
        self.path = path
        self.process = process
        self.in_flight = 0
        self.served = 0
        self.idle_since = time.monotonic()
        self.state: InstanceState = "running"
        self.last_line = ""
        self.killed_for = ""
        """Why we killed it; empty when we did not."""

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    def memory_mb(self) -> float:
        """Return its resident memory, in MB; 0 when it is gone."""
        try:
            return float(psutil.Process(self.pid).memory_info().rss) / 2**20
        except psutil.Error:
            return 0.0

    def end(self) -> None:
        """Tell it to finish what is in flight and exit."""
        self.state = "ending"
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()

    def kill(self, reason: str) -> None:
        """End it at once."""
        self.killed_for = reason
        self.state = "ending"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


class Pool:
    """The instances of one function."""

    def __init__(self, config: FunctionConfig, sockets: Path, log: FunctionLog) -> None:
        self.config = config
        self.instances: list[Instance] = []
        self.requests = 0
        self.restarts = 0
        self._sockets = sockets
        self._log = log
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

        Raises InstanceGone with the reason when the function keeps failing to start.
        """
        async with self._changed:
            while True:
                ready = [
                    i for i in self.instances if i.state == "running" and i.in_flight < self.config.concurrency
                ]
                if ready:
                    instance = max(ready, key=lambda i: i.in_flight)
                elif self._running() < self.config.max_instances:
                    if time.monotonic() < self._retry_at:
                        raise InstanceGone(f"the function does not start: {self._reason}")
                    instance = await self._start_instance()
                else:
                    await self._changed.wait()
                    continue
                instance.in_flight += 1
                self.requests += 1
                return instance

    async def release(self, instance: Instance, *, answered: bool) -> None:
        """Give an instance's place back."""
        async with self._changed:
            instance.in_flight -= 1
            instance.idle_since = time.monotonic()
            if answered:
                instance.served += 1
                self._failures = 0
            self._changed.notify_all()

    async def retire(self, instance: Instance) -> None:
        """Send an instance no more requests; it ends when its others are answered, or after the grace."""
        instance.end()
        self._spawn_task(self._kill_after_grace(instance))
        async with self._changed:
            self._changed.notify_all()

    async def close(self) -> None:
        """End every instance: requests in flight are answered first."""
        self._closed = True
        for instance in self.instances:
            instance.end()
        waits = [asyncio.ensure_future(instance.process.wait()) for instance in self.instances]
        if waits:
            await asyncio.wait(waits, timeout=GRACE_S)
        for instance in self.instances:
            instance.kill("it did not end in time")
        for task in self._tasks:
            task.cancel()

    def _running(self) -> int:
        return sum(instance.state == "running" for instance in self.instances)

    async def _start_instance(self) -> Instance:
        path = self._sockets / f"{self.config.name}-{id(self):x}-{next(self._numbers)}.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(_BACKLOG)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-c", _BOOT, str(self.config.bundle)),
                cwd=self.config.bundle,
                env=self._environment(listener.fileno()),
                pass_fds=[listener.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        instance = Instance(path, process)
        self.instances.append(instance)
        self._spawn_task(self._attend(instance))
        return instance

    def _environment(self, descriptor: int) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        return {
            **inherited,
            **self.config.environment,
            "LASTMILE_BUNDLE": str(self.config.bundle),
            "LASTMILE_MANIFEST_DIGEST": self.config.bundle_digest,
            "LASTMILE_ROUTING": self.config.routing,
            "LASTMILE_SOCKET_FD": str(descriptor),
            "LASTMILE_CONCURRENCY": str(self.config.concurrency),
            "LASTMILE_FUNCTION": self.config.name,
        }

    async def _attend(self, instance: Instance) -> None:
        """Keep what an instance says, and notice its end."""
        assert instance.process.stdout is not None
        while line := await _read_line(instance.process.stdout):
            instance.last_line = line
            self._log.write(instance.pid, line)
        code = await instance.process.wait()
        instance.path.unlink(missing_ok=True)
        asked_for = instance.state == "ending" and not instance.killed_for
        async with self._changed:
            instance.state = "ending"
            self.instances.remove(instance)
            if not asked_for:
                self._note_failure(instance, code)
            self._changed.notify_all()
        if not self._closed:
            await self._keep_minimum()

    def _note_failure(self, instance: Instance, code: int) -> None:
        how = f"killed: {instance.killed_for}" if instance.killed_for else _exit_words(code)
        self._log.write(instance.pid, f'{{"level": "error", "event": "instance ended", "reason": "{how}"}}')
        self.restarts += 1
        if instance.served == 0 and not instance.killed_for:
            self._failures += 1
            self._reason = instance.last_line or how
            if self._failures > 1:
                delay = min(MAX_BACKOFF_S, 0.5 * 2 ** (self._failures - 2))
                self._retry_at = time.monotonic() + delay

    async def _keep_minimum(self) -> None:
        async with self._changed:
            while not self._closed and self._running() < self.config.min_instances:
                if time.monotonic() < self._retry_at:
                    return
                await self._start_instance()

    async def _watch(self) -> None:
        """Once a second: end what is idle, kill what has outgrown its memory."""
        while True:
            await asyncio.sleep(WATCH_S)
            for instance in list(self.instances):
                used = instance.memory_mb()
                if used > self.config.memory_mb and not instance.killed_for:
                    instance.kill(f"it used {used:.0f} MB, but resources.memory_mb is {self.config.memory_mb}")
            now = time.monotonic()
            for instance in list(self.instances):
                idle = instance.in_flight == 0 and now - instance.idle_since > self.config.idle_timeout_s
                if idle and instance.state == "running" and self._running() > self.config.min_instances:
                    await self.retire(instance)
            await self._keep_minimum()

    async def _kill_after_grace(self, instance: Instance) -> None:
        await asyncio.sleep(GRACE_S)
        if instance in self.instances:
            instance.kill("it did not end in time")

    def _spawn_task(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


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


def _exit_words(code: int) -> str:
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"exited with code {code}"
