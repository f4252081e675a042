"""A queue of this machine, seen from outside: what it holds, what it set aside, and delivering that once more."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lastmile_sls.errors import LastmileError
from lastmile_sls.local import records
from lastmile_sls.local.home import Place, check_name
from lastmile_sls.local.queue import Queue
from lastmile_sls.local.redrive import redrive
from lastmile_sls.local.resources.queue import open_queue, queue_file
from lastmile_sls.queue_view import PeekedMessage, QueueStatus, peeked


@dataclass(frozen=True)
class LocalQueueView:
    """A deployment's queue in the embedded cloud; it is read whether its host runs or not."""

    place: Place
    name: str

    def status(self) -> QueueStatus:
        """Return what it holds. Raises LastmileError."""
        with self._opened() as queue:
            counts, oldest_s = queue.counts(), queue.oldest_s()
        idle = counts.waiting + counts.leased == 0
        return QueueStatus(
            self.name, counts.waiting, counts.leased, counts.dead, None if idle else round(oldest_s, 1)
        )

    def peek(self, count: int, *, waiting: bool = False) -> list[PeekedMessage]:
        """Return up to `count` messages that were set aside, or that were not, oldest first. Raises LastmileError."""
        with self._opened() as queue:
            found = queue.look(count, dead=not waiting)
        return [
            peeked(
                message.id,
                message.body,
                attempts=message.attempts,
                age_s=round(message.age_s, 1),
                reason=message.reason,
            )
            for message in found
        ]

    def redrive(self, told: Callable[[int], None]) -> int:
        """Have what was set aside delivered once more; return how many messages. Raises LastmileError without a host."""
        count = redrive(self.place, self.name)
        told(count)
        return count

    @contextmanager
    def _opened(self) -> Iterator[Queue]:
        check_name("queue", self.name)
        record = records.get(self.place, "queue", self.name)
        if record is None or not queue_file(self.place, self.name).exists():
            names = ", ".join(found.name for found in records.all_of(self.place, "queue")) or "none"
            raise LastmileError(
                f"{self.place.deployment} has no queue {self.name!r}; its queues are {names}.",
                "queue in the spec makes one.",
            )
        queue = open_queue(self.place, record)
        try:
            yield queue
        except sqlite3.Error as error:
            raise LastmileError(f"the queue {self.name} cannot be read: {error}.", "Try again.") from error
        finally:
            queue.close()
