"""Requests with bodies, and connections that stay open between two requests."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from lastmile_runtime.http import Request, Response
from lastmile_runtime.stores import exchange
from lastmile_runtime.stores.exchange import Address, Client
from tests.lastmile_runtime.fronts import Front, front
from tests.lastmile_runtime.stores.servers import ok, serving


def echo(request: Request) -> Response:
    return Response(200, {"x-method": request.method}, request.body)


def client(server: Front) -> Client:
    return Client(Address("127.0.0.1", server.server_port, tls=False))


def post(asked: Client, body: bytes) -> bytes:
    answer, content = asked.fetch("/a?b=c", {"x-some": "thing"}, time.monotonic() + 10, "POST", body)
    assert answer.headers["x-method"] == "POST"
    return content


@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_go_there_and_come_back_over_one_connection(*, chunked: bool) -> None:
    bodies = [b"", b"one", bytes(range(256)) * 2000]
    with front(echo, chunked=chunked) as server:
        asked = client(server)
        assert [post(asked, body) for body in bodies] == bodies
    assert server.connections == 1
    first = server.asked[0]
    assert (first.method, first.path, first.query, first.headers["x-some"]) == ("POST", "/a", "b=c", "thing")
    assert [request.headers["content-length"] for request in server.asked] == ["0", "3", "512000"]


def test_a_get_has_no_body() -> None:
    with front(echo) as server:
        answer, content = client(server).fetch("/", {}, time.monotonic() + 10)
    assert (answer.status, content) == (200, b"")
    assert "content-length" not in server.asked[0].headers


def test_no_connection_of_before_a_snapshot_is_used_after_it() -> None:
    with front(echo) as server:
        asked = client(server)
        post(asked, b"1")
        exchange.restored()
        assert post(asked, b"2") == b"2"
        assert post(asked, b"3") == b"3"
    assert server.connections == 2


def test_a_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    with serving(lambda *_: b"" if len(server.asked) == 2 else ok(b"x", x_method="POST")) as server:
        asked = Client(Address("127.0.0.1", server.port, tls=False))
        assert [post(asked, b"") for _ in range(2)] == [b"x", b"x"]
    assert (len(server.asked), server.connections) == (3, 2)


def test_a_new_connection_that_is_closed_is_an_error() -> None:
    with serving(lambda *_: b"") as server:
        asked = Client(Address("127.0.0.1", server.port, tls=False))
        with pytest.raises(ConnectionResetError, match="closed the connection without an answer"):
            post(asked, b"")
    assert len(server.asked) == 1


def test_threads_have_connections_of_their_own() -> None:
    both = threading.Barrier(2, timeout=20)

    def meet(request: Request) -> Response:
        both.wait()
        return echo(request)

    found: list[bytes] = []
    with front(meet) as server:
        asked = client(server)
        threads = [
            threading.Thread(target=lambda body: found.append(post(asked, body)), args=(body,))
            for body in (b"1", b"2")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert sorted(found) == [b"1", b"2"]
    assert server.connections == 2


def test_a_body_that_nobody_takes_is_given_up_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        asked = Client(Address("127.0.0.1", listener.getsockname()[1], tls=False))
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            asked.fetch("/", {}, started + 0.3, "POST", bytes(32_000_000))
        assert time.monotonic() - started < 5


def test_an_answer_that_is_not_read_to_its_end_leaves_no_connection() -> None:
    with front(lambda _: Response(200, {}, bytes(100_000))) as server:
        asked = client(server)
        for _ in range(2):
            answer = asked.ask("/", {}, time.monotonic() + 10)
            asked.release(answer)
    assert server.connections == 2
