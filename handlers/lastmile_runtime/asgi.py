"""The endpoint as an ASGI application: the protocols, a page of documentation, and the user's own routes.

`uvicorn --factory lastmile_runtime.asgi:create` serves it; adapters ask it, through `call`, for what no protocol owns.

The user's application lives in one event loop for good: in the server's, where a server runs our lifespan, else in one
of our own, in a thread. So Mangum, which must be given `lifespan="off"`, may use whichever loop it has.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from typing import Any
from urllib.parse import quote

from lastmile_runtime.application import Application
from lastmile_runtime.background import collect
from lastmile_runtime.cors import Cors
from lastmile_runtime.documentation import PATHS, Documentation
from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.http import MAX_BODY_BYTES, Request, Response, refusal
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log
from lastmile_runtime.user_app import UserApp

_LOCK = threading.Lock()
_POLICY_VIOLATION = 1008
"""The status with which a WebSocket is refused (RFC 6455, 7.4.1)."""
_NO_ANSWER = "the endpoint's own application sent no answer."


class Asgi:
    """One application's ASGI side."""

    def __init__(self, application: Application, log: Log | None = None) -> None:
        """Serve an application.

        Args:
            application: What answers for the protocols, and says who may call.
            log: Told of every request; None where an adapter tells its own log.
        """
        self._application = application
        self._log = log
        self._user = UserApp(application.bundle) if application.bundle.manifest.app else None
        self._documentation = Documentation(application, self._user)
        self._home: asyncio.AbstractEventLoop | None = None
        """The event loop of a server that runs our lifespan."""
        self._background = False
        """The user's application lives in our own event loop."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or go through a server's lifespan."""
        match scope["type"]:
            case "lifespan":
                await self._serve_lifespan(receive, send)
            case "websocket":
                await self._serve_websocket(scope, receive, send)
            case _:
                await self._serve(scope, receive, _Sender(send))

    def answer(self, request: Request) -> Response:
        """Answer a request that may be made, and that no protocol owns, from a thread without an event loop."""
        if self._is_users(request):
            return self._ask(_scope_of(request), request)
        return self._documentation.answer(request)

    async def _serve(self, scope: Any, receive: Any, sender: _Sender) -> None:
        began = time.perf_counter()
        request = _request_of(scope)
        cors = self._application.cors
        asked = cors.preflight(request) if cors else None
        if cors and not asked:
            sender.tell_browsers(cors, request.headers.get("origin"))
        try:
            response = asked or await self._answer(scope, request, receive, sender)
        except RequestError as error:
            response = refusal(request.path, error.status, error.message, error.headers)
        self._tell(request, response, time.perf_counter() - began)
        if not sender.status:
            await _send(sender, response, head=request.method == "HEAD")
        if response.afterwards:
            await asyncio.to_thread(response.afterwards)

    async def _answer(self, scope: Any, request: Request, receive: Any, sender: _Sender) -> Response:
        """Return the answer; it is sent already where the user's application did that. Raises RequestError."""
        if not request.path.startswith("/"):
            raise RequestError(400, f"the path is {request.path!r}, but must begin with /.")
        if self._application.serves(request.path):
            request.body = await _read(receive)
            return await asyncio.to_thread(self._application.handle, request)
        refused = await asyncio.to_thread(self._application.authorize, request)
        if refused is not None:
            return refused
        if not self._is_users(request):
            return await asyncio.to_thread(self._documentation.answer, request)
        scope = _without_secrets(scope, request)
        if self._home is asyncio.get_running_loop() and not self._background:
            return await self._let_user_answer(scope, request, receive, sender)
        request.body = await _read(receive)
        return await asyncio.to_thread(self._ask, scope, request)

    async def _let_user_answer(self, scope: Any, request: Request, receive: Any, sender: _Sender) -> Response:
        assert self._user is not None
        try:
            await self._user.serve(scope, receive, sender)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code
            return _failed(request, error, sender.status)
        if not sender.status:
            return refusal(request.path, 500, _NO_ANSWER)
        return Response(sender.status, {}, b"")

    def _ask(self, scope: Any, request: Request) -> Response:
        """Have the user's application answer in our own event loop; return the answer once it is whole."""
        assert self._user is not None
        self._background = True
        found = collect(self._user, scope, request.body)
        failed = None if found.error is None else _failed(request, found.error, found.status)
        if not found.status:
            return failed or refusal(request.path, 500, _NO_ANSWER)
        return Response(found.status, found.headers(), bytes(found.body), failed.facts if failed else None)

    async def _serve_lifespan(self, receive: Any, send: Any) -> None:
        """Go through a server's lifespan; the user's own begins with the first request for it."""
        await receive()
        self._home = asyncio.get_running_loop()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._user is not None and not self._background:
            await self._user.stop()
        self._home = None
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve_websocket(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand a WebSocket to the user's application, where it can live as long as it does."""
        request = _request_of({**scope, "method": "GET"})
        here = self._home is asyncio.get_running_loop() and not self._background
        refused = await asyncio.to_thread(self._application.authorize, request)
        if self._user is None or not here or refused is not None:
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        await self._user.serve(_without_secrets(scope, request), receive, send)

    def _is_users(self, request: Request) -> bool:
        return self._user is not None and request.path not in PATHS

    def _tell(self, request: Request, response: Response, duration_s: float) -> None:
        """Tell the log; where an adapter has one, only what that cannot know: why something failed."""
        if self._log is not None:
            self._log.request(request, response, duration_s)
        elif "stack" in response.facts:
            name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or os.environ.get(
                "LASTMILE_FUNCTION", "predict"
            )
            log = Log(name, sys.stdout.write)
            log.event("error", {"method": request.method, "path": request.path, **response.facts})


class _Sender:
    """A server's `send` that knows whether an answer was begun, and with which status."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self._cors: Cors | None = None
        self._origin: str | None = None
        self.status = 0

    def tell_browsers(self, cors: Cors, origin: str | None) -> None:
        """Say on the answer which web page may read it; `origin` is the one that asks."""
        self._cors, self._origin = cors, origin

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._cors:
                message = {**message, "headers": self._told(self._cors, message.get("headers", ()))}
        await self._send(message)

    def _told(self, cors: Cors, headers: Any) -> list[tuple[bytes, bytes]]:
        vary = ", ".join([value.decode("latin-1") for name, value in headers if name.lower() == b"vary"])
        told = {
            name.encode(): value.encode("latin-1")
            for name, value in cors.headers(self._origin, vary or None).items()
        }
        return [*((name, value) for name, value in headers if name.lower() not in told), *told.items()]


def get_asgi(application: Application, log: Log | None = None) -> Asgi:
    """Return an application's ASGI side, made once; `log` as `Asgi` takes it."""
    with _LOCK:
        if application.asgi is None:
            application.asgi = Asgi(application, log)
        found: Asgi = application.asgi
        return found


def create() -> Asgi:
    """Return the ASGI application that the environment describes: `uvicorn --factory lastmile_runtime.asgi:create`.

    The environment is `lastmile_runtime.startup`'s, and LASTMILE_FUNCTION, the function's name for the log; on Cloud Run
    K_SERVICE and LASTMILE_KEEPS_RUNNING, as in `lastmile_runtime.adapters.gcp`. Exits when it cannot be served.
    """
    environ = os.environ
    form = None
    if "K_SERVICE" in environ:
        from lastmile_runtime.forms import cloud_logging

        form = cloud_logging.form
    log = Log(environ.get("LASTMILE_FUNCTION") or environ.get("K_SERVICE", "predict"), sys.stdout.write, form)
    keeps_running = environ.get("LASTMILE_KEEPS_RUNNING", "0" if form else "1") == "1"
    try:
        return get_asgi(start(environ, log, keeps_running=keeps_running), log)
    except BundleError as error:
        sys.exit(f"the function cannot start: {error}")


def call(application: Application, request: Request) -> Response:
    """Answer a request that no protocol owns, from an adapter that has no event loop; never raises.

    It checks who calls. An answer that the user's application streams comes as a whole, and with whatever that does
    after it done.
    """
    refused = application.authorize(request)
    if refused is not None:
        return refused
    try:
        return get_asgi(application).answer(request)
    except Exception as error:  # noqa: BLE001 - adapters answer whatever happens
        return _failed(request, error, 0)


def _failed(request: Request, error: BaseException, status: int) -> Response:
    """Return the answer for a failure of the user's application, with what the log says of it.

    `status` is what that has sent already, 0 for nothing.
    """
    import traceback

    stack = "".join(traceback.format_exception(error)).splitlines()
    if isinstance(error, RequestError):
        response = refusal(request.path, error.status, error.message, error.headers, {"stack": stack})
    else:
        told = "the endpoint's own application failed; the function's log says why."
        response = refusal(request.path, 500, told, facts={"stack": stack})
    response.status = status or response.status
    return response


def _request_of(scope: Any) -> Request:
    raw = scope.get("raw_path")
    path = raw.decode("latin-1").partition("?")[0] if raw else quote(scope["path"])
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        joint = "; " if key == "cookie" else ", "
        headers[key] = f"{headers[key]}{joint}{text}" if key in headers else text
    return Request(scope["method"], path, headers, b"", scope.get("query_string", b"").decode("latin-1"))


def _scope_of(request: Request) -> dict[str, Any]:
    from urllib.parse import unquote

    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.headers.get("x-forwarded-proto", "http"),
        "path": unquote(request.path),
        "raw_path": request.path.encode("latin-1"),
        "query_string": request.query.encode("latin-1"),
        "root_path": "",
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()
        ],
        "server": None,
        "client": None,
    }


def _without_secrets(scope: Any, request: Request) -> Any:
    """Return a scope without the headers that prove who calls: the check took them out of the request."""
    headers = [
        (name, value) for name, value in scope["headers"] if name.decode("latin-1").lower() in request.headers
    ]
    return {**scope, "headers": headers}


async def _read(receive: Any) -> bytes:
    """Return a request's body. Raises RequestError (413) for one that is too large, 400 when the client left."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError(400, "the client left before the body had come.")
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise RequestError(
                413, f"the body has more than {MAX_BODY_BYTES} bytes, which it may have at most."
            )
        if not message.get("more_body"):
            return bytes(body)


async def _send(send: Any, response: Response, *, head: bool) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    if response.status != 204:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.body})
