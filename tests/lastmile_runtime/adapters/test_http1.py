from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_runtime.adapters.http1 import MAX_HEAD_BYTES, HeadError, Parser, render_response
from lastmile_runtime.http import MAX_BODY_BYTES, Request, Response


def read(*pieces: bytes) -> list[Request]:
    """Feed a parser piece by piece; return the requests that it found."""
    parser, found = Parser(), []
    for piece in pieces:
        parser.feed(piece)
        while request := parser.take():
            found.append(request)
    return found


def test_a_request_is_read() -> None:
    (request,) = read(
        b"POST /v2/a%20b?x=1 HTTP/1.1\r\nHost: local\r\nX-A:  b \r\nx-a: c\r\nContent-Length: 3\r\n\r\nabc"
    )
    assert (request.method, request.path, request.query, request.body) == ("POST", "/v2/a%20b", "x=1", b"abc")
    assert request.headers == {"host": "local", "x-a": "b, c", "content-length": "3"}


HEADS = {
    b"POST /a HTTP/1.1\r\ncontent-length: 2\r\n\r\n": b"ab",
    b"POST /a HTTP/1.1\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n": b"abc",
    b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n": b"1\r\nx\r\n0\r\n\r\n",
    b"GET /a HTTP/1.1\r\nconnection: close\r\n\r\n": b"",
}


@given(st.lists(st.sampled_from(sorted(HEADS)), max_size=8))
def test_a_head_that_comes_again_says_the_same_as_on_its_own(heads: list[bytes]) -> None:
    parser = Parser()
    for head in heads:
        parser.feed(head + HEADS[head])
        request, alone = parser.take(), Parser()
        alone.feed(head + HEADS[head])
        expected = alone.take()
        assert request is not None
        assert expected is not None
        assert (request.method, request.path, request.headers) == (
            expected.method,
            expected.path,
            expected.headers,
        )
        assert (request.body, parser.keep_alive) == (expected.body, alone.keep_alive)
        request.headers["x-added"] = request.path = "later"  # is this request's alone


STREAM = (
    b"\r\nPOST /a HTTP/1.1\r\ncontent-length: 4\r\n\r\nabcd"
    b"GET /b HTTP/1.1\r\n\r\n"
    b"POST /c HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: v\r\n\r\n"
    b"POST /d HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    b"GET /e HTTP/1.1\r\n\r\n"
)


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_however_the_bytes_are_cut_the_requests_are_the_same(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in itertools.pairwise(edges)]
    found = [(request.path, request.body) for request in read(*pieces)]
    assert found == [("/a", b"abcd"), ("/b", b""), ("/c", b"abcde"), ("/d", b""), ("/e", b"")]


def test_bytes_that_come_one_by_one_make_the_same_requests() -> None:
    found = [request.path for request in read(*(STREAM[at : at + 1] for at in range(len(STREAM))))]
    assert found == ["/a", "/b", "/c", "/d", "/e"]


@pytest.mark.parametrize(
    ("target", "path"),
    [("http://h/v2/x?y=1", "/v2/x"), ("https://h:80/", "/"), ("http://h", "/")],
)
def test_a_target_may_name_its_host(target: str, path: str) -> None:
    (request,) = read(f"GET {target} HTTP/1.1\r\nhost: h\r\n\r\n".encode())
    assert request.path == path


def test_headers_that_are_there_twice_are_joined() -> None:
    (request,) = read(b"GET / HTTP/1.1\r\na: 1\r\ncookie: b=2\r\na: 3\r\ncookie: c=4\r\n\r\n")
    assert request.headers == {"a": "1, 3", "cookie": "b=2; c=4"}


def test_names_are_read_in_any_spelling() -> None:
    requests = read(b"GET / HTTP/1.1\r\nX-Spelt: a\r\n\r\n", b"GET / HTTP/1.1\r\nx-SPELT:b\r\n\r\n")
    assert [request.headers for request in requests] == [{"x-spelt": "a"}, {"x-spelt": "b"}]


def test_whether_nothing_or_a_part_is_there_is_known() -> None:
    parser, states = Parser(), []
    for piece in (b"", b"POST / HTTP/1.1\r\ncontent-le", b"ngth: 2\r\n\r\na", b"b"):
        parser.feed(piece)
        parser.take()
        states.append((parser.is_idle, parser.has_head))
    assert states == [(True, False), (False, False), (False, True), (True, False)]


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nab"]
)
def test_a_part_of_a_request_is_none(sent: bytes) -> None:
    assert read(sent) == []


def test_a_peer_that_waits_is_known() -> None:
    parser = Parser()
    parser.feed(b"POST / HTTP/1.1\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
    assert parser.take() is None
    assert parser.wants_continue
    parser.feed(b"ab")
    request = parser.take()
    assert request is not None
    assert (request.body, parser.wants_continue) == (b"ab", False)


@pytest.mark.parametrize(
    ("head", "keeps"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", True),
    ],
)
def test_whether_another_request_may_follow(head: bytes, keeps: bool) -> None:
    parser = Parser()
    parser.feed(head)
    assert parser.take() is not None
    assert parser.keep_alive is keeps


CONTROL = "the request's head holds a control character."
BOTH = "the request has both a content-length and a transfer-encoding."


@pytest.mark.parametrize(
    ("sent", "status", "path", "message"),
    [
        (b"nonsense\r\n\r\n", 400, "/", "the request line 'nonsense' is not one of HTTP/1.1."),
        (b"GET / HTTP/2\r\n\r\n", 400, "/", "the request line 'GET / HTTP/2' is not one of HTTP/1.1."),
        (b"GET v2 HTTP/1.1\r\n\r\n", 400, "/", "the request line 'GET v2 HTTP/1.1' is not one of HTTP/1.1."),
        (
            b"GET httpx HTTP/1.1\r\n\r\n",
            400,
            "/",
            "the request line 'GET httpx HTTP/1.1' is not one of HTTP/1.1.",
        ),
        (b"G=T / HTTP/1.1\r\n\r\n", 400, "/", "the request line 'G=T / HTTP/1.1' is not one of HTTP/1.1."),
        (b" / HTTP/1.1\r\n\r\n", 400, "/", "the request line ' / HTTP/1.1' is not one of HTTP/1.1."),
        (
            b"GET /\x01 HTTP/1.1\r\n\r\n",
            400,
            "/",
            "the request line 'GET /\\x01 HTTP/1.1' is not one of HTTP/1.1.",
        ),
        (
            b"GET /\xff HTTP/1.1\r\n\r\n",
            400,
            "/",
            "the request line 'GET /\xff HTTP/1.1' is not one of HTTP/1.1.",
        ),
        (b"GET /v2 HTTP/1.1\r\na: b\nc: d\r\n\r\n", 400, "/v2", CONTROL),
        (b"GET /v2 HTTP/1.1\r\na: b\rc: d\r\n\r\n", 400, "/v2", CONTROL),
        (b"GET /v2 HTTP/1.1\r\na: b\0\r\n\r\n", 400, "/v2", CONTROL),
        (b"GET /v2 HTTP/1.1\r\nhost: a\r\nHost: b\r\n\r\n", 400, "/v2", "the request has two hosts."),
        (
            b"POST /v2 HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n",
            400,
            "/v2",
            "HTTP/1.0 has no transfer-encoding.",
        ),
        (
            b"POST /v2 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n" + b"0" * 1025,
            400,
            "/v2",
            "a chunk's size line is too long.",
        ),
        (
            b"POST /v2 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2000001\r\n",
            413,
            "/v2",
            "the body has 33554433 bytes, but may have 33554432.",
        ),
        (
            b"POST /v2 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: " + b"y" * MAX_HEAD_BYTES,
            431,
            "/",
            f"the trailers are longer than {MAX_HEAD_BYTES} bytes.",
        ),
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
            b"GET /v2 HTTP/1.1\r\na: b\r\n folded: x\r\n\r\n",
            400,
            "/v2",
            "the header line ' folded: x' is not a name, a colon and a value.",
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
            b"POST /v2 HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n",
            400,
            "/v2",
            BOTH,
        ),
        (
            b"POST /v2 HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n",
            501,
            "/v2",
            "the transfer-encoding is 'gzip', but must be chunked.",
        ),
        (
            b"POST /v2 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
            400,
            "/v2",
            "the chunk size b'xyz' is not a hexadecimal number.",
        ),
        (
            b"POST /v2 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n",
            400,
            "/v2",
            "a chunk is not as long as its size says.",
        ),
        (
            f"POST /v2 HTTP/1.1\r\ncontent-length: {MAX_BODY_BYTES + 1}\r\n\r\n".encode(),
            413,
            "/v2",
            f"the body has {MAX_BODY_BYTES + 1} bytes, but may have {MAX_BODY_BYTES}.",
        ),
        (
            b"GET / HTTP/1.1\r\nx: " + b"y" * MAX_HEAD_BYTES,
            431,
            "/",
            f"the request's head is longer than {MAX_HEAD_BYTES} bytes.",
        ),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused(sent: bytes, status: int, path: str, message: str) -> None:
    with pytest.raises(HeadError) as refused:
        read(sent)
    assert (refused.value.status, refused.value.path, refused.value.message) == (status, path, message)


@pytest.mark.parametrize(("head", "body"), [(False, b"ok"), (True, b"")])
@pytest.mark.parametrize(("keep_alive", "line"), [(True, b""), (False, b"connection: close\r\n")])
def test_a_response_says_its_length_and_whether_it_closes(
    head: bool, body: bytes, keep_alive: bool, line: bytes
) -> None:
    response = Response(200, {"content-type": "text/plain"}, b"ok")
    assert render_response(response, head=head, keep_alive=keep_alive) == (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n" + line + b"\r\n" + body
    )


def test_no_content_has_no_length() -> None:
    assert render_response(Response(204, {}, b""), head=False, keep_alive=True) == (
        b"HTTP/1.1 204 No Content\r\n\r\n"
    )


def test_a_line_end_in_a_header_cannot_begin_another_one() -> None:
    response = Response(200, {"location": "/a\r\nset-cookie: x", "b": "c\nd"}, b"")
    assert render_response(response, head=False, keep_alive=True) == (
        b"HTTP/1.1 200 OK\r\nlocation: /a  set-cookie: x\r\nb: c d\r\ncontent-length: 0\r\n\r\n"
    )
