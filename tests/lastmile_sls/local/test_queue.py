from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.local.queue import Counts, Queue

WORKER = """
import sys, time
from pathlib import Path
from lastmile_sls.local.queue import Queue
message = Queue(Path(sys.argv[1]), 2, 1.0).receive()
print(message.body.decode(), flush=True)
time.sleep(60)
"""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_lease_returns_and_a_spent_message_is_set_aside(tmp_path: Path) -> None:
    clock = Clock()
    queue = Queue(tmp_path / "q", 2, 30, clock=clock)
    queue.send(b"job")
    assert queue.counts() == Counts(1, 0, 0)
    first = queue.receive()
    assert first is not None
    assert (first.body, first.attempts, queue.receive(), queue.counts()) == (b"job", 1, None, Counts(0, 1, 0))
    clock.now += 31
    assert queue.counts() == Counts(1, 0, 0)
    second = queue.receive()
    assert second is not None
    assert (second.attempts, queue.acknowledge(first), queue.give_back(first)) == (2, False, False)
    clock.now += 31
    assert queue.counts() == Counts(0, 0, 1)
    assert queue.receive() is None
    assert queue.redrive() == 1
    third = queue.receive()
    assert third is not None
    assert (third.attempts, queue.acknowledge(third), queue.counts()) == (1, True, Counts(0, 0, 0))


def test_what_is_given_back_waits_its_delay_and_then_is_set_aside(tmp_path: Path) -> None:
    clock = Clock()
    queue = Queue(tmp_path / "q", 2, 30, clock=clock)
    queue.send(b"job", delay_s=5)
    assert (queue.receive(), queue.counts()) == (None, Counts(1, 0, 0))
    clock.now += 5
    first = queue.receive()
    assert first is not None
    assert queue.give_back(first, delay_s=5)
    assert queue.receive() is None
    clock.now += 5
    second = queue.receive()
    assert second is not None
    assert queue.give_back(second)
    assert (queue.receive(), queue.counts()) == (None, Counts(0, 0, 1))


def test_retention_forgets_what_is_too_old(tmp_path: Path) -> None:
    clock = Clock()
    queue = Queue(tmp_path / "q", 2, 30, retention_s=60, clock=clock)
    queue.send(b"old")
    clock.now += 61
    queue.send(b"new")
    message = queue.receive()
    assert message is not None
    assert (message.body, queue.receive()) == (b"new", None)


def test_a_killed_workers_message_is_handed_out_again(tmp_path: Path) -> None:
    path = tmp_path / "q"
    queue = Queue(path, 2, 1.0)
    queue.send(b"job")
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(path)], stdout=subprocess.PIPE)
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"job\n"
        assert queue.counts() == Counts(0, 1, 0)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.communicate()
    later = Queue(path, 2, 1.0, clock=lambda: 9e9)
    message = later.receive()
    assert message is not None
    assert (message.body, message.attempts) == (b"job", 2)


def test_several_are_leased_at_once_and_the_oldest_first(tmp_path: Path) -> None:
    clock = Clock()
    queue = Queue(tmp_path / "q", 2, 30, clock=clock)
    for body in (b"1", b"2", b"3"):
        queue.send(body)
    assert [message.body for message in queue.receive_many(2)] == [b"1", b"2"]
    assert (queue.counts(), queue.wait_s(), queue.oldest_s()) == (Counts(1, 2, 0), 0.0, 0.0)
    assert [message.body for message in queue.receive_many(2)] == [b"3"]
    clock.now += 10
    assert (queue.receive_many(2), queue.wait_s(), queue.oldest_s()) == ([], 20.0, 10.0)


def test_an_empty_queue_has_no_age_and_nothing_to_wait_for(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "q", 2, 30)
    assert (queue.wait_s(), queue.oldest_s(), queue.receive_many(5)) == (None, 0.0, [])


def test_what_nobody_saw_keeps_its_attempts(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "q", 1, 30)
    queue.send(b"job")
    for _ in range(3):
        message = queue.receive()
        assert message is not None
        assert message.attempts == 1
        assert queue.give_back(message, tried=False)
    assert queue.counts() == Counts(1, 0, 0)


def test_a_killed_host_s_leases_end(tmp_path: Path) -> None:
    clock = Clock()
    queue = Queue(tmp_path / "q", 5, 1e6, clock=clock)
    queue.send(b"job")
    first = queue.receive()
    assert first is not None
    assert queue.end_leases() == 1
    second = queue.receive()
    assert second is not None
    assert (second.attempts, queue.acknowledge(first), queue.acknowledge(second)) == (2, False, True)
    assert queue.end_leases() == 0


def test_those_who_wait_for_a_message_that_was_set_aside_are_told_once(tmp_path: Path) -> None:
    clock = Clock()
    queue = Queue(tmp_path / "q", 1, 30, clock=clock)
    for body in (b"given back", b"lease ended"):
        queue.send(body)
    given_back = queue.receive()
    assert given_back is not None
    queue.give_back(given_back, reason="out of luck")
    assert queue.receive() is not None
    clock.now += 31
    assert queue.receive() is None
    found = queue.untold(10)
    assert [(message.body, message.attempts, message.reason) for message in found] == [
        (b"given back", 1, "out of luck"),
        (b"lease ended", 1, "no worker answered for it in time"),
    ]
    queue.told(found[0])
    assert [message.body for message in queue.untold(10)] == [b"lease ended"]
    assert (queue.counts(), queue.redrive()) == (Counts(0, 0, 2), 2)
    assert (queue.counts(), queue.untold(10)) == (Counts(2, 0, 0), [])


def send_and_fail(queue: Queue) -> None:
    with queue.transaction():
        queue.send(b"lost")
        raise ZeroDivisionError


def test_a_transaction_does_all_or_nothing(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "q", 1, 30)
    with pytest.raises(ZeroDivisionError):
        send_and_fail(queue)
    assert queue.counts() == Counts(0, 0, 0)
    with queue.transaction():
        queue.send(b"kept")
    assert queue.counts() == Counts(1, 0, 0)


def test_a_file_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "q", isolation_level=None)) as database:
        database.execute(
            "create table messages (id text primary key, body blob not null, sent_at real not null, "
            "visible_at real not null, attempts integer not null default 0, receipt text, "
            "dead integer not null default 0)"
        )
        database.execute("insert into messages (id, body, sent_at, visible_at) values ('a', x'00', 0, 0)")
    for _ in range(2):
        queue = Queue(tmp_path / "q", 1, 30)
        assert queue.counts() == Counts(1, 0, 0)
        queue.close()
    queue = Queue(tmp_path / "q", 1, 30)
    message = queue.receive()
    assert message is not None
    assert queue.give_back(message, reason="x")


def test_the_file_is_its_owners_and_a_damaged_one_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "q"
    Queue(path, 2, 1.0).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"not a database" * 100)
    with pytest.raises(LastmileError) as refused:
        Queue(damaged, 2, 1.0)
    assert refused.value.message == f"the queue {damaged} cannot be used: file is not a database."
    assert refused.value.hint == (
        "If the disk is full, free space. If the file is damaged, move it away and run `lastmile up`."
    )
