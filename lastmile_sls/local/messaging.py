"""The queues of a deployment in service: what sends to them, what they deliver to, and what is set aside.

Functions ask each other through the same socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lastmile_runtime.jobs import Jobs
from lastmile_runtime.queues.local import LocalQueue
from lastmile_runtime.stores import open_store
from lastmile_sls.errors import LastmileError
from lastmile_sls.local import records
from lastmile_sls.local.calls import FindCalled
from lastmile_sls.local.deliveries import Deliveries, DeliveriesConfig, at_once
from lastmile_sls.local.functions import Pool
from lastmile_sls.local.home import Place
from lastmile_sls.local.instances import FunctionConfig
from lastmile_sls.local.job_files import forget_old
from lastmile_sls.local.queue import Counts, DeadMessage, Queue
from lastmile_sls.local.queue_api import QueueApi
from lastmile_sls.local.records import Record
from lastmile_sls.local.resources.queue import queue_file

_LOG = logging.getLogger("lastmile.host")
_SWEEP_S = 600.0
_LEASE_MARGIN_S = 5.0


class Messaging:
    """Serves each queue that a function works on."""

    def __init__(
        self,
        place: Place,
        socket: Path,
        find_pool: Callable[[str], Pool | None],
        find_called: FindCalled,
    ) -> None:
        self._place = place
        self._socket = socket
        self._find_pool = find_pool
        self._deliveries: dict[str, Deliveries] = {}
        self._api = QueueApi(socket, self._deliveries, find_called)
        self._begun: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen to functions that send."""
        await self._api.start()
        self._spawn(self._sweep())

    async def serve(self, functions: Iterable[FunctionConfig]) -> None:
        """Take up what the records say. Raises LastmileError when a queue's file cannot be used."""
        found = {record.name: record for record in records.all_of(self._place, "queue")}
        wanted = [
            _config(found[function.queue], function) for function in functions if function.queue in found
        ]
        for name in self._deliveries.keys() - {config.queue for config in wanted}:
            self._spawn(_end(self._deliveries.pop(name)))
        for config in wanted:
            current = self._deliveries.get(config.queue)
            if current and current.config == config:
                continue
            self._deliveries[config.queue] = self._begin(config)
            if current:  # what it has under way, it ends
                self._spawn(_end(current))

    async def stop(self) -> None:
        """Stop delivering; functions may still send."""
        await asyncio.gather(*(deliveries.stop() for deliveries in self._deliveries.values()))

    async def close(self) -> None:
        """Stop listening to functions, and close the queues."""
        await self._api.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(deliveries.close() for deliveries in self._deliveries.values()))

    async def redrive(self, name: str) -> int:
        """Deliver a queue's messages that were set aside once more; return how many. Raises LastmileError."""
        deliveries = self._find(name)
        try:
            return await deliveries.redrive()
        except sqlite3.Error as error:
            raise LastmileError(f"the queue {name} cannot be written: {error}.", "Try again.") from error

    async def send(self, name: str, message: bytes) -> None:
        """Send a queue a message, on disk when this returns. Raises LastmileError."""
        deliveries = self._find(name)
        try:
            await deliveries.send(message)
        except sqlite3.Error as error:
            raise LastmileError(f"the queue {name} cannot be written: {error}.", "Try again.") from error

    async def measure(self) -> dict[str, tuple[Counts, float]]:
        """Return the counts, and the age of the oldest message that is not set aside (seconds), of each readable queue."""
        found = {}
        for name, deliveries in sorted(self._deliveries.items()):
            with contextlib.suppress(sqlite3.Error):
                found[name] = await deliveries.measure()
        return found

    def _find(self, name: str) -> Deliveries:
        deliveries = self._deliveries.get(name)
        if deliveries is None:
            names = ", ".join(sorted(self._deliveries)) or "none"
            raise LastmileError(
                f"{self._place.deployment} has no queue {name!r} in service; its queues are {names}.",
                "lastmile status shows them.",
            )
        return deliveries

    def _begin(self, config: DeliveriesConfig) -> Deliveries:
        queue = Queue(
            queue_file(self._place, config.queue), config.max_attempts, config.lease_s, config.retention_s
        )
        if config.queue not in self._begun:
            # Functions end with their host, so nobody holds a lease that was given by an earlier one.
            self._begun.add(config.queue)
            queue.end_leases()
        find_pool = partial(self._find_pool, config.function)
        deliveries = Deliveries(config, queue, find_pool, partial(_tell, config, self._socket))
        deliveries.start()
        return deliveries

    async def _sweep(self) -> None:
        """Time and again, forget the jobs that are older than their queue keeps messages."""
        while True:
            for config in [deliveries.config for deliveries in self._deliveries.values()]:
                if config.retention_s is None or config.jobs_url is None:
                    continue
                before = time.time() - config.retention_s
                folder = Path(unquote(urlsplit(config.jobs_url).path))
                try:
                    await asyncio.to_thread(forget_old, folder, before)
                except OSError as error:
                    _LOG.warning("old jobs of %s could not be deleted: %s", config.queue, error)
            await asyncio.sleep(_SWEEP_S)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _end(deliveries: Deliveries) -> None:
    await deliveries.stop()
    await deliveries.close()


def _config(record: Record, function: FunctionConfig) -> DeliveriesConfig:
    inputs = record.inputs
    return DeliveriesConfig(
        queue=record.name,
        function=function.name,
        max_attempts=int(inputs["maxAttempts"]),
        # A delivery waits for a place for as long as it may take, and then takes as long as it may.
        lease_s=max(float(inputs["visibilityTimeoutS"]), 2 * function.timeout_s + _LEASE_MARGIN_S),
        retention_s=inputs.get("retentionS"),
        at_once=at_once(function.max_instances * function.concurrency),
        jobs_url=function.jobs_url,
    )


def _tell(config: DeliveriesConfig, socket: Path, message: DeadMessage) -> None:
    """Answer a job that was set aside with the reason. Raises StoreError."""
    try:
        document = json.loads(message.body)
        id_ = document["id"] if document["kind"] == "job" else None
    except (ValueError, KeyError, TypeError):
        id_ = None
    if id_ is None or config.jobs_url is None:
        return  # nobody waits for a shadow's prediction, or for what is no message of ours
    jobs = Jobs(open_store(config.jobs_url), LocalQueue(str(socket), config.queue))
    detail = f"the job was given up after {message.attempts} attempts; the last one: {message.reason}"
    jobs.fail(str(id_), detail, message.attempts)
