"""The host's Unix socket for functions: `POST /queues/{name}`, 201 when the message is on disk; `/functions/{name}/...`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

from lastmile_runtime.http import TITLES
from lastmile_sls.local.calls import PREFIX, FindCalled, call
from lastmile_sls.local.exchange import Headers

_LOG = logging.getLogger("lastmile.host")
MAX_MESSAGE_BYTES = 32 * 1024 * 1024
_TIMEOUT_S = 10.0
_BACKLOG = 1024
_QUEUES = "/queues/"

_Act = Callable[[Headers, bytes], Awaitable[bytes]]


class Sender(Protocol):
    """A queue that takes messages."""

    async def send(self, body: bytes) -> str:
        """Add a message, on disk when this returns, and return its id. Raises sqlite3.Error when it is not."""


class _Refused(Exception):
    """A request that is no message and no question; its text is the status line's."""


def _no_function(name: str) -> None:
    return None


class QueueApi:
    """The socket, and the queues and functions behind it by name."""

    def __init__(
        self, path: Path, queues: Mapping[str, Sender], find_called: FindCalled = _no_function
    ) -> None:
        self._path = path
        self._queues = queues
        self._find_called = find_called
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_unix_server(self._serve, str(self._path), backlog=_BACKLOG)

    async def stop(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                act, headers, body = await self._read(reader)
            answer = await act(headers, body)
        except _Refused as refused:
            answer = _render(str(refused))
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            answer = _render("400 Bad Request")
        with contextlib.suppress(OSError):
            writer.write(answer)
            await writer.drain()
        writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> tuple[_Act, Headers, bytes]:
        """Return what is to be done, and with which headers and body. Raises _Refused."""
        first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        method, path, _ = first.decode("latin-1").split(" ")
        act = self._find(method, path)
        pairs = [line.partition(b":") for line in lines]
        headers = [(name.strip().lower(), value.strip()) for name, _, value in pairs]
        length = next((int(value) for name, value in headers if name == b"content-length"), -1)
        if length < 0:
            raise _Refused("411 Length Required")
        if length > MAX_MESSAGE_BYTES:
            raise _Refused("413 Content Too Large")
        return act, headers, await reader.readexactly(length)

    def _find(self, method: str, path: str) -> _Act:
        if path.startswith(PREFIX):
            return partial(_ask, self._find_called, method, path)
        queue = self._queues.get(path.removeprefix(_QUEUES))
        if method != "POST" or queue is None:
            raise _Refused("404 Not Found")
        return partial(_send, queue)


async def _send(queue: Sender, headers: Headers, message: bytes) -> bytes:
    try:
        await queue.send(message)
    except sqlite3.Error as error:
        _LOG.warning("a message could not be queued: %s", error)
        return _render("503 Service Unavailable", body=str(error).encode())
    return _render("201 Created")


async def _ask(find_called: FindCalled, method: str, path: str, headers: Headers, body: bytes) -> bytes:
    answer = await call(find_called, method, path, headers, body)
    return _render(f"{answer.status} {TITLES.get(answer.status, '')}", answer.headers, answer.body)


def _render(status: str, headers: Headers | None = None, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status}".encode(), *(name + b": " + value for name, value in headers or ())]
    lines += [b"content-length: %d" % len(body), b"connection: close", b"", body]
    return b"\r\n".join(lines)
