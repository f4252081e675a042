from __future__ import annotations

import json

import pytest

from lastmile_sls.queue_view import (
    QueueStatus,
    message_document,
    message_lines,
    peeked,
    status_document,
    status_lines,
)

JOB = b'{"kind": "job", "id": "0af1"}'


@pytest.mark.parametrize(
    ("body", "kind", "job"),
    [
        (JOB, "job", "0af1"),
        ('{"kind": "callback", "id": "0af1"}', "callback", "0af1"),
        (b'{"kind": "batch", "file": "a.csv"}', "batch", None),
        (b'{"kind": "shadow", "id": "x"}', "shadow", None),
        (b"\xff", "unknown", None),
        (b"[]", "unknown", None),
        (b"{}", "unknown", None),
    ],
)
def test_what_a_message_is_about_is_read_from_it(body: bytes | str, kind: str, job: str | None) -> None:
    found = peeked("m1", body)
    assert (found.kind, found.job) == (kind, job)


def test_a_message_is_shown_without_what_callers_sent_unless_that_is_asked_for() -> None:
    message = peeked("m1", JOB, attempts=5, age_s=7500.4, reason="x" * 400)
    assert message_document(message, with_body=False) == {
        "id": "m1",
        "kind": "job",
        "job": "0af1",
        "attempts": 5,
        "age_s": 7500.4,
        "reason": "x" * 300,
    }
    assert message_document(message, with_body=True)["body"] == JOB.decode()
    assert message_lines([message, peeked("m2", b"?")], with_body=False) == [
        "m1  job 0af1",
        "  attempts   5",
        "  age        2 h 5 min",
        f"  reason     {'x' * 300}",
        "m2  unknown",
        "  attempts   not known",
        "  age        not known",
        "  reason     see the function log: lastmile logs",
    ]
    assert message_lines([message], with_body=True)[-1] == f"  body       {JOB.decode()}"


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (0.4, "0 s"),
        (59, "59 s"),
        (61, "1 min 1 s"),
        (3600, "1 h 0 min"),
        (90_000, "1 d 1 h"),
        (None, "not known"),
    ],
)
def test_a_status_in_words(seconds: float | None, age: str) -> None:
    status = QueueStatus("jobs", 3, None, 0, seconds)
    lines = [
        "queue jobs",
        "  waiting    3",
        "  in flight  not known",
        "  dead       0",
        f"  oldest     {age}",
    ]
    assert status_lines(status) == lines
    dead = QueueStatus("jobs", 3, None, 1, seconds)
    assert status_lines(dead)[-1].startswith("`lastmile queue peek` says what they are")
    assert json.dumps(status_document(status)) == json.dumps(
        {"queue": "jobs", "waiting": 3, "in_flight": None, "dead": 0, "oldest_s": seconds}
    )
