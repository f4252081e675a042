"""What functions send to queues through: `POST /queues/{name}` on a Unix socket, 201 when the message is on disk."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path

from lastmile_sls.local.deliveries import Deliveries

_LOG = logging.getLogger("lastmile.host")
MAX_MESSAGE_BYTES = 32 * 1024 * 1024
_TIMEOUT_S = 10.0


class QueueApi:
    """The socket, and the queues behind it by name."""

    def __init__(self, path: Path, queues: Mapping[str, Deliveries]) -> None:
        self._path = path
        self._queues = queues
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_unix_server(self._serve, str(self._path))

    async def stop(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                status = await self._take(reader)
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            status = "400 Bad Request"
        except Exception:  # noqa: BLE001 - told in the host's log, and the host goes on
            _LOG.exception("a message could not be queued")
            status = "503 Service Unavailable"
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    async def _take(self, reader: asyncio.StreamReader) -> str:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ")
        length = next(int(line[15:]) for line in lines if line.lower().startswith("content-length:"))
        queue = self._queues.get(path.removeprefix("/queues/"))
        if method != "POST" or queue is None:
            return "404 Not Found"
        if length > MAX_MESSAGE_BYTES:
            return "413 Content Too Large"
        queue.send(await reader.readexactly(length))
        return "201 Created"
