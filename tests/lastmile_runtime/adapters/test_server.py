"""Keep-alive, requests sent ahead, slow ones beside each other, clients that misbehave, and the end."""

from __future__ import annotations

import itertools
import json
import select
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastmile_runtime.adapters import connections, poller
from lastmile_runtime.adapters import server as server_module
from lastmile_runtime.adapters.server import Server
from lastmile_runtime.http import Request, Response
from lastmile_runtime.telemetry import Log
from tests.lastmile_runtime.adapters.process import copy_runtime, read_until, running
from tests.lastmile_runtime.bundles import DOUBLER, matrix, python_bundle

BODY = json.dumps({"inputs": [matrix([[1, 2]])]}).encode()
# Notes each load in a file, and then takes a while.
LOADS = DOUBLER.replace(
    "    def predict",
    """
    def load(self, folder):
        import os, time
        with open(os.path.join(os.environ["LASTMILE_BUNDLE"], "..", "loads"), "a") as file:
            file.write("x")
        time.sleep(0.2)

    def predict""",
)


@contextmanager
def serving(
    answer: Callable[[Request], Response], concurrency: int = 1, lines: list[str] | None = None
) -> Iterator[tuple[Server, int]]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    port: int = listener.getsockname()[1]
    log = Log("f", (lambda line: None) if lines is None else lines.append)
    server = Server(answer, listener, concurrency, log)
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


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(1 << 20), b""))


def wait_until(condition: Callable[[], object], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


class Gate:
    """Answers at once, except on /slow, where it waits until it is opened; counts how many wait."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.waiting = 0
        self.most = 0
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Response:
        if request.path == "/slow":
            with self._lock:
                self.waiting += 1
                self.most = max(self.most, self.waiting)
            assert self.opened.wait(20)
            with self._lock:
                self.waiting -= 1
        return echo(request)


def warm(port: int) -> None:
    """Have a server answer so many requests soon that it expects the next one to be."""
    with connect(port) as connection:
        for _ in range(200):
            connection.sendall(b"GET /warm HTTP/1.1\r\n\r\n")
            read_until(connection, b"/warm")


@pytest.mark.parametrize("concurrency", [1, 3])
def test_one_connection_carries_many_requests_also_those_sent_ahead(concurrency: int) -> None:
    with serving(echo, concurrency) as (_, port), connect(port) as connection:
        for number in range(20):
            connection.sendall(f"GET /{number} HTTP/1.1\r\n\r\n".encode())
            assert read_until(connection, f"/{number}".encode()).startswith(b"HTTP/1.1 200 OK")
        connection.sendall(b"".join(b"GET /ahead%d HTTP/1.1\r\n\r\n" % n for n in range(50)))
        answers = read_until(connection, b"/ahead49")
        assert [answers.count(b"/ahead%d" % n) for n in (0, 25, 49)] == [1, 1, 1]


STREAM = (
    b"POST /a HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n"
    b"POST /c HTTP/1.1\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n"
)


@pytest.mark.parametrize("concurrency", [1, 2])
def test_however_the_bytes_arrive_the_answers_are_the_same_and_in_order(concurrency: int) -> None:
    with serving(echo, concurrency) as (_, port):

        @settings(max_examples=50, deadline=None)
        @given(st.lists(st.integers(1, len(STREAM) - 1), max_size=6))
        def check(cuts: list[int]) -> None:
            edges = [0, *sorted(cuts), len(STREAM)]
            with connect(port) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for start, end in itertools.pairwise(edges):
                    connection.sendall(STREAM[start:end])
                answers = read_all(connection)
            bodies = [part.partition(b"\r\n\r\n")[2] for part in answers.split(b"HTTP/1.1 200 OK\r\n")[1:]]
            assert bodies == [b"/aabc", b"/b", b"/cxy"]

        check()


def test_slow_requests_run_beside_each_other_and_no_more_than_may() -> None:
    gate = Gate()
    with serving(gate.answer, 3) as (_, port):
        clients = [connect(port) for _ in range(9)]
        for client in clients:
            client.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
        wait_until(lambda: gate.waiting == 3)
        gate.opened.set()
        for client in clients:
            read_until(client, b"/slow")
            client.close()
    assert gate.most == 3


def test_one_that_is_unexpectedly_slow_does_not_keep_the_others_waiting() -> None:
    gate = Gate()
    with serving(gate.answer, 3) as (server, port):
        warm(port)
        server._mean_s = 1e-5  # so that the next one is expected soon, however busy this machine is
        slow = [connect(port) for _ in range(2)]
        for client in slow:
            client.sendall(b"GET /slow HTTP/1.1\r\n\r\nGET /ahead HTTP/1.1\r\n\r\n")
        wait_until(lambda: gate.waiting == 2)
        warm(port)
        gate.opened.set()
        for client in slow:
            read_until(client, b"/ahead")
            client.sendall(b"GET /again HTTP/1.1\r\n\r\n")
            read_until(client, b"/again")
            client.close()
        warm(port)


def test_a_slow_answer_that_ends_while_another_thread_answers_inline_gives_its_connection_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = Gate(), Gate()

    def answer(request: Request) -> Response:
        return (second if request.query else first).answer(request)

    with serving(answer, 3) as (server, port), connect(port) as one, connect(port) as two:
        warm(port)
        server._mean_s = 1e-5
        one.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
        wait_until(lambda: first.waiting == 1)
        warm(port)  # another thread polls by now
        monkeypatch.setattr(server_module, "_PATIENCE_S", 3600)  # and is left to answer as long as it takes
        server._mean_s = 1e-5
        two.sendall(b"GET /slow?2 HTTP/1.1\r\n\r\n")
        wait_until(lambda: second.waiting == 1)
        first.opened.set()
        read_until(one, b"/slow")
        second.opened.set()
        read_until(two, b"/slow")
        for client in (one, two):
            client.sendall(b"GET /again HTTP/1.1\r\n\r\n")
            read_until(client, b"/again")


def test_a_thousand_clients_at_once_are_all_answered() -> None:
    with serving(echo, 4) as (_, port):
        clients = [connect(port) for _ in range(1000)]
        for number, client in enumerate(clients):
            client.sendall(f"POST /x HTTP/1.1\r\ncontent-length: 6\r\n\r\n{number:06}".encode())
        for number, client in enumerate(clients):
            assert read_until(client, f"{number:06}".encode()).startswith(b"HTTP/1.1 200 OK")
            client.close()


def test_a_thousand_first_requests_load_the_model_once(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    copy_runtime(folder)
    request = b"POST /v2/models/breast-cancer/infer HTTP/1.1\r\nconnection: close\r\n"
    request += b"content-length: %d\r\n\r\n" % len(BODY) + BODY
    with running(folder, python_bundle(folder, LOADS), 8, tcp=True) as function:
        clients = [function.connect() for _ in range(1000)]
        for client in clients:
            client.sendall(request)
        for client in clients:
            assert b'"data":[2,4]' in read_all(client)
            client.close()
    assert (tmp_path / "loads").read_text() == "x"


def test_a_large_answer_waits_for_a_peer_that_reads_slowly() -> None:
    body = b"x" * 20_000_000
    with serving(lambda request: Response(200, {}, body)) as (_, port), connect(port) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n")
        with connect(port) as other:
            other.sendall(b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n")
            assert read_all(other).endswith(b"\r\n\r\n" + body)
        assert read_all(slow).endswith(b"\r\n\r\n" + body)


def test_a_client_that_has_said_all_still_hears_the_answers() -> None:
    with serving(echo, 2) as (_, port), connect(port) as client:
        client.sendall(b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        answers = read_all(client)
        assert answers.count(b"HTTP/1.1 200 OK") == 2
        assert answers.endswith(b"/b")


@pytest.mark.parametrize("concurrency", [1, 2])
def test_clients_that_vanish_leave_nothing_behind(concurrency: int) -> None:
    gate = Gate()
    with serving(gate.answer, concurrency) as (server, port):
        for sent in (
            b"",
            b"GET /",
            b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nab",
            b"GET /slow HTTP/1.1\r\n\r\n",
        ):
            client = connect(port)
            client.sendall(sent)
            # Closing with this option resets the connection, as a client that was killed does.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        gate.opened.set()
        warm(port)
        wait_until(lambda: not server._connections._open)


def test_a_refused_body_does_not_hide_the_answer() -> None:
    with serving(echo) as (_, port), connect(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n" + b"x" * 3_000_000)
        connection.shutdown(socket.SHUT_WR)
        answer = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 413


def test_a_client_that_waits_is_told_to_go_on() -> None:
    with serving(echo) as (_, port), connect(port) as client:
        client.sendall(b"POST /x HTTP/1.1\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
        assert read_until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"ab")
        assert read_until(client, b"/xab").startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("limit", "sent"),
    [
        ("_HEAD_S", b"GET / HTTP/1.1\r\n"),
        ("_REQUEST_S", b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n"),
        ("_LINGER_S", b"nonsense\r\n\r\n"),
    ],
)
def test_a_client_that_drips_is_let_go_and_others_are_served(
    limit: str, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, limit, 0.0)
    with serving(echo) as (_, port), connect(port) as client:
        client.sendall(sent)
        warm(port)
        assert b"200 OK" not in read_all(client)


def test_a_rest_between_requests_may_be_long() -> None:
    client, far = socket.socketpair()
    with client, far:
        connection = connections.Connection(far)
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.receive()
        assert connection.parser.take() is not None
        assert not connection.is_late(connection.touched_at + 74, 75)
        assert connection.is_late(connection.touched_at + 76, 75)


def test_where_there_is_no_place_clients_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_MOST", 2)
    with serving(echo) as (_, port):
        clients = [connect(port) for _ in range(4)]
        for client in clients:
            client.sendall(b"GET /x HTTP/1.1\r\nconnection: close\r\n\r\n")
        for client in clients:
            assert read_all(client).endswith(b"/x")
            client.close()


def test_where_there_is_no_epoll_poll_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(select, "epoll")
    monkeypatch.setattr(server_module, "_TICK_S", 3600)  # nothing but an event ends a wait
    gate = Gate()
    with serving(gate.answer, 2) as (server, port):
        assert isinstance(server._connections.poller, poller.Poll)
        warm(port)
        with connect(port) as slow:
            slow.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
            wait_until(lambda: gate.waiting == 1)
            warm(port)
            gate.opened.set()
            read_until(slow, b"/slow")
            slow.sendall(b"GET /again HTTP/1.1\r\n\r\n")
            read_until(slow, b"/again")


def test_what_was_begun_is_answered_after_the_stop_and_the_idle_are_let_go() -> None:
    with serving(echo) as (server, port), connect(port) as begun, connect(port) as idle:
        idle.sendall(b"GET /first HTTP/1.1\r\n\r\n")
        read_until(idle, b"/first")
        begun.sendall(b"POST /late HTTP/1.1\r\ncontent-length: 2\r\n\r\na")
        wait_until(lambda: any(not c.parser.is_idle for c in list(server._connections._open.values())))
        server.stop()
        assert idle.recv(10) == b""
        begun.sendall(b"b")
        assert b"connection: close" in read_until(begun, b"/lateab")
        assert begun.recv(10) == b""


def test_what_waits_to_be_accepted_is_answered_after_the_stop() -> None:
    gate = Gate()
    with serving(gate.answer) as (server, port):
        first = connect(port)
        first.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
        wait_until(lambda: gate.waiting == 1)
        waiting = [connect(port) for _ in range(5)]
        for client in waiting:
            client.sendall(b"GET /waited HTTP/1.1\r\n\r\n")
        server.stop()
        gate.opened.set()
        for client in waiting:
            assert read_all(client).endswith(b"/waited")
            client.close()
        assert read_all(first).endswith(b"/slow")
        first.close()


def test_of_a_shared_listener_what_waits_is_left_to_the_others() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(8)
    port = listener.getsockname()[1]
    gate = Gate()
    server = Server(gate.answer, listener.dup(), 1, Log("f", lambda line: None), shares_listener=True)
    thread = threading.Thread(target=server.run)
    thread.start()
    with listener, connect(port) as first:
        first.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
        wait_until(lambda: gate.waiting == 1)
        with connect(port) as later:
            server.stop()
            gate.opened.set()
            assert read_all(first).endswith(b"/slow")
            thread.join(20)
            assert not thread.is_alive()
            accepted, address = listener.accept()
            accepted.close()
            assert address == later.getsockname()


def test_clients_that_ask_without_pause_lose_no_request_to_the_stop() -> None:
    answered: list[bool] = []

    def ask(port: int) -> None:
        with connect(port) as client:
            while True:
                client.sendall(b"GET /x HTTP/1.1\r\n\r\n")
                answer = read_until(client, b"/x")
                if b"connection: close" in answer:
                    answered.append(client.recv(1) == b"")
                    return

    with serving(echo, 2) as (server, port):
        threads = [threading.Thread(target=ask, args=(port,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(server._connections._open) == 8)
        server.stop()
        for thread in threads:
            thread.join(20)
    assert answered == [True] * 8


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


def test_the_log_has_a_line_before_the_client_has_its_answer() -> None:
    lines: list[str] = []
    with serving(echo, 2, lines) as (_, port), connect(port) as connection:
        for number in range(50):
            connection.sendall(b"GET /x HTTP/1.1\r\n\r\n")
            read_until(connection, b"/x")
            assert len(lines) == number + 1


def test_a_signal_is_noticed_while_the_main_thread_is_busy(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    copy_runtime(folder)
    # The main thread answers the first request, and holds the signal's handler back in native code.
    waits = """
import ctypes, os
class Model:
    def predict(self, inputs):
        if inputs["x"] == [[7, 7]]:
            open(os.path.join(os.environ["LASTMILE_BUNDLE"], "..", "at-work"), "w").close()
            go = os.path.join(os.environ["LASTMILE_BUNDLE"], "..", "go")
            ctypes.CDLL(None).system(f"until [ -e '{go}' ]; do sleep 0.02; done".encode())
        return {"doubled": inputs["x"]}
"""
    body = json.dumps({"inputs": [matrix([[7, 7]])]}).encode()
    head = b"POST /v2/models/breast-cancer/infer HTTP/1.1\r\ncontent-length: %d\r\n\r\n"
    with running(folder, python_bundle(folder, waits), 2, tcp=True) as function, function.connect() as first:
        first.sendall(head % len(body) + body)
        wait_until((tmp_path / "at-work").exists)
        with function.connect() as second:
            second.sendall(head % len(BODY) + BODY)
            assert b"connection: close" not in read_until(second, b"}")
            function.process.send_signal(signal.SIGTERM)
            # Both threads are there, and the one that polls closes what rests, with the first still at work.
            assert second.recv(1) == b""
            assert not select.select([first], [], [], 0)[0]
            (tmp_path / "go").touch()
            assert b"connection: close" in read_all(first)
        assert function.finish() == 0
