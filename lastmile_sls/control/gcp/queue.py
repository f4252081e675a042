"""A deployment's queue on Pub/Sub, seen from outside."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from lastmile_sls.control.gcp.client import Google
from lastmile_sls.control.gcp.metrics import newest
from lastmile_sls.control.times import read
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.work import QUEUE
from lastmile_sls.queue_view import PeekedMessage, QueueStatus, peeked

_BATCH = 100
_HELD_S = 60
_EMPTY = 3
"""An answer without messages does not say that there are none (the discovery document of pubsub v1, Pull)."""
_PAUSE_S = 0.5
_OF_DEAD_LETTERS = "CloudPubSubDeadLetterSource"
"""How the attributes begin that Pub/Sub adds when it sets a message aside
(cloud.google.com/pubsub/docs/handling-failures, "Track delivery attempts", read 2026-11-29)."""


class PubSubView:
    """A topic, the subscription that pushes its messages to the function, and that of its dead letters."""

    def __init__(self, google: Google, topic: str, subscription: str, dead_letters: str) -> None:
        self._google = google
        self._topic = topic
        self._subscription = subscription
        self._dead = dead_letters

    def status(self) -> QueueStatus:
        """Return what it holds, by Cloud Monitoring, some minutes old; who works on what Pub/Sub does not say."""
        waiting, dead = (self._count(name) for name in (self._subscription, self._dead))
        oldest_s = self._metric("oldest_unacked_message_age", self._subscription) if waiting else None
        return QueueStatus(QUEUE, waiting, None, dead, oldest_s)

    def peek(self, count: int, *, waiting: bool = False) -> list[PeekedMessage]:
        """Return messages that were set aside; each is held for as long as the look takes, and given back."""
        if waiting:
            raise LastmileError(
                f"Pub/Sub pushes waiting messages of {self._google.asked.where} and shows none of them.",
                "Look at what was set aside: lastmile queue peek",
            )
        found: dict[str, dict[str, Any]] = {}
        empty = 0
        try:
            while len(found) < count and empty < _EMPTY:
                batch = self._pull(min(_BATCH, count - len(found)))
                empty = 0 if batch else empty + 1
                found |= {one["message"]["messageId"]: one for one in batch}
        finally:
            self._give_back(found.values())
        return sorted(map(self._peeked, found.values()), key=lambda message: -(message.age_s or 0.0))

    def redrive(self, told: Callable[[int], None]) -> int:
        """Publish each message that was set aside, then take it away: killed in between, it is there twice, never lost."""
        began, moved, empty = self._google.clock.now() + timedelta(seconds=1), 0, 0
        while empty < _EMPTY:
            batch = self._pull(_BATCH)
            old = [one for one in batch if read(one["message"]["publishTime"]) <= began]
            self._give_back(one for one in batch if one not in old)
            if not old:
                if batch:  # what comes back meanwhile is left for another run
                    break
                empty += 1
                self._google.pause(_PAUSE_S)
                continue
            empty = 0
            messages = [_anew(one["message"]) for one in old]
            self._google.rest("the queue", "pubsub", f"{self._topic}:publish", {"messages": messages})
            self._acknowledge(old)
            moved += len(old)
            told(moved)
        return moved

    def _pull(self, most: int) -> list[dict[str, Any]]:
        body = {"maxMessages": most, "returnImmediately": True}
        answer = self._google.rest("the dead letters", "pubsub", f"{self._dead}:pull", body)
        found: list[dict[str, Any]] = answer.get("receivedMessages", [])
        self._hold(found, _HELD_S)
        return found

    def _give_back(self, messages: Iterable[dict[str, Any]]) -> None:
        self._hold(messages, 0)

    def _hold(self, messages: Iterable[dict[str, Any]], seconds: int) -> None:
        ids = [one["ackId"] for one in messages]
        if ids:
            body = {"ackIds": ids, "ackDeadlineSeconds": seconds}
            self._google.rest("the dead letters", "pubsub", f"{self._dead}:modifyAckDeadline", body)

    def _acknowledge(self, messages: list[dict[str, Any]]) -> None:
        body = {"ackIds": [one["ackId"] for one in messages]}
        self._google.rest("the dead letters", "pubsub", f"{self._dead}:acknowledge", body)

    def _peeked(self, one: dict[str, Any]) -> PeekedMessage:
        message = one["message"]
        about = message.get("attributes") or {}
        count = about.get(f"{_OF_DEAD_LETTERS}DeliveryCount", "")
        sent = about.get(f"{_OF_DEAD_LETTERS}TopicPublishTime") or message["publishTime"]
        return peeked(
            message["messageId"],
            b64decode(message.get("data", "")),
            attempts=int(count) if count.isdigit() else None,
            age_s=max(0.0, round((self._google.clock.now() - _time(sent, message)).total_seconds(), 1)),
            reason=about.get(f"{_OF_DEAD_LETTERS}DeliveryErrorMessage"),
        )

    def _count(self, subscription: str) -> int | None:
        found = self._metric("num_undelivered_messages", subscription)
        return None if found is None else int(found)

    def _metric(self, name: str, subscription: str) -> float | None:
        id_ = subscription.rpartition("/")[2]
        which = (
            f'metric.type="pubsub.googleapis.com/subscription/{name}" AND resource.type="pubsub_subscription" '
            f'AND resource.labels.subscription_id="{id_}"'
        )
        return newest(self._google, which)


def _anew(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message as it was sent, without what Pub/Sub noted when it set it aside."""
    attributes = {
        name: value
        for name, value in (message.get("attributes") or {}).items()
        if not name.startswith(_OF_DEAD_LETTERS)
    }
    return {"data": message.get("data", ""), **({"attributes": attributes} if attributes else {})}


def _time(text: str, message: dict[str, Any]) -> datetime:
    try:
        return read(text)
    except ValueError:
        return read(message["publishTime"])
