"""A deployment's storage queue on Azure, seen from outside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from lastmile_sls.control.azure.client import Azure
from lastmile_sls.control.clock import utc_now
from lastmile_sls.plan.work import QUEUE
from lastmile_sls.queue_view import PeekedMessage, QueueStatus, peeked

_MOST = 32
"""Of messages in one call (learn.microsoft.com/rest/api/storageservices/peek-messages, numofmessages)."""
_HELD_S = 60
_FOR_EVER = -1
"""Of a message's time to live (learn.microsoft.com/rest/api/storageservices/put-message, messagettl)."""


class StorageQueueView:
    """A queue, and the one beside it where the functions' host sets messages aside."""

    def __init__(
        self, azure: Azure, jobs: str, dead_letters: str, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._azure = azure
        self._jobs = azure.queue(jobs)
        self._dead = azure.queue(dead_letters)
        self._now = now

    def status(self) -> QueueStatus:
        """Return what it holds; a storage queue counts what is worked on with what waits."""
        with self._azure.asking("the queue"):
            waiting = self._jobs.get_queue_properties().approximate_message_count
            first = self._jobs.peek_messages(max_messages=1)
        with self._azure.asking("the dead letters"):
            dead = self._dead.get_queue_properties().approximate_message_count
        return QueueStatus(QUEUE, waiting, None, dead, self._age_s(first[0]) if first else None)

    def peek(self, count: int, *, waiting: bool = False) -> list[PeekedMessage]:
        """Return up to 32 messages that were set aside, or that wait: Azure shows no more, and counts no look."""
        queue, what = (self._jobs, "the queue") if waiting else (self._dead, "the dead letters")
        with self._azure.asking(what):
            found = queue.peek_messages(max_messages=min(count, _MOST)) if count else []
        return [self._peeked(message, waiting=waiting) for message in found]

    def redrive(self, told: Callable[[int], None]) -> int:
        """Send each message that was set aside, then delete it: killed in between, it is there twice, and never lost."""
        began, moved = self._now() + timedelta(seconds=1), 0
        while batch := self._receive():
            for message in batch:
                if message.inserted_on > began:  # it was delivered again and came back: left for another run
                    self._give_back(message)
                    return moved
                with self._azure.asking("the queue"):
                    self._jobs.send_message(message.content, time_to_live=_FOR_EVER)
                with self._azure.asking("the dead letters"):
                    self._dead.delete_message(message)
                moved += 1
            told(moved)
        return moved

    def _receive(self) -> list[Any]:
        with self._azure.asking("the dead letters"):
            pages = self._dead.receive_messages(
                messages_per_page=_MOST, max_messages=_MOST, visibility_timeout=_HELD_S
            )
            return list(pages)

    def _give_back(self, message: Any) -> None:
        with self._azure.asking("the dead letters"):
            self._dead.update_message(message, visibility_timeout=0)

    def _peeked(self, message: Any, *, waiting: bool) -> PeekedMessage:
        """Return a message; one that was set aside is another than it was, so that its attempts are not known."""
        attempts = message.dequeue_count if waiting else None
        return peeked(message.id, message.content, attempts=attempts, age_s=self._age_s(message))

    def _age_s(self, message: Any) -> float:
        age: timedelta = self._now() - message.inserted_on
        return max(0.0, round(age.total_seconds(), 1))
