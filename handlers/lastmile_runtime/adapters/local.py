"""The function process of the local target: HTTP/1.1 over a listening socket that the host hands down.

Its environment: LASTMILE_BUNDLE, LASTMILE_MANIFEST_DIGEST, LASTMILE_ROUTING (JSON), LASTMILE_SOCKET_FD,
LASTMILE_CONCURRENCY, LASTMILE_FUNCTION, and LASTMILE_HOST_PID, with which it ends (by default its parent).
One JSON line per request goes to standard output.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time

from lastmile_runtime.adapters.http1 import HeadError, read_request, render_response
from lastmile_runtime.errors import BundleError
from lastmile_runtime.http import refusal
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lastmile_runtime.application import Application
    from lastmile_runtime.http import Request, Response

_PARENT_CHECK_S = 1.0
_PEER_TIMEOUT_S = 60.0
"""How long a peer may send or take nothing before it is given up, so that it does not hold a place for ever."""


def main() -> None:
    """Serve until SIGTERM, or until the host is gone."""
    # A pipe would hold back what the user's class prints, and could refuse its characters.
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr] # a TextIOWrapper: nothing replaced it yet
    try:
        server = _server(os.environ)
    except BundleError as error:
        sys.exit(f"the function cannot start: {error}")
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    # ctrl-C in the host's terminal is the host's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(
        target=_end_with, args=(int(os.environ.get("LASTMILE_HOST_PID", os.getppid())),), daemon=True
    ).start()
    server.run()


def _server(environ: Mapping[str, str]) -> Server:
    listener = socket.socket(fileno=int(environ["LASTMILE_SOCKET_FD"]))
    log = Log(environ["LASTMILE_FUNCTION"], sys.stdout.write)
    application = start(environ, log, keeps_running=True)
    return Server(application, listener, int(environ["LASTMILE_CONCURRENCY"]), log)


class Server:
    """Accepts connections, one request each, with one thread per request that is being answered."""

    def __init__(self, application: Application, listener: socket.socket, concurrency: int, log: Log) -> None:
        self._application = application
        self._listener = listener
        self._concurrency = concurrency
        self._log = log
        self._places = threading.Semaphore(concurrency)
        self._stopping = False
        self._wake_read, self._wake_write = os.pipe()

    def run(self) -> None:
        """Serve until `stop`, then finish what is in flight. Further connections wait in the socket's backlog."""
        self._listener.setblocking(False)
        while not self._stopping:
            self._places.acquire()
            connection = self._accept()
            if connection is None:
                self._places.release()
            else:
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        self._listener.close()
        for _ in range(self._concurrency):
            self._places.acquire()

    def stop(self) -> None:
        """Stop accepting. Safe in a signal handler."""
        self._stopping = True
        os.write(self._wake_write, b"x")

    def _accept(self) -> socket.socket | None:
        """Wait for the next connection; None when there is none after all, or the server was stopped."""
        select.select([self._listener.fileno(), self._wake_read], [], [])
        if self._stopping:
            return None
        try:
            connection, _ = self._listener.accept()
        except OSError as error:  # the peer left, or another process of this function took it
            if not isinstance(error, BlockingIOError):
                self._log.warning(f"a connection could not be accepted: {error}")
            return None
        connection.settimeout(_PEER_TIMEOUT_S)
        return connection

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._exchange(connection)
        except OSError as error:
            self._log.warning(f"the connection broke: {error}")
        finally:
            self._places.release()

    def _exchange(self, connection: socket.socket) -> None:
        started = time.perf_counter()
        request = None
        try:
            request = read_request(connection)
            if request is None:
                return
            response = self._answer(request)
        except HeadError as error:
            response = refusal(error.path, error.status, error.message)
        # The log comes first, so that whoever has the answer finds its line.
        self._log.request(request, response, time.perf_counter() - started)
        connection.sendall(render_response(response, head=request is not None and request.method == "HEAD"))
        connection.shutdown(socket.SHUT_WR)
        if response.afterwards:
            response.afterwards()

    def _answer(self, request: Request) -> Response:
        if request.path.startswith("/_lastmile/"):
            from lastmile_runtime.adapters.deliveries import deliver

            return deliver(self._application, request)
        return self._application.handle(request)


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: it is then somebody else's child."""
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_S)
    os._exit(0)
