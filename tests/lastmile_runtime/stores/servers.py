"""Servers for tests: what they were asked is kept, what they answer is the test's."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

Answer = Callable[[str, dict[str, str]], bytes]


class Server:
    """Answers each request with the bytes that `answer` makes of its target and headers; empty: closes instead."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None) -> None:
        self.answer = answer
        self.context = context
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            if self.context:
                connection = stack.enter_context(self.context.wrap_socket(connection, server_side=True))
            while True:
                head = b""
                while b"\r\n\r\n" not in head:
                    chunk = connection.recv(65_536)
                    if not chunk:
                        return
                    head += chunk
                first, *lines = head.decode("latin-1").strip().split("\r\n")
                headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
                self.asked.append((first.split(" ")[1], headers))
                answer = self.answer(first.split(" ")[1], headers)
                if not answer:
                    return
                connection.sendall(answer)
                if headers.get("connection") == "close":
                    return


@contextlib.contextmanager
def serving(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run a server until the end of the block."""
    server = Server(answer, context)
    threading.Thread(target=server.run, daemon=True).start()
    try:
        yield server
    finally:
        server.listener.close()


def ok(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """Return an answer's bytes."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status}", *lines, f"content-length: {len(body)}", "", ""])
    return head.encode() + body
