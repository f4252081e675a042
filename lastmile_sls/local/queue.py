"""A durable queue in one SQLite file: leases, retries, dead letters; it survives killed workers and a killed host."""

from __future__ import annotations

import os
import sqlite3
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lastmile_sls.errors import LastmileError

_SCHEMA = """
create table if not exists messages (
  id text primary key, body blob not null, sent_at real not null,
  visible_at real not null, attempts integer not null default 0, receipt text, dead integer not null default 0
);
create index if not exists waiting on messages (dead, visible_at);
"""


@dataclass(frozen=True)
class Message:
    """A message that this worker holds until `visibility_timeout_s` has passed."""

    id: str
    body: bytes
    attempts: int
    """How often it has been handed out, this time included."""
    receipt: str
    """Proves the lease; a worker whose lease has passed on holds an old one."""


@dataclass(frozen=True)
class Counts:
    """How many messages are in which state."""

    waiting: int
    leased: int
    dead: int


class Queue:
    """At-least-once delivery: a message that is not acknowledged in time is handed out again, then set aside."""

    def __init__(
        self,
        path: Path,
        max_attempts: int,
        visibility_timeout_s: float,
        retention_s: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open the file, making it if it is missing; without `retention_s`, a message is kept until it is done.

        Raises LastmileError when it cannot be used.
        """
        self._max_attempts = max_attempts
        self._timeout_s = visibility_timeout_s
        self._retention_s = retention_s
        self._clock = clock
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = full")
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise LastmileError(
                f"the queue {path} cannot be used: {error}.",
                "If the disk is full, free space. If the file is damaged, move it away and run `lastmile up`.",
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def send(self, body: bytes, *, delay_s: float = 0) -> str:
        """Add a message, on disk when this returns, and return its id."""
        id_, now = str(uuid.uuid4()), self._clock()
        self._database.execute(
            "insert into messages (id, body, sent_at, visible_at) values (?, ?, ?, ?)",
            (id_, body, now, now + delay_s),
        )
        return id_

    def receive(self) -> Message | None:
        """Lease the message that has waited longest; None when none is waiting. Spent ones are set aside."""
        now, receipt = self._clock(), str(uuid.uuid4())
        if self._retention_s is not None:
            self._database.execute("delete from messages where sent_at < ?", (now - self._retention_s,))
        self._database.execute(
            "update messages set dead = 1, receipt = null where dead = 0 and visible_at <= ? and attempts >= ?",
            (now, self._max_attempts),
        )
        row = self._database.execute(
            "update messages set attempts = attempts + 1, receipt = ?, visible_at = ? where id = "
            "(select id from messages where dead = 0 and visible_at <= ? order by visible_at, sent_at limit 1) "
            "returning id, body, attempts",
            (receipt, now + self._timeout_s, now),
        ).fetchone()
        return Message(row[0], row[1], row[2], receipt) if row else None

    def acknowledge(self, message: Message) -> bool:
        """Remove a message that is done; False when its lease had passed on to another worker."""
        return self._changed("delete from messages where id = ? and receipt = ?", message.id, message.receipt)

    def give_back(self, message: Message, *, delay_s: float = 0) -> bool:
        """Let a message be handed out again; after its last attempt it is set aside. False when the lease had passed on."""
        return self._changed(
            "update messages set receipt = null, visible_at = ?, dead = attempts >= ? where id = ? and receipt = ?",
            self._clock() + delay_s,
            self._max_attempts,
            message.id,
            message.receipt,
        )

    def redrive(self) -> int:
        """Give every message that was set aside its attempts back; return how many."""
        return self._database.execute(
            "update messages set dead = 0, attempts = 0, visible_at = ? where dead = 1", (self._clock(),)
        ).rowcount

    def counts(self) -> Counts:
        """Return how many messages wait, are leased, and are set aside."""
        now = self._clock()
        total, leased, dead = self._database.execute(
            "select count(*), coalesce(sum(dead = 0 and receipt is not null and visible_at > :now), 0), "
            "coalesce(sum(dead = 1 or (visible_at <= :now and attempts >= :most)), 0) from messages",
            {"now": now, "most": self._max_attempts},
        ).fetchone()
        return Counts(total - leased - dead, leased, dead)

    def _changed(self, statement: str, *values: object) -> bool:
        return self._database.execute(statement, values).rowcount == 1
