"""A log is read as far as it goes, and never hides what it is about."""

from __future__ import annotations

import json
from email.message import Message
from http.client import HTTPMessage

import pytest

from lastmile_sls.bundle.oci.transport import Answer
from lastmile_sls.delivery.deployment_log import MOST_LINES, read_log

ROOT = "https://churn.scm.azurewebsites.net"


def answer(status: int, content: bytes) -> Answer:
    headers = HTTPMessage()
    assert isinstance(headers, Message)
    return Answer(status, headers, content)


def test_the_last_lines_are_kept() -> None:
    entries = [{"message": f"line {n}\x1b"} for n in range(MOST_LINES + 5)]
    lines = read_log(lambda _: answer(200, json.dumps(entries).encode()), f"{ROOT}/log", ROOT)
    assert lines == [f"line {n}" for n in range(5, MOST_LINES + 5)]


@pytest.mark.parametrize(
    ("status", "content"), [(404, b""), (200, b"no JSON"), (200, b"{}"), (200, b'["a", 1, {}]')]
)
def test_what_is_no_log_has_no_lines(status: int, content: bytes) -> None:
    assert read_log(lambda _: answer(status, content), f"{ROOT}/log", ROOT) == []


def test_a_broken_connection_has_no_lines() -> None:
    def fail(_: str) -> Answer:
        raise ConnectionResetError

    assert read_log(fail, f"{ROOT}/log", ROOT) == []
