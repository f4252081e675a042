"""The function process of the local target: HTTP/1.1 over a listening socket that the host hands down.

Its environment, beside `lastmile_runtime.startup`'s: LASTMILE_SOCKET_FD, LASTMILE_CONCURRENCY, LASTMILE_FUNCTION, and
LASTMILE_HOST_PID, with which it ends (by default its parent). One JSON line per request goes to standard output.
"""

from __future__ import annotations

# `signal` and `socket` would cost 7 ms of each cold start, for enum and selectors.
import _signal  # type: ignore[import-not-found] # typeshed leaves it out
import _socket
import os
import sys
import threading
import time

from lastmile_runtime.adapters.server import Server
from lastmile_runtime.errors import BundleError
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lastmile_runtime.application import Application
    from lastmile_runtime.http import Request, Response

_PARENT_CHECK_S = 1.0
_INTERNAL = "/_lastmile/"


def main() -> None:
    """Serve until SIGTERM, or until the host is gone."""
    # A pipe would hold back what the user's class prints, and could refuse its characters.
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr] # a TextIOWrapper: nothing replaced it yet
    try:
        server = _server(os.environ)
    except BundleError as error:
        sys.exit(f"the function cannot start: {error}")
    server.stop_on(_signal.SIGTERM)
    # ctrl-C in the host's terminal is the host's to handle.
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
    host = int(os.environ.get("LASTMILE_HOST_PID", os.getppid()))
    threading.Thread(target=_end_with, args=(host,), daemon=True).start()
    server.run()


def _server(environ: Mapping[str, str]) -> Server:
    listener = _socket.socket(fileno=int(environ["LASTMILE_SOCKET_FD"]))
    log = Log(environ["LASTMILE_FUNCTION"], sys.stdout.write)
    application = start(environ, log, keeps_running=True)
    concurrency = int(environ["LASTMILE_CONCURRENCY"])
    return Server(answering(application), listener, concurrency, log, shares_listener=True)


def answering(application: Application) -> Callable[[Request], Response]:
    """Return what answers a request of any path: a protocol's, the queue's, the docs' and the user's own."""

    def answer(request: Request) -> Response:
        if application.serves(request.path):
            return application.handle(request)
        if request.path.startswith(_INTERNAL):
            from lastmile_runtime.adapters.deliveries import deliver

            return deliver(application, request)
        from lastmile_runtime.asgi import call

        return call(application, request)

    return application.cors.answering(answer) if application.cors else answer


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: it is then somebody else's child."""
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_S)
    os._exit(0)
