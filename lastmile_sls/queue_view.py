"""What a queue holds and has set aside, in the same words on this machine and in every cloud."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

UNKNOWN_KIND = "unknown"
"""Of a message that is not one of ours."""
_LONGEST_REASON = 300


@dataclass(frozen=True)
class QueueStatus:
    """How many messages are in which state; None where the queue's own service does not say it."""

    queue: str
    """Its name in the plan."""
    waiting: int | None
    in_flight: int | None
    """Held by workers now."""
    dead: int | None
    """Set aside after their last attempt."""
    oldest_s: float | None
    """For how long the oldest message that is not set aside has been here."""


@dataclass(frozen=True)
class PeekedMessage:
    """A message that was looked at and left where it is."""

    id: str
    """The queue's own."""
    kind: str
    """job, shadow, callback or batch, or `UNKNOWN_KIND`."""
    job: str | None
    """The id of the job that it is about."""
    attempts: int | None
    """How often it was delivered; None where the queue's own service does not say it."""
    age_s: float | None
    """How long ago it was sent."""
    reason: str | None
    """Why its last attempt failed; None where only the function's log has it."""
    body: str
    """What was sent. It may have what callers sent, so it is shown to whoever asks for it alone."""


class QueueView(Protocol):
    """A deployment's queue, seen from outside; every method raises LastmileError with the way out."""

    def status(self) -> QueueStatus:
        """Return what it holds."""

    def peek(self, count: int, *, waiting: bool = False) -> list[PeekedMessage]:
        """Return up to `count` messages that were set aside, or that wait, oldest first; they stay where they are.

        Raises LastmileError for `waiting` where looking counts as an attempt.
        """

    def redrive(self, told: Callable[[int], None]) -> int:
        """Have all that was set aside delivered once more; return how many messages. `told` hears how many so far."""


def peeked(
    id_: str,
    body: bytes | str,
    *,
    attempts: int | None = None,
    age_s: float | None = None,
    reason: str | None = None,
) -> PeekedMessage:
    """Return a message as it is shown; what it is about is read from its body."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    kind, job = _about(text)
    return PeekedMessage(id_, kind, job, attempts, age_s, reason[:_LONGEST_REASON] if reason else None, text)


def status_document(status: QueueStatus) -> dict[str, Any]:
    """Return a status for `--json`."""
    return {
        "queue": status.queue,
        "waiting": status.waiting,
        "in_flight": status.in_flight,
        "dead": status.dead,
        "oldest_s": status.oldest_s,
    }


def status_lines(status: QueueStatus) -> list[str]:
    """Return a status for people."""
    rows = [
        ("waiting", _count(status.waiting)),
        ("in flight", _count(status.in_flight)),
        ("dead", _count(status.dead)),
        ("oldest", "none" if status.waiting == 0 and status.oldest_s is None else _age(status.oldest_s)),
    ]
    lines = [f"queue {status.queue}", *(f"  {name:<10} {value}" for name, value in rows)]
    if status.dead:
        lines.append("`lastmile queue peek` says what they are, `lastmile queue redrive` delivers them again")
    return lines


def message_document(message: PeekedMessage, *, with_body: bool) -> dict[str, Any]:
    """Return a message for `--json`, its body only if it is asked for."""
    found: dict[str, Any] = {
        "id": message.id,
        "kind": message.kind,
        "job": message.job,
        "attempts": message.attempts,
        "age_s": message.age_s,
        "reason": message.reason,
    }
    return {**found, "body": message.body} if with_body else found


def message_lines(messages: Sequence[PeekedMessage], *, with_body: bool) -> list[str]:
    """Return messages for people, their bodies only if they are asked for."""
    lines = []
    for message in messages:
        about = f" {message.job}" if message.job else ""
        lines.append(f"{message.id}  {message.kind}{about}")
        lines.append(f"  attempts   {_count(message.attempts)}")
        lines.append(f"  age        {_age(message.age_s)}")
        lines.append(f"  reason     {message.reason or 'see the function log: lastmile logs'}")
        if with_body:
            lines.append(f"  body       {message.body}")
    return lines


def _about(text: str) -> tuple[str, str | None]:
    """Return a message's kind, and the id of its job."""
    try:
        document = json.loads(text)
        kind = document["kind"]
    except (ValueError, KeyError, TypeError):
        return UNKNOWN_KIND, None
    job = document.get("id") if kind in ("job", "callback") else None
    return str(kind), str(job) if job else None


def _count(value: int | None) -> str:
    return "not known" if value is None else str(value)


def _age(seconds: float | None) -> str:
    """Return a time span in its two largest units: `2 h 5 min`."""
    if seconds is None:
        return "not known"
    whole = int(seconds)
    days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"
