"""Google Cloud Storage's XML API as far as object stores use it, in memory: no emulator has its preconditions.

https://docs.cloud.google.com/storage/docs/xml-api/overview and /request-preconditions (read 2026-11-24). Every write
has a generation that was never used before; `x-goog-if-generation-match: 0` means that there is no such object.
"""

from __future__ import annotations

import contextlib
import threading
import urllib.parse
from collections.abc import Iterator
from email.utils import formatdate
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape


class FakeGcs(ThreadingHTTPServer):
    """One bucket, `bucket`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, tuple[bytes, int]] = {}
        self.generation = 1_700_000_000_000_000
        self.lock = threading.Lock()
        self.tokens: set[str | None] = set()
        """What callers authorised themselves with."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeGcs

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        with self.server.lock:
            name = self.begin()
            if name is None:
                return
            found = self.server.objects.get(name)
            match = self.headers["x-goog-if-generation-match"]
            if match is not None and int(match) != (found[1] if found else 0):
                self.fail(412, "PreconditionFailed")
                return
            self.server.generation += 1
            self.server.objects[name] = (content, self.server.generation)
            self.answer(200, b"", self.described(name))

    def do_GET(self) -> None:
        with self.server.lock:
            name = self.begin()
            if name is None:
                return
            if not name:
                self.list()
                return
            if name not in self.server.objects:
                self.fail(404, "NoSuchKey")
                return
            content, headers = self.server.objects[name][0], self.described(name)
        if self.headers["if-none-match"] == headers["ETag"]:
            self.answer(304, b"", headers)
            return
        status, size = 200, len(content)
        if self.headers["range"]:
            start, end = map(int, self.headers["range"].removeprefix("bytes=").split("-"))
            status, content = 206, content[start : end + 1]
            headers["Content-Range"] = f"bytes {start}-{start + len(content) - 1}/{size}"
        self.answer(status, content, headers)

    def do_HEAD(self) -> None:
        with self.server.lock:
            name = self.begin()
            if name not in self.server.objects:
                self.fail(404, "NoSuchKey")
                return
            self.answer(200, self.server.objects[name][0], self.described(name))

    def do_DELETE(self) -> None:
        with self.server.lock:
            name = self.begin()
            if name is None:
                return
            if self.server.objects.pop(name, None) is None:
                self.fail(404, "NoSuchKey")
            else:
                self.answer(204, b"", {})

    def begin(self) -> str | None:
        """Return the object's name; None, answered, when the bucket is not there."""
        self.server.tokens.add(self.headers["authorization"])
        bucket, _, name = self.path.partition("?")[0].lstrip("/").partition("/")
        if bucket != "bucket":
            self.fail(404, "NoSuchBucket")
            return None
        return urllib.parse.unquote(name)

    def list(self) -> None:
        prefix = urllib.parse.parse_qs(self.path.partition("?")[2]).get("prefix", [""])[0]
        entries = [
            f"<Contents><Key>{escape(name)}</Key><LastModified>2026-11-24T16:00:00.000Z</LastModified>"
            f"<ETag>{escape(self.described(name)['ETag'])}</ETag><Size>{len(content)}</Size></Contents>"
            for name, (content, _) in sorted(self.server.objects.items())
            if name.startswith(prefix)
        ]
        self.answer(200, f"<ListBucketResult>{''.join(entries)}</ListBucketResult>".encode(), {})

    def described(self, name: str) -> dict[str, str]:
        content, generation = self.server.objects[name]
        return {
            "ETag": f'"{md5(content, usedforsecurity=False).hexdigest()}"',
            "x-goog-generation": str(generation),
            "Last-Modified": formatdate(usegmt=True),
        }

    def fail(self, status: int, code: str) -> None:
        self.answer(status, f"<Error><Code>{code}</Code></Error>".encode(), {})

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class names it
        return


@contextlib.contextmanager
def fake_gcs() -> Iterator[FakeGcs]:
    """Run one until the end of the block."""
    server = FakeGcs()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
