"""Cloud Run's container: HTTP/1.1 on $PORT, and Pub/Sub's pushes (cloud.google.com/run/docs/container-contract).

Its environment, beside `lastmile_runtime.startup`'s: PORT, or Vertex AI's AIP_HTTP_PORT; K_SERVICE; LASTMILE_CONCURRENCY
(default 4); LASTMILE_KEEPS_RUNNING=1 where the instance has its processor between requests too (instance-based
billing). Pub/Sub pushes to /_lastmile/queue: the gateway lets only its service account invoke the service, and where
LASTMILE_PUSH_AUDIENCE is set, the push's token is verified here as well.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

from lastmile_runtime.adapters.local import answering
from lastmile_runtime.adapters.server import Server
from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.forms.cloud_logging import form
from lastmile_runtime.http import Request, Response, json_response
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lastmile_runtime.application import Application

PUSH_PATH = "/_lastmile/queue"
_ISSUER = "https://accounts.google.com"
_BACKLOG = 1024


def main() -> None:
    """Serve until SIGTERM, then answer what is in flight; Cloud Run gives ten seconds for that."""
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr] # a TextIOWrapper: nothing replaced it yet
    environ = os.environ
    # Listening comes first: what the platform sends meanwhile waits here, and not in its retries.
    listener = _listen(int(environ.get("AIP_HTTP_PORT") or environ.get("PORT") or "8080"))
    log = Log(environ.get("K_SERVICE", "predict"), sys.stdout.write, form)
    try:
        application = start(environ, log, keeps_running=environ.get("LASTMILE_KEEPS_RUNNING") == "1")
    except BundleError as error:
        sys.exit(f"the function cannot start: {error}")
    server = Server(
        _answering(application, environ), listener, int(environ.get("LASTMILE_CONCURRENCY", "4")), log
    )
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    server.run()


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))  # noqa: S104 - the container's contract
    listener.listen(_BACKLOG)
    return listener


def _answering(application: Application, environ: Mapping[str, str]) -> Callable[[Request], Response]:
    answer, audience = answering(application), environ.get("LASTMILE_PUSH_AUDIENCE")

    def answer_or_take(request: Request) -> Response:
        if request.path == PUSH_PATH and request.method == "POST":
            return take_push(application, request, audience)
        if request.path.startswith("/_lastmile/"):
            return json_response({"error": "there is nothing here."}, 404)
        return answer(request)

    return answer_or_take


def take_push(application: Application, request: Request, audience: str | None) -> Response:
    """Do what a pushed message says (cloud.google.com/pubsub/docs/push): 204 acknowledges it, 503 has it sent again.

    A message that can never be done is acknowledged, and told in the log.
    """
    import json
    from base64 import b64decode

    facts = {"faas.trigger": "pubsub"}
    try:
        if audience:
            _verify(request, audience)
        envelope = json.loads(request.body)
        message = b64decode(envelope["message"]["data"], validate=True)
        attempt = int(envelope.get("deliveryAttempt") or 1)
        answer = application.work(message, attempt=attempt)
    except RequestError as error:
        return json_response(
            {"error": error.message}, error.status, error.headers, {**facts, "error": error.message}
        )
    except (ValueError, KeyError, TypeError) as error:
        return Response(204, {}, b"", {**facts, "error": f"the message was dropped: {error}"})
    except Exception as error:  # noqa: BLE001 - whatever it was, Pub/Sub delivers it again
        return json_response({"error": str(error)}, 503, None, {**facts, "error": str(error)})
    return Response(204, {}, b"", {**facts, "attempt": attempt, **(answer.facts if answer else {})})


_VERIFIERS: dict[str, object] = {}


def _verify(request: Request, audience: str) -> None:
    from lastmile_runtime.tokens import TokenVerifier

    verifier = _VERIFIERS.setdefault(audience, TokenVerifier(_ISSUER, [audience]))
    assert isinstance(verifier, TokenVerifier)
    verifier.check(request.headers.get("authorization", ""))


if __name__ == "__main__":
    main()
