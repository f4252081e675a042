"""Functions with a URL fail as the local target's do, and are given up at the deadline."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from lastmile_runtime.calls.https import HttpsFunction, address_of
from lastmile_runtime.http import Request, Response
from tests.lastmile_runtime.fronts import front
from tests.lastmile_runtime.stores.servers import serving
from tests.ports import free_port


def at(port: int, deadline_s: float = 10.0) -> HttpsFunction:
    address = address_of(f"key+http://127.0.0.1:{port}", ())
    assert address is not None
    return HttpsFunction(address, lambda _: {}, deadline_s)


def test_the_deadline_is_for_the_whole_answer() -> None:
    done = threading.Event()

    def wait(_: Request) -> Response:
        done.wait(30)
        return Response(200, {}, b"")

    with front(wait) as server:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            at(server.server_port, 0.2).ask("GET", "/")
        assert time.monotonic() - started < 10
        done.set()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (b"", "the server closed the connection without an answer"),
        (b"SSH-2.0\r\n\r\n", "the server answered 'SSH-2.0', which is no HTTP/1"),
    ],
)
def test_less_than_an_answer_is_an_error(said: bytes, message: str) -> None:
    with serving(lambda *_: said) as server, pytest.raises(ConnectionError) as failed:
        at(server.port).ask("GET", "/")
    assert str(failed.value) == message


def test_an_answer_that_ends_early_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_half() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab")

        threading.Thread(target=answer_half, daemon=True).start()
        with pytest.raises(ConnectionError, match=r"^the answer ended 3 bytes early$"):
            at(listener.getsockname()[1]).ask("GET", "/")


def test_nobody_listens() -> None:
    with pytest.raises(ConnectionRefusedError):
        at(free_port()).ask("GET", "/")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("run+https://h.a.run.app", "h.a.run.app"),
        ("run+https://h/", "h"),
        ("key+https://h:444", "h:444"),
        ("key+http://localhost:81", "localhost:81"),
        ("key+http://[::1]:81", "[::1]:81"),
    ],
)
def test_where_a_url_leads(url: str, name: str) -> None:
    address = address_of(url, (b"Issuer",))
    assert address is not None
    assert (address.name, address.issuers) == (name, (b"Issuer",))
