"""Cloud Run's container: HTTP/1.1 on $PORT, and Pub/Sub's pushes (cloud.google.com/run/docs/container-contract).

Its environment, beside `lastmile_runtime.startup`'s:
PORT (default 8080), or Vertex AI's AIP_HTTP_PORT, which wins.
K_SERVICE: the name that the log gives the function. GOOGLE_CLOUD_PROJECT: joins the log's lines to their traces.
LASTMILE_CONCURRENCY: how many requests are answered at once (default 4); Cloud Run's own is to be the same or more.
LASTMILE_KEEPS_RUNNING=1: the instance has its processor between requests too (instance-based billing).
LASTMILE_PUSH_AUDIENCE, LASTMILE_PUSH_ACCOUNT: whose pushes are taken at /_lastmile/queue; none without the first.
LASTMILE_PUSH_CHECKED=1: Cloud Run checks callers itself (auth iam), and so has checked whoever pushes.
LASTMILE_QUEUE_ATTEMPTS: how often the subscription delivers a message before it sets it aside.
"""

from __future__ import annotations

# `signal` and `socket` would cost 7 ms of each cold start, for enum and selectors.
import _signal  # type: ignore[import-not-found] # typeshed leaves it out
import _socket
import os
import sys

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lastmile_runtime.adapters.server import Server
    from lastmile_runtime.application import Application
    from lastmile_runtime.http import Request, Response

PUSH_PATH = "/_lastmile/queue"
_BACKLOG = 1024
_IDLE_S = 620.0
"""Longer than the 600 s that Google's load balancers keep a connection, lest they use one that is being closed
(cloud.google.com/load-balancing/docs/https, timeouts and retries)."""


def main() -> None:
    """Serve until SIGTERM, then answer what was begun; Cloud Run gives ten seconds for that."""
    environ = os.environ
    # Listening comes before all other imports: what the platform sends meanwhile waits here, and not for its retries.
    listener = _listen(int(environ.get("AIP_HTTP_PORT") or environ.get("PORT") or "8080"))
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr] # a TextIOWrapper: nothing replaced it yet
    from lastmile_runtime.errors import BundleError

    try:
        server = _server(environ, listener)
    except BundleError as error:
        sys.exit(f"the function cannot start: {error}")
    server.stop_on(_signal.SIGTERM)
    server.run()


def _listen(port: int) -> _socket.socket:
    listener = _socket.socket()
    listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))  # noqa: S104 - the container's contract
    listener.listen(_BACKLOG)
    return listener


def _server(environ: Mapping[str, str], listener: _socket.socket) -> Server:
    from lastmile_runtime.adapters.server import Server
    from lastmile_runtime.forms.cloud_logging import form
    from lastmile_runtime.startup import start
    from lastmile_runtime.telemetry import Log

    log = Log(environ.get("K_SERVICE", "predict"), sys.stdout.write, form)
    application = start(environ, log, keeps_running=environ.get("LASTMILE_KEEPS_RUNNING") == "1")
    concurrency = int(environ.get("LASTMILE_CONCURRENCY", "4"))
    return Server(_answering(application, environ), listener, concurrency, log, idle_s=_IDLE_S)


def _answering(application: Application, environ: Mapping[str, str]) -> Callable[[Request], Response]:
    from lastmile_runtime.adapters.local import answering
    from lastmile_runtime.http import refusal

    take_push = None
    if environ.get("LASTMILE_PUSH_AUDIENCE"):
        from lastmile_runtime.adapters.pubsub import Pushes

        take_push = Pushes(application, environ).take
    answer = answering(application)

    def answer_or_take(request: Request) -> Response:
        if request.path.startswith("/_lastmile/"):
            if take_push and request.path == PUSH_PATH and request.method == "POST":
                return take_push(request)
            return refusal(request.path, 404, f"{request.path} is not a path of this endpoint.")
        if "traceparent" not in request.headers and "x-cloud-trace-context" in request.headers:
            _carry_trace(request.headers)
        return answer(request)

    return answer_or_take


def _carry_trace(headers: dict[str, str]) -> None:
    """Say in the words of W3C Trace Context what Google's older header says: TRACE/SPAN;o=OPTIONS, SPAN in decimal."""
    trace, _, rest = headers["x-cloud-trace-context"].partition("/")
    span, _, options = rest.partition(";")
    if len(trace) == 32 and trace.isalnum() and span.isascii() and span.isdigit() and len(span) <= 20:
        headers["traceparent"] = f"00-{trace}-{int(span) % 2**64:016x}-{'01' if options == 'o=1' else '00'}"


if __name__ == "__main__":
    main()
