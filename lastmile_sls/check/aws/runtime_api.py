"""Lambda's Runtime API on this machine (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).

A server of its own, because http.server would take longer than the functions that are measured with it.
"""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

API = "/2018-06-01/runtime"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:predict"
TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Outcome:
    """What a function said of an event, or of its start."""

    kind: str
    """The last part of the path: response or error."""
    document: Any
    headers: dict[str, str] = field(repr=False)


class RuntimeApi:
    """Hands out events and takes their outcomes; for one function at a time. Use it as a context manager."""

    def __init__(self, *, chunked: bool = False, timeout_s: float = TIMEOUT_S) -> None:
        """Listen on a port of its own.

        Args:
            chunked: Send events in chunks (as Lambda does, when they are large), or with their length.
            timeout_s: The function's timeout: each event is to be answered by then.
        """
        self.chunked = chunked
        self.timeout_s = timeout_s
        self.asking = threading.Event()
        """Set while the function waits for an event: from then on Lambda freezes it."""
        self.asked_at: float | None = None
        """When it first asked for one, by `time.perf_counter`: its init phase ends then."""
        self.restoring = threading.Event()
        """Set once the function waits for its restore: Lambda takes its snapshot then."""
        self.restore = threading.Event()
        """To be set when the function may come back from the snapshot."""
        self.outcomes: dict[str, queue.Queue[Outcome]] = {}
        self.start: queue.Queue[Outcome] = queue.Queue()
        """What the function said of a start, or a restore, that failed."""
        self.connections = 0
        self._events: queue.Queue[tuple[str, bytes] | None] = queue.Queue()
        """None once it is over."""
        self._count = 0
        self._ended = False
        # A server of its own, because http.server would take longer than the function that is measured here.
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> RuntimeApi:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        # A thread that waits in accept holds the socket open; a connection lets it see that it is over.
        self._ended = True
        self._events.put(None)
        self.restore.set()
        with suppress(OSError), socket.create_connection(self._listener.getsockname()):
            pass
        self._accepting.join(TIMEOUT_S)
        self._listener.close()

    def invoke(self, event: Any, timeout_s: float = TIMEOUT_S) -> Outcome:
        """Hand out an event; return its outcome."""
        return self.outcome(self.send(event), timeout_s)

    def send(self, event: Any) -> str:
        """Hand out an event; return its id."""
        self._count += 1
        id_ = f"8476a536-e9f4-11e8-9739-{self._count:012d}"
        self.outcomes[id_] = queue.Queue()
        content = event if isinstance(event, bytes) else json.dumps(event).encode()
        self._events.put((id_, content))
        return id_

    def outcome(self, id_: str, timeout_s: float = TIMEOUT_S) -> Outcome:
        """Wait for an event's outcome. Raises queue.Empty when that takes longer."""
        return self.outcomes[id_].get(timeout=timeout_s)

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._ended:
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream, suppress(OSError):
            while line := stream.readline():
                method, path, _ = line.decode().split(" ")
                headers = {}
                while (line := stream.readline()) != b"\r\n":
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                content = stream.read(int(headers.get("content-length", "0")))
                if method == "GET":
                    if not self._give(connection, path):
                        return
                else:
                    self._take(connection, path, headers, content)

    def _give(self, connection: socket.socket, path: str) -> bool:
        """Hand out what is asked for; tell whether there is more to come."""
        if path == f"{API}/restore/next":
            self.restoring.set()
            self.restore.wait(TIMEOUT_S)
            connection.sendall(_render(200, b""))
        elif path == f"{API}/invocation/next":
            if self.asked_at is None:
                self.asked_at = time.perf_counter()
            self.asking.set()
            event = self._events.get()
            self.asking.clear()
            if event is None:
                self._events.put(None)  # another connection may wait as well
                return False
            headers = _headers(event[0], self.timeout_s)
            connection.sendall(_render(200, event[1], headers, chunked=self.chunked))
        else:
            connection.sendall(_render(404, b"{}"))
        return True

    def _take(self, connection: socket.socket, path: str, headers: dict[str, str], content: bytes) -> None:
        where, _, kind = path.removeprefix(f"{API}/").rpartition("/")
        # The answer first: who has the outcome may end the function.
        connection.sendall(_render(202, b'{"status":"OK"}'))
        outcome = Outcome(kind, _read(content), headers)
        if where in ("init", "restore"):
            self.start.put(outcome)
        elif found := self.outcomes.get(where.removeprefix("invocation/")):
            found.put(outcome)


def _read(content: bytes) -> Any:
    """Return what a function posted; a text when it is no JSON."""
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def _render(
    status: int, content: bytes, headers: dict[str, str] | None = None, *, chunked: bool = False
) -> bytes:
    lines = [f"HTTP/1.1 {status} OK", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
        half = len(content) // 2
        parts = [content[:half], content[half:], b""]
        content = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    else:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


def _headers(id_: str, timeout_s: float) -> dict[str, str]:
    return {
        "Lambda-Runtime-Aws-Request-Id": id_,
        "Lambda-Runtime-Deadline-Ms": str(int((time.time() + timeout_s) * 1000)),
        "Lambda-Runtime-Invoked-Function-Arn": ARN,
        "Lambda-Runtime-Trace-Id": f"Root=1-5bef4de7-{id_[-12:]}0000abcdef01;Parent=9a9197af755a6419;Sampled=1",
    }
