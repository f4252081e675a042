"""Makes fake-gcs-server speak Google Cloud Storage's XML API: names things differently, and judges no write.

The emulator writes through the JSON API only, and says in the answer's body what the XML API says in its headers. Whether
a write's precondition holds is for the emulator to say.
https://docs.cloud.google.com/storage/docs/xml-api/put-object-upload (read 2026-11-29)
"""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PASSED = ("etag", "last-modified", "x-goog-generation", "content-range", "content-type")
CONDITION = "x-goog-if-generation-match"


class Proxy(ThreadingHTTPServer):
    """In front of the emulator at a port of this machine."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.emulator_port = port


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_PUT(self) -> None:
        """Write an object, under the condition that the header names, and say its etag and generation in headers."""
        bucket, _, name = self.path.lstrip("/").partition("/")
        query = {"uploadType": "multipart"}  # fake-gcs-server 1.54 knows conditions of these uploads only
        if self.headers[CONDITION] is not None:
            query["ifGenerationMatch"] = self.headers[CONDITION]
        path = f"/upload/storage/v1/b/{bucket}/o?{urllib.parse.urlencode(query)}"
        content = self.rfile.read(int(self.headers["content-length"]))
        status, _, told = self.ask("POST", path, *multipart(urllib.parse.unquote(name), content))
        if status != 200:
            self.answer(status, {}, b"")
            return
        made = json.loads(told)
        self.answer(200, {"ETag": f'"{made["etag"]}"', "x-goog-generation": made["generation"]}, b"")

    def do_GET(self) -> None:
        """Read or list; what the client has already is not sent again, which the emulator would do (RFC 9110, 13.1.2)."""
        status, headers, content = self.ask("GET", self.path)
        known = self.headers["if-none-match"]
        if known and known == headers.get("Etag"):
            self.answer(304, headers, b"")
        else:
            self.answer(status, headers, content)

    def do_HEAD(self) -> None:
        """Say of an object what reading it would, which the emulator knows of its JSON API alone."""
        status, headers, content = self.ask("GET", self.path)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()

    def do_DELETE(self) -> None:
        status = self.ask("DELETE", self.path)[0]
        self.answer(204 if status == 200 else status, {}, b"")

    def ask(
        self, method: str, path: str, body: bytes | None = None, content_type: str | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Return what the emulator says: the status, the headers that clients look at, the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.emulator_port, timeout=30)
        with contextlib.closing(connection):
            wanted = {"range": self.headers["range"], "content-type": content_type}
            asked = {name: value for name, value in wanted.items() if value}
            connection.request(method, path, body, asked)
            answer = connection.getresponse()
            found = {name: value for name, value in answer.headers.items() if name.lower() in PASSED}
            return answer.status, found, answer.read()

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class names it
        return


def multipart(name: str, content: bytes) -> tuple[bytes, str]:
    """Return the body of an upload that says what the object is called, and its content type."""
    mark = secrets.token_hex(16)
    described = f"--{mark}\r\ncontent-type: application/json\r\n\r\n{json.dumps({'name': name})}\r\n"
    binary = f"--{mark}\r\ncontent-type: application/octet-stream\r\n\r\n"
    body = described.encode() + binary.encode() + content + f"\r\n--{mark}--\r\n".encode()
    return body, f"multipart/related; boundary={mark}"


@contextlib.contextmanager
def gcs_proxy(port: int) -> Iterator[str]:
    """Run one in front of the emulator until the end of the block; gives its URL."""
    server = Proxy(port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
