"""Plain HTTP: read, conditionally and in ranges, and never waited for beyond the deadline."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lastmile_runtime.stores import NotFound, StoreError, open_store
from lastmile_runtime.stores.http import HttpStore, open_url
from tests.lastmile_runtime.stores.servers import Server, ok, serving


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = {"/files/a": b"abcdefghij", "/files/empty": b""}.get(self.path)
        if content is None:
            self.send_error(500 if self.path.endswith("broken") else 404)
        elif self.headers.get("if-none-match") == '"one"':
            self.send_response(304)
            self.end_headers()
        else:
            status = 200
            if "range" in self.headers:
                start, end = self.headers["range"].removeprefix("bytes=").split("-")
                content, status = content[int(start) : int(end) + 1], 206
            self.send_response(status)
            self.send_header("ETag", '"one"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class names it
        return


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/files"
    server.shutdown()
    server.server_close()


def test_an_object_is_read_with_its_etag_and_not_again_when_it_has_not_changed(url: str) -> None:
    store = open_store(url)
    found = store.get("a")
    assert found is not None
    assert (found.content, found.etag) == (b"abcdefghij", '"one"')
    assert store.get("a", etag='"one"') is None
    empty = store.get("empty")
    assert empty is not None
    assert empty.content == b""


def test_a_range_is_streamed(url: str) -> None:
    assert b"".join(map(bytes, open_store(url).stream("a", 2, 5))) == b"cde"


def test_what_is_not_there_or_fails(url: str) -> None:
    with pytest.raises(NotFound, match=r"^there is no nothing\.$"):
        open_store(url).get("nothing")
    with pytest.raises(StoreError, match=r"^broken: the server answered 500, not 200\.$"):
        open_store(url).get("broken")


def test_it_is_read_only(url: str) -> None:
    store = open_store(url)
    for call in (lambda: store.put("a", b""), lambda: store.delete("a"), lambda: store.list("a")):
        with pytest.raises(StoreError, match="http stores are read"):
            call()


@contextlib.contextmanager
def saying(*pieces: bytes, pause_s: float = 0) -> Iterator[str]:
    """A server that says this, whatever it is asked, and then holds the connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        done = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65_536)
                for piece in pieces:
                    connection.sendall(piece)
                    done.wait(pause_s)
                done.wait(30 if not pieces or pause_s else 0)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        done.set()


@pytest.mark.parametrize(
    ("pieces", "pause_s"),
    [
        ((), 0),
        ((b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", *[b"x"] * 99), 0.1),
        ((*[b"H"] * 99,), 0.1),
    ],
)
def test_a_server_that_is_silent_or_trickles_is_given_up_at_the_deadline(
    pieces: tuple[bytes, ...], pause_s: float
) -> None:
    with saying(*pieces, pause_s=pause_s) as url:
        started = time.monotonic()
        with pytest.raises(StoreError):
            open_store(url).get("a", deadline_s=0.3)
        assert time.monotonic() - started < 5


def test_an_answer_that_ends_early_is_no_answer() -> None:
    with (
        saying(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc") as url,
        pytest.raises(StoreError, match=r"^a: the answer ended 7 bytes early\.$"),
    ):
        open_store(url).get("a")


def test_nobody_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(StoreError, match="refused"):
        open_store(f"http://127.0.0.1:{port}").get("a")


def at(server: Server) -> HttpStore:
    return open_url(f"http://127.0.0.1:{server.port}")


def part(_: str, headers: dict[str, str]) -> bytes:
    """The bytes that were asked for, of an object in which each byte is its place."""
    start, end = map(int, headers["range"].removeprefix("bytes=").split("-"))
    return ok(bytes(range(start, end + 1)), "206 Partial Content")


def test_parts_come_over_one_connection() -> None:
    with serving(part) as server:
        store = at(server)
        found = [b"".join(map(bytes, store.stream("a", start, start + 10))) for start in (0, 10, 20)]
    assert b"".join(found) == bytes(range(30))
    assert (len(server.asked), server.connections) == (3, 1)


def test_a_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    with serving(lambda *request: b"" if len(server.asked) == 2 else part(*request)) as server:
        store = at(server)
        found = [b"".join(map(bytes, store.stream("a", start, start + 10))) for start in (0, 10)]
    assert b"".join(found) == bytes(range(20))
    assert (len(server.asked), server.connections) == (3, 2)


def test_a_part_that_was_not_read_to_its_end_leaves_no_connection() -> None:
    with serving(part) as server:
        store = at(server)
        pieces = store.stream("a", 0, 10)
        next(pieces)
        pieces.close()  # type: ignore[attr-defined] # it is a generator
        assert b"".join(map(bytes, store.stream("a", 20, 30))) == bytes(range(20, 30))


def test_an_idle_connection_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lastmile_runtime.stores.exchange._IDLE_S", 0)
    with serving(part) as server:
        store = at(server)
        for _ in range(2):
            list(store.stream("a", 0, 10))
    assert server.connections == 2


def test_a_server_without_ranges_is_refused() -> None:
    with (
        serving(lambda *_: ok(b"everything")) as server,
        pytest.raises(StoreError, match=r"^a: the server answered 200, not 206\.$"),
    ):
        list(at(server).stream("a", 0, 5))


def chunked(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + body


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", b"abc0123456789"),
        (b"0\r\n\r\n", b""),
    ],
)
def test_a_body_in_chunks_is_put_together(body: bytes, content: bytes) -> None:
    with serving(lambda *_: chunked(body)) as server:
        found = at(server).get("a", deadline_s=10)
    assert found is not None
    assert found.content == content


@pytest.mark.parametrize(
    ("body", "message"),
    [
        *((body, "the answer ended within a chunk") for body in (b"", b"3\r\nab", b"3\r\nabc\r\n")),
        *((body, "the answer has a chunk without a size") for body in (b"-1\r\nabc\r\n", b"\r\n")),
    ],
)
def test_a_body_in_chunks_that_ends_early_is_none(body: bytes, message: str) -> None:
    with (
        serving(lambda *_: chunked(body)) as server,
        pytest.raises(StoreError, match=rf"^a: {message}\.$"),
    ):
        at(server).get("a", deadline_s=10)


def test_what_is_no_http() -> None:
    with (
        serving(lambda *_: b"SSH-2.0\r\n\r\n") as server,
        pytest.raises(StoreError, match=r"^a: the server answered 'SSH-2\.0', which is no HTTP/1\.$"),
    ):
        at(server).get("a", deadline_s=10)


def test_a_document_without_an_etag_is_known_by_its_content() -> None:
    contents = [b"one", b"one", b"two"]
    with serving(lambda *_: ok(contents.pop(0))) as server:
        store = at(server)
        first = store.get("a", deadline_s=10)
        assert first is not None
        assert store.get("a", etag=first.etag, deadline_s=10) is None
        assert store.get("a", etag=first.etag, deadline_s=10) is not None


def test_a_path_is_sent_as_it_must_be() -> None:
    with serving(lambda *_: ok(b"")) as server:
        at(server).get("a b/c+d", deadline_s=10)
    ((target, headers),) = server.asked
    assert (target, headers["host"]) == ("/a%20b/c%2Bd", f"127.0.0.1:{server.port}")


@pytest.mark.parametrize(
    ("url", "name", "prefix"),
    [
        ("http://h", "h", ""),
        ("https://h:443/a/b/", "h", "/a/b"),
        ("http://h:443/a", "h:443", "/a"),
        ("http://[::1]:81/a", "[::1]:81", "/a"),
    ],
)
def test_where_a_url_leads(url: str, name: str, prefix: str) -> None:
    store = open_url(url)
    assert (store._address.name, store._prefix) == (name, prefix)
