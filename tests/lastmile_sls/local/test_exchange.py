from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lastmile_sls.local.exchange import Answer, NotConnected, Unanswered, end_to_end, exchange, parse_answer


def test_an_answer_is_read_without_what_concerns_the_connection() -> None:
    raw = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nX-A: b\r\n\r\nok"
    assert parse_answer(raw, "GET") == Answer(201, [(b"x-a", b"b")], b"ok")


def test_a_head_has_a_length_and_no_body() -> None:
    assert parse_answer(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "HEAD") == Answer(200, [], b"")


@pytest.mark.parametrize(
    "raw",
    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", b"nonsense\r\n\r\n",
     b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"],
)  # fmt: skip
def test_less_than_a_whole_answer_is_none(raw: bytes) -> None:
    with pytest.raises(Unanswered):
        parse_answer(raw, "GET")


def test_headers_named_by_connection_are_dropped() -> None:
    assert end_to_end([(b"connection", b"X-One"), (b"x-one", b"1"), (b"te", b"t"), (b"a", b"b")]) == [
        (b"a", b"b")
    ]


def test_a_socket_that_nobody_listens_on_was_not_asked(tmp_path: Path) -> None:
    with pytest.raises(NotConnected):
        asyncio.run(exchange(tmp_path / "none", "GET", b"/", [], b""))
