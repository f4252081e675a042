"""What functions send to queues through: `POST /queues/{name}` on a Unix socket, 201 when the message is on disk."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

_LOG = logging.getLogger("lastmile.host")
MAX_MESSAGE_BYTES = 32 * 1024 * 1024
_TIMEOUT_S = 10.0
_BACKLOG = 1024


class Sender(Protocol):
    """A queue that takes messages."""

    async def send(self, body: bytes) -> str:
        """Add a message, on disk when this returns, and return its id. Raises sqlite3.Error when it is not."""


class QueueApi:
    """The socket, and the queues behind it by name."""

    def __init__(self, path: Path, queues: Mapping[str, Sender]) -> None:
        self._path = path
        self._queues = queues
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
                taken = await self._read(reader)
            status = taken if isinstance(taken, str) else await _send(*taken)
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            status = "400 Bad Request"
        with contextlib.suppress(OSError):
            writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> tuple[Sender, bytes] | str:
        """Return a message and its queue, or the status that refuses it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ")
        length = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), -1)
        queue = self._queues.get(path.removeprefix("/queues/"))
        if method != "POST" or queue is None:
            return "404 Not Found"
        if length < 0:
            return "411 Length Required"
        if length > MAX_MESSAGE_BYTES:
            return "413 Content Too Large"
        return queue, await reader.readexactly(length)


async def _send(queue: Sender, message: bytes) -> str:
    try:
        await queue.send(message)
    except sqlite3.Error as error:
        _LOG.warning("a message could not be queued: %s", error)
        return f"503 {error}"
    return "201 Created"
