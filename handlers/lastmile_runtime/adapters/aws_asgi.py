"""Lambda's HTTP events for the ASGI side, the documentation and the user's own routes: through Mangum, where it is there.

It is imported by the first request for one of them, because Mangum and asyncio cost more than all the rest.
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import Any
from urllib.parse import unquote

from lastmile_runtime import asgi
from lastmile_runtime.adapters import aws_events
from lastmile_runtime.application import Application
from lastmile_runtime.http import Request

_LOCK = threading.Lock()
_ADAPTERS: dict[int, Any] = {}


def call(
    application: Application, request: Request, event: dict[str, Any], context: Any, kind: str
) -> dict[str, Any]:
    """Answer a request that no protocol owns, in the form that its event's sender takes."""
    adapter = _adapter(application)
    if adapter is None:
        return aws_events.answer_of(asgi.call(application, request), request, event, kind)
    with _LOCK:  # Mangum runs one event loop, which answers one event at a time
        answer: dict[str, Any] = adapter(event, context)
    return answer


class _Unprefixed:
    """An ASGI application behind Mangum, which leaves a stage's name in the path."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        event = scope["aws.event"]
        path = aws_events.path_of(event, aws_events.kind_of(event))
        await self._inner({**scope, "path": unquote(path), "raw_path": path.encode()}, receive, send)


def _adapter(application: Application) -> Any:
    """Return Mangum around the application's ASGI side, made once; None where the bundle does not have it."""
    with _LOCK:
        if id(application) not in _ADAPTERS:
            try:
                mangum = import_module("mangum")
            except ImportError:
                _ADAPTERS[id(application)] = None
            else:
                # Its lifespan would run around every event (Kludex/mangum#342); our ASGI side runs the user's once.
                inner = _Unprefixed(asgi.get_asgi(application))
                _ADAPTERS[id(application)] = mangum.Mangum(inner, lifespan="off")
        return _ADAPTERS[id(application)]
