"""The function process of the local target: HTTP/1.1 over a listening socket that the host hands down.

Its environment: LASTMILE_BUNDLE, LASTMILE_MANIFEST_DIGEST, LASTMILE_ROUTING (JSON), LASTMILE_SOCKET_FD,
LASTMILE_CONCURRENCY, LASTMILE_FUNCTION. One JSON line per request goes to standard output.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from typing import Any

from lastmile_runtime.application import Application
from lastmile_runtime.errors import BundleError
from lastmile_runtime.http import Request, Response

MAX_HEADER_BYTES = 65_536
MAX_BODY_BYTES = 32 * 1024 * 1024
_PARENT_CHECK_S = 1.0
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 413: "Content Too Large",
            500: "Internal Server Error", 503: "Service Unavailable"}  # fmt: skip


def main() -> None:
    """Serve until SIGTERM, or until the host is gone."""
    environ = os.environ
    listener = socket.socket(fileno=int(environ["LASTMILE_SOCKET_FD"]))
    try:
        application = Application(
            environ["LASTMILE_BUNDLE"],
            environ["LASTMILE_MANIFEST_DIGEST"],
            json.loads(environ["LASTMILE_ROUTING"]),
        )
    except BundleError as error:
        sys.exit(f"the bundle cannot be used: {error}")
    server = Server(application, listener, int(environ["LASTMILE_CONCURRENCY"]), environ["LASTMILE_FUNCTION"])
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    server.run()


class Server:
    """Accepts connections, one request each, with one thread per request that is being answered."""

    def __init__(
        self, application: Application, listener: socket.socket, concurrency: int, function: str
    ) -> None:
        self._application = application
        self._listener = listener
        self._function = function
        self._slots = threading.BoundedSemaphore(concurrency)
        self._concurrency = concurrency
        self._stopping, self._stop = os.pipe()
        self._log_lock = threading.Lock()

    def run(self) -> None:
        """Serve until `stop`, then finish what is in flight."""
        import select

        self._listener.setblocking(False)
        while True:
            readable, _, _ = select.select([self._listener.fileno(), self._stopping], [], [])
            if self._stopping in readable:
                break
            self._slots.acquire()
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                self._slots.release()
                continue
            connection.setblocking(True)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        self._listener.close()
        for _ in range(self._concurrency):
            self._slots.acquire()

    def stop(self) -> None:
        """Stop accepting. Safe in a signal handler."""
        os.write(self._stop, b"x")

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._answer(connection)
        except OSError as error:
            self._log({"level": "warning", "error": f"the connection broke: {error}"})
        finally:
            self._slots.release()

    def _answer(self, connection: socket.socket) -> None:
        started = time.perf_counter()
        try:
            request = read_request(connection)
        except ValueError as error:
            connection.sendall(write_response(Response(400, {}, f"{error}\n".encode())))
            return
        if request is None:
            return
        response = self._application.handle(request)
        connection.sendall(write_response(response, head=request.method == "HEAD"))
        entry: dict[str, Any] = {"level": "error" if response.status >= 500 else "info"}
        entry |= {"method": request.method, "path": request.path, "status": response.status}
        entry["duration_ms"] = round((time.perf_counter() - started) * 1000, 2)
        if request_id := request.headers.get("x-request-id"):
            entry["request_id"] = request_id
        self._log({**entry, **response.facts})

    def _log(self, entry: dict[str, Any]) -> None:
        line = json.dumps({"function": self._function, **entry}, ensure_ascii=False) + "\n"
        with self._log_lock:
            sys.stdout.write(line)
            sys.stdout.flush()


def read_request(connection: socket.socket) -> Request | None:
    """Read one request; None when the peer closed without sending one. Raises ValueError for what is not HTTP/1.1."""
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        if len(received) > MAX_HEADER_BYTES:
            raise ValueError(f"the headers are longer than {MAX_HEADER_BYTES} bytes")
        chunk = connection.recv(65_536)
        if not chunk:
            return None
        received += chunk
    method, path, headers = _parse_head(received[:end])
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= MAX_BODY_BYTES:
        raise ValueError(f"the body has {length} bytes, but may have {MAX_BODY_BYTES}")
    body = bytearray(received[end + 4 :])
    while len(body) < length:
        chunk = connection.recv(min(1 << 20, length - len(body)))
        if not chunk:
            return None
        body += chunk
    return Request(method, path.partition("?")[0], headers, bytes(body[:length]))


def _parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise ValueError("the request line is not HTTP/1.1")
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError("a header has no colon")
        headers[name.lower()] = value.strip()
    return words[0], words[1], headers


def write_response(response: Response, *, head: bool = False) -> bytes:
    """Return the answer's bytes; the connection is closed after it."""
    reason = _REASONS.get(response.status, "")
    lines = [f"HTTP/1.1 {response.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    lines += [f"content-length: {len(response.body)}", "connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + (b"" if head else response.body)


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: it is then somebody else's child."""
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_S)
    os._exit(0)
