"""A port of this machine with an HTTP server on it, whose application a reload may exchange."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from lastmile_sls.errors import LastmileError
from lastmile_sls.local.gateway import App, Receive, Scope, Send

ADDRESS = "127.0.0.1"
_DRAIN_S = 10
_BACKLOG = 1024


class _Server(uvicorn.Server):
    """One route's HTTP server; signals are the host's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listener:
    """A port, and the application behind it, which a reload may exchange."""

    def __init__(self, port: int, app: App) -> None:
        self.port = port
        self.app = app
        self._socket = _bind(port)
        config = uvicorn.Config(
            self._answer,
            interface="asgi3",
            proxy_headers=False,
            server_header=False,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_DRAIN_S,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to serve."""
        self._task = asyncio.ensure_future(self._server.serve(sockets=[self._socket]))

    async def stop(self) -> None:
        """Answer what is in flight, then close the port."""
        self._server.should_exit = True
        if self._task:
            await self._task
        self._socket.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def _bind(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, port))
    except OSError as error:
        listener.close()
        raise LastmileError(
            f"port {port} cannot be served: {error.strerror}.",
            "Stop what listens there, then run `lastmile up`.",
        ) from error
    listener.listen(_BACKLOG)
    return listener
