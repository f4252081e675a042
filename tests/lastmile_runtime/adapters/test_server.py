"""Keep-alive, requests sent ahead, slow ones beside each other, and the end."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lastmile_runtime.adapters.server import Server
from lastmile_runtime.http import Request, Response
from lastmile_runtime.telemetry import Log


@contextmanager
def serving(answer: Callable[[Request], Response], concurrency: int = 1) -> Iterator[tuple[Server, int]]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    port: int = listener.getsockname()[1]
    server = Server(answer, listener, concurrency, Log("f", lambda line: None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server, port
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


def echo(request: Request) -> Response:
    return Response(200, {}, request.path.encode() + request.body)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 20)


def read_until(connection: socket.socket, end: bytes) -> bytes:
    received = b""
    while not received.endswith(end):
        chunk = connection.recv(65_536)
        assert chunk, received
        received += chunk
    return received


@pytest.mark.parametrize("concurrency", [1, 3])
def test_one_connection_carries_many_requests_also_those_sent_ahead(concurrency: int) -> None:
    with serving(echo, concurrency) as (_, port), connect(port) as connection:
        for number in range(20):
            connection.sendall(f"GET /{number} HTTP/1.1\r\n\r\n".encode())
            assert read_until(connection, f"/{number}".encode()).startswith(b"HTTP/1.1 200 OK")
        connection.sendall(b"".join(b"GET /ahead%d HTTP/1.1\r\n\r\n" % n for n in range(50)))
        answers = read_until(connection, b"/ahead49")
        assert [answers.count(b"/ahead%d" % n) for n in (0, 25, 49)] == [1, 1, 1]


def test_slow_requests_run_beside_each_other_and_no_more_than_may() -> None:
    barrier = threading.Barrier(3, timeout=20)
    most, now, lock = 0, 0, threading.Lock()

    def slow(request: Request) -> Response:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        barrier.wait()
        time.sleep(0.01)  # slow, as the server measures it
        with lock:
            now -= 1
        return Response(200, {}, b"done")

    with serving(slow, 3) as (_, port):
        connections = [connect(port) for _ in range(9)]
        for connection in connections:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        for connection in connections:
            read_until(connection, b"done")
            connection.close()
    assert most == 3


def test_a_thousand_first_requests_at_once_are_all_answered() -> None:
    with serving(echo, 4) as (_, port):
        connections = [connect(port) for _ in range(1000)]
        for number, connection in enumerate(connections):
            connection.sendall(f"POST /x HTTP/1.1\r\ncontent-length: 6\r\n\r\n{number:06}".encode())
        for number, connection in enumerate(connections):
            assert read_until(connection, f"{number:06}".encode()).startswith(b"HTTP/1.1 200 OK")
            connection.close()


def test_a_large_answer_waits_for_a_peer_that_reads_slowly() -> None:
    body = b"x" * 20_000_000
    with serving(lambda request: Response(200, {}, body)) as (_, port), connect(port) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with connect(port) as other:
            other.sendall(b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n")
            assert sum(len(chunk) for chunk in iter(lambda: other.recv(1 << 20), b"")) > len(body)
        head = slow.recv(10)
        assert head == b"HTTP/1.1 2"


def test_a_refused_body_does_not_hide_the_answer() -> None:
    with serving(echo) as (_, port), connect(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n" + b"x" * 3_000_000)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 413


def test_what_was_begun_is_answered_after_the_stop_and_the_idle_are_let_go() -> None:
    with serving(echo) as (server, port), connect(port) as begun, connect(port) as idle:
        idle.sendall(b"GET /first HTTP/1.1\r\n\r\n")
        read_until(idle, b"/first")
        begun.sendall(b"POST /late HTTP/1.1\r\ncontent-length: 2\r\n\r\na")
        wait_for_part(server)
        server.stop()
        assert idle.recv(10) == b""
        begun.sendall(b"b")
        assert b"connection: close" in read_until(begun, b"/lateab")
        assert begun.recv(10) == b""


def wait_for_part(server: Server) -> None:
    deadline = threading.Event()
    for _ in range(2000):
        if any(not connection.parser.is_idle for connection in list(server._connections.values())):
            return
        deadline.wait(0.01)
    raise AssertionError("the part of a request did not arrive")


def test_what_is_left_to_do_is_done_after_the_answer() -> None:
    done, allowed = threading.Event(), threading.Event()

    def later() -> None:
        allowed.wait(20)
        done.set()

    def answer(request: Request) -> Response:
        response = Response(200, {}, b"now")
        response.afterwards = later
        return response

    with serving(answer) as (_, port), connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        read_until(connection, b"now")
        assert not done.is_set()
        allowed.set()
        assert done.wait(20)
