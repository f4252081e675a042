"""A durable queue in one SQLite file: leases, retries, dead letters; it survives killed workers and a killed host."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lastmile_sls.errors import LastmileError

BUSY_S = 3.0
"""How long another process may hold the file; shorter than a sender's patience, so that it is told."""
_FORGET_EVERY_S = 10.0
_SCHEMA = """
create table if not exists messages (
  id text primary key, body blob not null, sent_at real not null,
  visible_at real not null, attempts integer not null default 0, receipt text, dead integer not null default 0
);
create index if not exists waiting on messages (dead, visible_at);
create index if not exists tried on messages (dead, attempts);
create index if not exists sent on messages (dead, sent_at);
"""
# `dead` is 0, _DEAD once a message is set aside, _TOLD once that is known to whoever waits for it.
_DEAD, _TOLD = 1, 2
_NO_ANSWER = "no worker answered for it in time"


@dataclass(frozen=True)
class Message:
    """A message that this worker holds until `visibility_timeout_s` has passed."""

    id: str
    body: bytes
    attempts: int
    """How often it has been handed out, this time included."""
    receipt: str
    """Proves the lease; a worker whose lease has passed on holds an old one."""
    sent_at: float = 0.0
    """When it was sent, seconds since 1970."""


@dataclass(frozen=True)
class DeadMessage:
    """A message that was set aside after its last attempt."""

    id: str
    body: bytes
    attempts: int
    reason: str
    """Why its last attempt failed."""


@dataclass(frozen=True)
class SeenMessage:
    """A message that was looked at, and left where it is."""

    id: str
    body: bytes
    attempts: int
    age_s: float
    """How long ago it was sent."""
    reason: str | None
    """Why its last attempt failed; None when none did."""


@dataclass(frozen=True)
class Counts:
    """How many messages are in which state."""

    waiting: int
    leased: int
    dead: int


class Queue:
    """At-least-once delivery: a message that is not acknowledged in time is handed out again, then set aside.

    Threads may use it one after another. Every method raises sqlite3.Error, with nothing done, when the disk is full
    or the file is held for more than 3 s.
    """

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
        self._forgot_at = float("-inf")
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = sqlite3.connect(
                path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = full")
            self._database.executescript(_SCHEMA)
            self._add_reason()
        except (OSError, sqlite3.Error) as error:
            raise LastmileError(
                f"the queue {path} cannot be used: {error}.",
                "If the disk is full, free space. If the file is damaged, move it away and run `lastmile up`.",
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of what follows or nothing, with one wait for the disk."""
        self._database.execute("begin immediate")
        try:
            yield
            self._database.execute("commit")
        except BaseException:
            # SQLite has rolled back by itself after some errors, such as a full disk.
            if self._database.in_transaction:
                self._database.execute("rollback")
            raise

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
        return next(iter(self.receive_many(1)), None)

    def receive_many(self, most: int) -> list[Message]:
        """Lease up to `most` messages, those that have waited longest first. Spent ones are set aside."""
        now = self._clock()
        self._forget_old(now)
        self._database.execute(
            "update messages set dead = ?, receipt = null where dead = 0 and attempts >= ? and visible_at <= ?",
            (_DEAD, self._max_attempts, now),
        )
        found = self._database.execute(
            "select rowid, id, body, attempts, sent_at from messages where dead = 0 and visible_at <= ? "
            "order by visible_at, rowid limit ?",
            (now, most),
        ).fetchall()
        messages = [self._lease(row, now) for row in found]
        return [message for message in messages if message]

    def wait_s(self) -> float | None:
        """Return the seconds until a message becomes visible: 0 when one is; None when there is none."""
        (at,) = self._database.execute("select min(visible_at) from messages where dead = 0").fetchone()
        return None if at is None else max(0.0, at - self._clock())

    def acknowledge(self, message: Message) -> bool:
        """Remove a message that is done; False when its lease had passed on to another worker."""
        return self._changed("delete from messages where id = ? and receipt = ?", message.id, message.receipt)

    def give_back(
        self, message: Message, *, delay_s: float = 0, reason: str = _NO_ANSWER, tried: bool = True
    ) -> bool:
        """Let a message be handed out again; after its last attempt it is set aside. False when the lease had passed on.

        Without `tried`, this was no attempt: nobody has seen the message.
        """
        attempts = message.attempts if tried else message.attempts - 1
        return self._changed(
            "update messages set receipt = null, visible_at = ?, attempts = ?, dead = ?, reason = ? "
            "where id = ? and receipt = ?",
            self._clock() + delay_s,
            attempts,
            _DEAD if attempts >= self._max_attempts else 0,
            reason,
            message.id,
            message.receipt,
        )

    def end_leases(self) -> int:
        """Hand out again what is leased, because nobody is left who could hold a lease; return how many."""
        return self._database.execute(
            "update messages set receipt = null, visible_at = ? where dead = 0 and receipt is not null",
            (self._clock(),),
        ).rowcount

    def untold(self, most: int) -> list[DeadMessage]:
        """Return messages that were set aside and are not yet noted as told (`told`)."""
        found = self._database.execute(
            "select id, body, attempts, reason from messages where dead = ? limit ?", (_DEAD, most)
        ).fetchall()
        return [
            DeadMessage(id_, body, attempts, reason or _NO_ANSWER) for id_, body, attempts, reason in found
        ]

    def look(self, most: int, *, dead: bool) -> list[SeenMessage]:
        """Return up to `most` messages that were set aside, or that were not, those that were sent first first."""
        now = self._clock()
        found = self._database.execute(
            "select id, body, attempts, sent_at, reason from messages "
            "where (dead > 0 or (visible_at <= ? and attempts >= ?)) = ? order by sent_at, rowid limit ?",
            (now, self._max_attempts, dead, most),
        )
        return [
            SeenMessage(
                id_, body, attempts, max(0.0, now - sent_at), reason or (_NO_ANSWER if dead else None)
            )
            for id_, body, attempts, sent_at, reason in found
        ]

    def told(self, message: DeadMessage) -> None:
        """Note that whoever waits for a message knows that it was set aside."""
        self._changed("update messages set dead = ? where id = ? and dead = ?", _TOLD, message.id, _DEAD)

    def redrive(self) -> int:
        """Give every message that was set aside its attempts back; return how many."""
        return self._database.execute(
            "update messages set dead = 0, attempts = 0, visible_at = ? where dead > 0", (self._clock(),)
        ).rowcount

    def counts(self) -> Counts:
        """Return how many messages wait, are leased, and are set aside."""
        now = self._clock()
        total, leased, dead = self._database.execute(
            "select count(*), coalesce(sum(dead = 0 and receipt is not null and visible_at > :now), 0), "
            "coalesce(sum(dead > 0 or (visible_at <= :now and attempts >= :most)), 0) from messages",
            {"now": now, "most": self._max_attempts},
        ).fetchone()
        return Counts(total - leased - dead, leased, dead)

    def oldest_s(self) -> float:
        """Return for how long the oldest message that is not set aside has been here, seconds; 0 without one."""
        (at,) = self._database.execute("select min(sent_at) from messages where dead = 0").fetchone()
        return 0.0 if at is None else max(0.0, self._clock() - at)

    def _lease(self, row: tuple[int, str, bytes, int, float], now: float) -> Message | None:
        """Lease a message that was found waiting; None when another process took it in between."""
        rowid, id_, body, attempts, sent_at = row
        receipt = str(uuid.uuid4())
        taken = self._changed(
            "update messages set attempts = attempts + 1, receipt = ?, visible_at = ? "
            "where rowid = ? and id = ? and dead = 0 and attempts = ? and visible_at <= ?",
            *(receipt, now + self._timeout_s, rowid, id_, attempts, now),
        )
        return Message(id_, body, attempts + 1, receipt, sent_at) if taken else None

    def _forget_old(self, now: float) -> None:
        if self._retention_s is None or now - self._forgot_at < _FORGET_EVERY_S:
            return
        self._forgot_at = now
        self._database.execute(
            "delete from messages where dead in (0, 1, 2) and sent_at < ?", (now - self._retention_s,)
        )

    def _add_reason(self) -> None:
        """Add the column that files of the first version have not."""
        columns = {row[1] for row in self._database.execute("pragma table_info(messages)")}
        if "reason" in columns:
            return
        try:
            self._database.execute("alter table messages add column reason text")
        except sqlite3.OperationalError as error:
            if "duplicate column" not in str(error):  # another process was first
                raise

    def _changed(self, statement: str, *values: object) -> bool:
        return self._database.execute(statement, values).rowcount == 1
