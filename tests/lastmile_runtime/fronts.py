"""A server in the place of a cloud's, for tests: keeps what it was asked, and answers by a function of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lastmile_runtime.http import Request, Response

Answering = Callable[[Request], Response]


class Front(ThreadingHTTPServer):
    """Hands each request on; connections stay open, as clouds keep them."""

    daemon_threads = True

    def __init__(self, answer: Answering, *, chunked: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.chunked = chunked
        self.asked: list[Request] = []
        self.connections = 0
        self.place = f"127.0.0.1:{self.server_port}"
        self.url = f"http://{self.place}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Front

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def _handle(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(headers.get("content-length", "0")))
        request = Request(self.command, path, headers, body, query)
        self.server.asked.append(request)
        answer = self.server.answer(request)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        if self.server.chunked:
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for start in range(0, len(answer.body), 100):
                piece = answer.body[start : start + 100]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\nx-trailer: 1\r\n\r\n")
        else:
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

    do_GET = do_POST = _handle

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class names it
        return


@contextlib.contextmanager
def front(answer: Answering, *, chunked: bool = False) -> Iterator[Front]:
    """Run a front until the end of the block."""
    server = Front(answer, chunked=chunked)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
