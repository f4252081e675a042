"""One HTTP/1.1 exchange with a function's process, over TCP or a Unix socket, while the process is looked after."""

from __future__ import annotations

import http.client
import io
import socket
import time
from pathlib import Path

from lastmile_sls.check.contract import POLL_S, Answer, too_late
from lastmile_sls.check.process import Process

_READ_BYTES = 1 << 18
Address = tuple[str, int] | Path
"""Host and port, or a Unix socket's path."""


def connect(address: Address) -> socket.socket:
    """Return a connection. Raises OSError."""
    family = socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET
    connection = socket.socket(family)
    connection.settimeout(POLL_S)
    try:
        connection.connect(str(address) if isinstance(address, Path) else address)
    except OSError:
        connection.close()
        raise
    return connection


def exchange(
    address: Address, method: str, path: str, body: bytes, process: Process, within_s: float
) -> Answer:
    """Send a request and return the whole answer. Raises NoAnswer."""
    deadline = time.monotonic() + within_s
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
    if body:
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    try:
        with connect(address) as connection:
            _send(connection, f"{head}\r\n".encode() + body, process, deadline)
            raw = _receive(connection, process, deadline)
    except TimeoutError:
        raise too_late(process, within_s, "the answer") from None
    except OSError as error:
        raise process.explain(f"its connection broke: {error.strerror or error}.") from error
    return _parse(time.perf_counter(), raw, process)


def _send(connection: socket.socket, content: bytes, process: Process, deadline: float) -> None:
    view = memoryview(content)
    while view:
        try:
            view = view[connection.send(view) :]
        except TimeoutError:
            _look(process, deadline)


def _receive(connection: socket.socket, process: Process, deadline: float) -> bytes:
    received = bytearray()
    while True:
        try:
            chunk = connection.recv(_READ_BYTES)
        except TimeoutError:
            _look(process, deadline)
            continue
        if not chunk:
            return bytes(received)
        received += chunk


def _look(process: Process, deadline: float) -> None:
    process.watch()
    if time.monotonic() > deadline:
        raise TimeoutError


class _Received(socket.socket):
    """What was received, as http.client reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, *_: object, **__: object) -> io.BytesIO:  # type: ignore[override] # it is read alone
        return io.BytesIO(self._content)


def _parse(at: float, raw: bytes, process: Process) -> Answer:
    response = http.client.HTTPResponse(_Received(raw))
    try:
        response.begin()
        content = response.read()
    except (http.client.HTTPException, ValueError) as error:
        raise process.explain(f"its answer is no whole HTTP message: {type(error).__name__}.") from error
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(at, response.status, headers, content)
