"""The user's own ASGI application: imported once, its lifespan run once, in the one event loop where it lives."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
import threading
from typing import Any

from lastmile_runtime.errors import RequestError
from lastmile_runtime.manifest import Bundle

FOLDER = "app"
"""Where the bundle has the application's files; what is in it is importable as it was beside the spec."""
_STOP_S = 8.0
"""How long its shutdown may take, within what platforms give a process that is told to end."""


class UserApp:
    """The application that a bundle's manifest names.

    Nothing is imported before the first request for one of its paths. What fails then fails for that request, and is
    tried again by the next.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._app: Any = None
        self._importing = threading.Lock()
        self._lifespan: _Lifespan | None = None
        self._starting: asyncio.Lock | None = None

    def load(self) -> Any:
        """Return the application.

        Raises RequestError: 501 when it needs a package that is not installed, 500 when its import fails otherwise.
        """
        with self._importing:
            if self._app is None:
                self._app = self._import()
            return self._app

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        """Have it answer; always called in the same event loop. Raises as `load` does, and whatever it raises."""
        app = await asyncio.to_thread(self.load)  # predictions go on meanwhile
        if self._starting is None:
            self._starting = asyncio.Lock()
        async with self._starting:
            if self._lifespan is None:
                lifespan = _Lifespan(app)
                await lifespan.start()
                self._lifespan = lifespan
        await app({**scope, "state": {**scope.get("state", {}), **self._lifespan.state}}, receive, send)

    async def stop(self) -> None:
        """Run its shutdown, if it was ever started."""
        lifespan, self._lifespan = self._lifespan, None
        if lifespan is not None:
            await lifespan.stop()

    def described(self) -> dict[str, Any] | None:
        """Return its OpenAPI document, if it is a FastAPI application that publishes one. Raises as `load` does."""
        app = self.load()
        describe = getattr(app, "openapi", None)
        if not callable(describe) or getattr(app, "openapi_url", None) is None:
            return None
        found: dict[str, Any] = describe()
        return found

    def _import(self) -> Any:
        file, _, name = (self._bundle.manifest.app or "").partition(":")
        try:
            for other in self._bundle.manifest.files:
                if other.startswith(f"{FOLDER}/"):
                    self._bundle.verify(other)
            module = self._import_module(file)
        except ModuleNotFoundError as error:
            raise _missing(error, file) from error
        except (Exception, SystemExit) as error:
            told = f"the endpoint's own application, {file}, cannot be imported; the function's log says why."
            raise RequestError(500, told) from error
        if not hasattr(module, name):
            raise RequestError(500, f"{file} has no {name!r}, which the manifest names as the application.")
        return getattr(module, name)

    def _import_module(self, file: str) -> Any:
        """Import as `uvicorn module:name` does where the folder is the current one.

        The folder comes last in the path, so that none of its modules takes the place of one that predictions need.
        """
        folder = f"{self._bundle.folder}/{FOLDER}"
        if folder not in sys.path:
            sys.path.append(folder)
        package, _, name = (
            file.removeprefix(f"{FOLDER}/").removesuffix(".py").replace("/", ".").rpartition(".")
        )
        if package:
            importlib.import_module(package)
        name = f"{package}.{name}" if package else name
        name = f"lastmile_user_{name}" if name in sys.modules else name
        spec = importlib.util.spec_from_file_location(name, f"{self._bundle.folder}/{file}")
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module


class _Lifespan:
    """The lifespan of an application (ASGI, lifespan protocol)."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._events: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        self.state: dict[str, Any] = {}
        """What it leaves for its requests."""

    async def start(self) -> None:
        """Run its startup. Raises RequestError (500) when that fails."""
        self._events.put_nowait({"type": "lifespan.startup"})
        self._task = asyncio.create_task(self._run())
        await self._started

    async def stop(self) -> None:
        """Run its shutdown, for as long as there is time."""
        assert self._task is not None
        self._events.put_nowait({"type": "lifespan.shutdown"})
        await asyncio.wait([self._task], timeout=_STOP_S)

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        with contextlib.suppress(Exception, SystemExit):  # one that knows no lifespan raises, and has none
            await self._app(scope, self._events.get, self._send)
        if not self._started.done():
            self._started.set_result(None)

    async def _send(self, message: dict[str, Any]) -> None:
        if self._started.done():
            return
        if message["type"] == "lifespan.startup.complete":
            self._started.set_result(None)
        elif message["type"] == "lifespan.startup.failed":
            reason = RuntimeError(message.get("message", ""))
            told = "the startup of the endpoint's own application failed; the function's log says why."
            error = RequestError(500, told)
            error.__cause__ = reason
            self._started.set_exception(error)


def _missing(error: ModuleNotFoundError, file: str) -> RequestError:
    """Return the refusal for a package that the application needs and the function does not have."""
    package = (error.name or "").partition(".")[0]
    told = (
        f"the endpoint's own application, {file}, needs {package!r}, which is not installed in this function."
    )
    return RequestError(501, f"{told} Install it there, or take endpoint.app out of the spec.")
