from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from lastmile_runtime.adapters.http1 import MAX_HEAD_BYTES, HeadError, read_request, render_response
from lastmile_runtime.http import Request, Response

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    near, far = socket.socketpair()
    for end in (near, far):
        end.settimeout(10)
    with near, far:
        yield near, far


def read(pair: Pair, sent: bytes, max_body_bytes: int = 1000) -> Request | None:
    near, far = pair
    far.sendall(sent)
    far.shutdown(socket.SHUT_WR)
    return read_request(near, max_body_bytes)


def test_a_request_is_read(pair: Pair) -> None:
    request = read(
        pair,
        b"POST /v2/a%20b?x=1 HTTP/1.1\r\nHost: local\r\nX-A:  b \r\nx-a: c\r\nContent-Length: 3\r\n\r\nabcd",
    )
    assert request is not None
    assert (request.method, request.path, request.body) == ("POST", "/v2/a%20b", b"abc")
    assert request.headers == {"host": "local", "x-a": "b, c", "content-length": "3"}


def test_a_request_may_come_in_pieces(pair: Pair) -> None:
    near, far = pair
    pieces = [b"POST / HT", b"TP/1.1\r\ncontent-length: 4\r", b"\n\r", b"\na", b"bcd"]

    def send() -> None:
        for piece in pieces:
            far.sendall(piece)

    sender = threading.Thread(target=send)
    sender.start()
    request = read_request(near)
    sender.join()
    assert request is not None
    assert request.body == b"abcd"


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nab"]
)
def test_a_peer_that_leaves_early_sent_no_request(pair: Pair, sent: bytes) -> None:
    assert read(pair, sent) is None


def test_a_peer_that_waits_is_told_to_continue(pair: Pair) -> None:
    near, far = pair
    far.sendall(b"POST / HTTP/1.1\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
    requests: list[Request | None] = []
    reader = threading.Thread(target=lambda: requests.append(read_request(near)))
    reader.start()
    assert far.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    far.sendall(b"ab")
    reader.join()
    (request,) = requests
    assert request is not None
    assert request.body == b"ab"


@pytest.mark.parametrize(
    ("sent", "status", "path", "message"),
    [
        (b"nonsense\r\n\r\n", 400, "/", "the request line 'nonsense' is not one of HTTP/1.1."),
        (b"GET / HTTP/2\r\n\r\n", 400, "/", "the request line 'GET / HTTP/2' is not one of HTTP/1.1."),
        (b"GET v2 HTTP/1.1\r\n\r\n", 400, "/", "the request line 'GET v2 HTTP/1.1' is not one of HTTP/1.1."),
        (
            b"GET /v2 HTTP/1.1\r\nhost\r\n\r\n",
            400,
            "/v2",
            "the header line 'host' is not a name, a colon and a value.",
        ),
        (
            b"GET /v2 HTTP/1.1\r\nhost : x\r\n\r\n",
            400,
            "/v2",
            "the header line 'host : x' is not a name, a colon and a value.",
        ),
        (
            b"POST /v2 HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
            400,
            "/v2",
            "content-length is '-1', but must be a number of bytes.",
        ),
        (
            b"POST /v2 HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            400,
            "/v2",
            "content-length is '1, 2', but must be a number of bytes.",
        ),
        (
            b"POST /v2 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
            411,
            "/v2",
            "the body comes in a transfer encoding; send it with a content-length.",
        ),
        (
            b"POST /v2 HTTP/1.1\r\ncontent-length: 1001\r\n\r\n" + b"x" * 1001,
            413,
            "/v2",
            "the body has 1001 bytes, but may have 1000.",
        ),
        (
            b"GET / HTTP/1.1\r\nx: " + b"y" * MAX_HEAD_BYTES,
            431,
            "/",
            f"the request's head is longer than {MAX_HEAD_BYTES} bytes.",
        ),
    ],
)
def test_a_head_that_breaks_a_rule_is_refused(
    pair: Pair, sent: bytes, status: int, path: str, message: str
) -> None:
    with pytest.raises(HeadError) as refused:
        read(pair, sent)
    assert (refused.value.status, refused.value.path, refused.value.message) == (status, path, message)


def test_a_refused_body_is_read_to_its_end(pair: Pair) -> None:
    near, _ = pair
    with pytest.raises(HeadError):
        read(pair, b"POST / HTTP/1.1\r\ncontent-length: 2000\r\n\r\n" + b"x" * 2000)
    assert near.recv(1) == b""


@pytest.mark.parametrize(("head", "body"), [(False, b"ok"), (True, b"")])
def test_a_response_says_its_length_and_closes(head: bool, body: bytes) -> None:
    response = Response(200, {"content-type": "text/plain"}, b"ok")
    assert render_response(response, head=head) == (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\nconnection: close\r\n\r\n"
        + body
    )
