"""Uses a queue from an event loop: in a thread of its own, and with one wait for the disk for all that comes together."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from lastmile_sls.local.queue import Queue

_Result = TypeVar("_Result")
_MOST_TOGETHER = 256


class _Operation:
    """Something to do with the queue, and the future that waits for what comes of it."""

    __slots__ = ("future", "work")

    def __init__(self, work: Callable[[Queue], Any], future: asyncio.Future[Any]) -> None:
        self.work = work
        self.future = future


class QueueThread:
    """Does operations in the order in which they are asked for.

    A commit waits about 2 ms for the disk (ext4 on a virtual disk, 2 vCPU); while it does, what else is asked for
    gathers, and shares the next one.
    """

    def __init__(self, messages: Queue) -> None:
        """Own the queue from now on."""
        self._queue = messages
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.SimpleQueue[_Operation | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[Queue], _Result]) -> _Result:
        """Return what `work` returns, once it is on disk. Raises sqlite3.Error when it is not, with nothing done."""
        if self._closed:
            raise sqlite3.ProgrammingError("the queue was closed")
        future: asyncio.Future[_Result] = self._loop.create_future()
        self._waiting.put(_Operation(work, future))
        return await future

    async def close(self) -> None:
        """Do what was asked for, then close the queue."""
        self._closed = True
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        going_on = True
        while going_on:
            together = self._take()
            going_on = together[-1] is not None
            operations = [operation for operation in together if operation]
            for results in self._do(operations):
                self._loop.call_soon_threadsafe(_settle, *results)
        self._queue.close()

    def _take(self) -> list[_Operation | None]:
        """Return what waits, at least one; None is the last there will be."""
        together = [self._waiting.get()]
        while together[-1] is not None and len(together) < _MOST_TOGETHER:
            try:
                together.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return together

    def _do(self, operations: list[_Operation]) -> list[tuple[_Operation, Any, Exception | None]]:
        """Do all at once; if that fails, each by itself, because what takes no room may pass on a full disk."""
        try:
            return self._do_together(operations)
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            if len(operations) == 1 or _is_busy(error):
                return [(operation, None, error) for operation in operations]
        return [result for operation in operations for result in self._do([operation])]

    def _do_together(self, operations: list[_Operation]) -> list[tuple[_Operation, Any, Exception | None]]:
        if not operations:
            return []
        with self._queue.transaction():
            return [(operation, operation.work(self._queue), None) for operation in operations]


def _is_busy(error: Exception) -> bool:
    """Tell whether another process holds the file, which each further operation would wait for as well."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


def _settle(operation: _Operation, result: Any, error: Exception | None) -> None:
    if operation.future.done():
        return  # whoever asked was cancelled meanwhile
    if error:
        operation.future.set_exception(error)
    else:
        operation.future.set_result(result)
