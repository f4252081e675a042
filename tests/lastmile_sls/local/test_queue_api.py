from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from pathlib import Path

import pytest

from lastmile_sls.local.queue_api import MAX_MESSAGE_BYTES, QueueApi


class FakeSender:
    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.error: sqlite3.Error | None = None

    async def send(self, body: bytes) -> str:
        if self.error:
            raise self.error
        self.sent.append(body)
        return "id"


def exchange(sender: FakeSender, raw: bytes) -> bytes:
    """Send bytes to an API with the queue jobs; return the status line, and the body in the next if there is one."""

    async def run(path: Path) -> bytes:
        api = QueueApi(path, {"jobs": sender})
        await api.start()
        try:
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(raw)
            writer.write_eof()
            answer = await asyncio.wait_for(reader.read(), 30)
            writer.close()
            head, _, body = answer.partition(b"\r\n\r\n")
            return b"\n".join(filter(None, [head.partition(b"\r\n")[0], body]))
        finally:
            await api.stop()

    # Unix sockets' paths are limited to about 100 bytes, which pytest's folders exceed.
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(run(Path(folder, "q")))


def post(path: str, length: int, body: bytes = b"") -> bytes:
    return f"POST {path} HTTP/1.1\r\ncontent-length: {length}\r\n\r\n".encode() + body


def test_a_message_is_taken_whole() -> None:
    sender = FakeSender()
    assert exchange(sender, post("/queues/jobs", 300_000, b"x" * 300_000)) == b"HTTP/1.1 201 Created"
    assert sender.sent == [b"x" * 300_000]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (post("/queues/other", 1, b"x"), b"404 Not Found"),
        (b"GET /queues/jobs HTTP/1.1\r\ncontent-length: 0\r\n\r\n", b"404 Not Found"),
        (b"POST /queues/jobs HTTP/1.1\r\n\r\n", b"411 Length Required"),
        (post("/queues/jobs", MAX_MESSAGE_BYTES + 1), b"413 Content Too Large"),
        (post("/queues/jobs", 5, b"half"), b"400 Bad Request"),
        (b"nonsense\r\n\r\n", b"400 Bad Request"),
        (b"POST /queues/jobs HTTP/1.1\r\ncontent-length: many\r\n\r\n", b"400 Bad Request"),
        (b"x" * 100_000, b"400 Bad Request"),
    ],
)
def test_what_is_no_whole_message_is_refused(raw: bytes, status: bytes) -> None:
    sender = FakeSender()
    assert exchange(sender, raw) == b"HTTP/1.1 " + status
    assert sender.sent == []


def test_a_queue_that_takes_nothing_says_why() -> None:
    sender = FakeSender()
    sender.error = sqlite3.OperationalError("database or disk is full")
    assert exchange(sender, post("/queues/jobs", 1, b"x")) == (
        b"HTTP/1.1 503 Service Unavailable\ndatabase or disk is full"
    )
