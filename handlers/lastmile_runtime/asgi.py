"""The endpoint as an ASGI application: the protocols, a page of documentation, and the user's own routes.

`uvicorn --factory lastmile_runtime.asgi:create` serves it; adapters ask it, through `call`, for what no protocol owns.
The user's application is imported by the first request that needs it, and its lifespan is run once.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import sys
import threading
from pathlib import Path
from typing import Any

from lastmile_runtime.application import Application
from lastmile_runtime.errors import BundleError
from lastmile_runtime.http import Request, Response, json_response, refusal
from lastmile_runtime.openapi import describe
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log

_TIMEOUT_S = 60.0
_LOCK = threading.Lock()


class Asgi:
    """One application's ASGI side."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._user: Any = None
        self._lifespan: asyncio.Task[None] | None = None
        self._lifespan_events: asyncio.Queue[dict[str, Any]] | None = None
        self._starting: asyncio.Lock | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one HTTP request, or go through a server's lifespan."""
        if scope["type"] == "lifespan":
            await self._serve_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("raw_path", b"").decode("latin-1").partition("?")[0] or scope["path"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope.get("query_string", b"").decode("latin-1")
        ours = self._application.serves(path)
        refused = None
        if not ours:
            request = Request(scope["method"], path, headers, b"", query)
            refused = self._application.authorize(request)
            if refused is None and path not in ("/docs", "/openapi.json") and self.has_user_app():
                try:
                    await self.serve_user(scope, receive, send)
                except BundleError as error:
                    await _send(send, _broken(request, error), head=False)
                return
        body = await _read(receive)
        request = Request(scope["method"], path, headers, body, query)
        if refused is None and ours:
            refused = await asyncio.to_thread(self._application.handle, request)
        response = refused or self.answer(request)
        await _send(send, response, head=request.method == "HEAD")
        if response.afterwards:
            await asyncio.to_thread(response.afterwards)

    async def serve_user(self, scope: Any, receive: Any, send: Any) -> None:
        """Have the user's application answer. Raises whatever it raises when it cannot be started."""
        app = self.user_app()
        await self._start_user(app)
        await app({**scope, "app": app}, receive, send)

    def answer(self, request: Request) -> Response:
        """Answer for the documentation; 404 for everything else."""
        if request.path == "/openapi.json" and request.method in ("GET", "HEAD"):
            return json_response(self.openapi())
        if request.path == "/docs" and request.method in ("GET", "HEAD"):
            page = Path(__file__).with_name("docs.html").read_bytes()
            return Response(200, {"content-type": "text/html; charset=utf-8"}, page)
        return refusal(request.path, 404, f"{request.path} is not a path of this endpoint; /docs lists them.")

    def openapi(self) -> dict[str, Any]:
        """Return the endpoint's OpenAPI document, with the user's routes where their application describes them."""
        service = self._application.service
        document = describe(
            service.model,
            list(service.versions.values()),
            service.champion(),
            auth=self._application.auth_kind,
            jobs=self._application.serves("/jobs/x"),
        )
        theirs = getattr(self.user_app(), "openapi", None) if self.has_user_app() else None
        if theirs:
            found = theirs()
            document["paths"] = {**found.get("paths", {}), **document["paths"]}
            schemas = found.get("components", {}).get("schemas", {})
            document["components"]["schemas"] = {**schemas, **document["components"]["schemas"]}
        return document

    def user_app(self) -> Any:
        """Return the user's application, imported once. Raises BundleError, or whatever its import raises."""
        with _LOCK:
            if self._user is None:
                try:
                    self._user = _load(self._application)
                except Exception as error:
                    raise BundleError(f"the application cannot be imported: {error}") from error
            return self._user

    def has_user_app(self) -> bool:
        """Tell whether the bundle has an application of the user's own."""
        return self._application.bundle.manifest.app is not None

    async def _start_user(self, app: Any) -> None:
        """Run the startup of the user's lifespan once, whoever serves; one that knows no lifespan has none."""
        if self._starting is None:
            self._starting = asyncio.Lock()
        async with self._starting:
            if self._lifespan is not None:
                return
            events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
            started: asyncio.Future[str] = asyncio.get_running_loop().create_future()

            async def send(message: dict[str, Any]) -> None:
                if message["type"].startswith("lifespan.startup") and not started.done():
                    started.set_result(
                        message.get("message", "") if message["type"].endswith("failed") else ""
                    )

            async def run() -> None:
                # An application without a lifespan raises for it (ASGI, lifespan protocol).
                with contextlib.suppress(Exception):
                    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, events.get, send)
                if not started.done():
                    started.set_result("")

            await events.put({"type": "lifespan.startup"})
            task = asyncio.ensure_future(run())
            failure = await started
            if failure:
                raise BundleError(f"the application's startup failed: {failure}")
            self._lifespan, self._lifespan_events = task, events

    async def _serve_lifespan(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._lifespan_events is not None and self._lifespan is not None:
                    await self._lifespan_events.put({"type": "lifespan.shutdown"})
                    await asyncio.wait([self._lifespan], timeout=_TIMEOUT_S)
                await send({"type": "lifespan.shutdown.complete"})
                return


def get_asgi(application: Application) -> Asgi:
    """Return an application's ASGI side, made once."""
    with _LOCK:
        if application.asgi is None:
            application.asgi = Asgi(application)
        found: Asgi = application.asgi
        return found


def create() -> Asgi:
    """Return the ASGI application that the environment describes: `uvicorn --factory lastmile_runtime.asgi:create`."""
    log = Log(os.environ.get("LASTMILE_FUNCTION", "predict"), sys.stdout.write)
    return get_asgi(start(os.environ, log, keeps_running=True))


def call(application: Application, request: Request) -> Response:
    """Answer a request that no protocol owns, from an adapter that has no event loop."""
    refused = application.authorize(request)
    if refused is not None:
        return refused
    asgi = get_asgi(application)
    if request.path in ("/docs", "/openapi.json") or not asgi.has_user_app():
        try:
            return asgi.answer(request)
        except Exception as error:  # noqa: BLE001 - the user's application may be broken
            return _broken(request, error)
    return asyncio.run_coroutine_threadsafe(_ask(asgi, request), _loop()).result(_TIMEOUT_S)


async def _ask(asgi: Asgi, request: Request) -> Response:
    found: dict[str, Any] = {"headers": [], "status": 500}
    body = bytearray()
    sent = False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            await asyncio.sleep(_TIMEOUT_S)  # the client does not go away while it waits
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            found.update(message)
        else:
            body.extend(message.get("body", b""))

    from urllib.parse import unquote

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(request.path),
        "raw_path": request.path.encode("latin-1"),
        "query_string": request.query.encode("latin-1"),
        "root_path": "",
        "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in request.headers.items()],
        "server": None,
        "client": None,
    }
    try:
        await asgi.serve_user(scope, receive, send)
    except Exception as error:  # noqa: BLE001 - the user's code
        return _broken(request, error)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in found["headers"]}
    headers.pop("content-length", None)
    return Response(found["status"], headers, bytes(body))


_LOOPS: list[asyncio.AbstractEventLoop] = []


def _loop() -> asyncio.AbstractEventLoop:
    """Return the event loop in which the user's application lives, started by its first request."""
    with _LOCK:
        if not _LOOPS:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="lastmile-asgi", daemon=True).start()
            _LOOPS.append(loop)
        return _LOOPS[0]


def _load(application: Application) -> Any:
    bundle = application.bundle
    file, _, name = (bundle.manifest.app or "").partition(":")
    folder = file.rpartition("/")[0]
    for other in bundle.manifest.files:
        if other.startswith(f"{folder}/"):
            bundle.verify(other)
    path = bundle.verify(file)
    sys.path.insert(0, os.path.dirname(path))  # noqa: PTH120 - as the bundle gives it
    spec = importlib.util.spec_from_file_location("lastmile_user_app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if not hasattr(module, name):
        raise BundleError(f"{file} has no {name}.")
    return getattr(module, name)


def _broken(request: Request, error: Exception) -> Response:
    import traceback

    stack = "".join(traceback.format_exception(error)).splitlines()
    message = "the endpoint's own application failed; the function's log says why."
    return refusal(request.path, 500, message, facts={"stack": stack})


async def _read(receive: Any) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return bytes(body)


async def _send(send: Any, response: Response, *, head: bool) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    if response.status != 204:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.body})
