"""A client of Lambda's Runtime API over one raw socket (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).

`socket` takes 8 ms to import and `http.client` 30, so this is `_socket`, which both are made of, and as much of HTTP/1.1
as the Runtime API speaks: kept connections, and bodies with a length or in chunks.
"""

from __future__ import annotations

import _socket

_API = "/2018-06-01/runtime"
_READ_BYTES = 1 << 18


class Invocation:
    """An event, and what Lambda says of it."""

    __slots__ = ("deadline_ms", "event", "function_arn", "id", "trace_id")

    def __init__(self, headers: dict[str, str], event: bytes) -> None:
        self.event = event
        """JSON."""
        self.id = headers["lambda-runtime-aws-request-id"]
        self.deadline_ms = int(headers.get("lambda-runtime-deadline-ms") or 0)
        """When the function must be done, in ms since 1970."""
        self.function_arn = headers.get("lambda-runtime-invoked-function-arn", "")
        self.trace_id = headers.get("lambda-runtime-trace-id")


class RuntimeApi:
    """The Runtime API at an address such as 127.0.0.1:9001. Its methods raise OSError when it is gone."""

    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self._address = (host, int(port or 80))
        self._host = address.encode()
        self._socket: _socket.socket | None = None
        self._received = b""

    def next(self) -> Invocation:
        """Wait for an event, however long that takes."""
        status, headers, body = self._ask(b"GET", f"{_API}/invocation/next")
        if status != 200:
            raise OSError(f"the Runtime API answered {status} instead of an event: {body[:500]!r}.")
        return Invocation(headers, body)

    def respond(self, id_: str, content: bytes) -> int:
        """Answer an event with a JSON document; return the API's status, 202 when it is taken."""
        return self._ask(b"POST", f"{_API}/invocation/{id_}/response", content)[0]

    def fail(self, id_: str, error: bytes, kind: str) -> int:
        """Answer an event with an error; return the API's status."""
        return self._ask(b"POST", f"{_API}/invocation/{id_}/error", error, kind)[0]

    def fail_start(self, error: bytes, kind: str) -> int:
        """Tell that the function cannot start; return the API's status."""
        return self._ask(b"POST", f"{_API}/init/error", error, kind)[0]

    def wait_for_restore(self) -> None:
        """Have Lambda take a snapshot; returns in each of its copies. Connections do not outlive it."""
        status, _, body = self._ask(b"GET", f"{_API}/restore/next")
        self._close()
        if status != 200:
            raise OSError(f"the Runtime API answered {status} instead of a restore: {body[:500]!r}.")

    def fail_restore(self, error: bytes) -> int:
        """Tell that this copy of the snapshot cannot be used; return the API's status."""
        return self._ask(b"POST", f"{_API}/restore/error", error, "Runtime.AfterRestoreError")[0]

    def _ask(
        self, method: bytes, path: str, content: bytes = b"", error: str = ""
    ) -> tuple[int, dict[str, str], bytes]:
        head = b"%s %s HTTP/1.1\r\nhost: %s\r\n" % (method, path.encode("latin-1"), self._host)
        if method == b"POST":
            head += b"content-type: application/json\r\ncontent-length: %d\r\n" % len(content)
        if error:
            head += b"lambda-runtime-function-error-type: %s\r\n" % error.encode("ascii", "replace")
        message = head + b"\r\n" + content
        if self._socket is not None:
            try:
                return self._exchange(self._socket, message)
            except OSError:
                # The API closed a connection that it had kept; a new one tells whether that is all.
                self._close()
        self._socket = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        self._socket.connect(self._address)
        self._socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        return self._exchange(self._socket, message)

    def _exchange(self, connection: _socket.socket, message: bytes) -> tuple[int, dict[str, str], bytes]:
        connection.sendall(message)
        first, *lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if "chunked" in headers.get("transfer-encoding", ""):
            body = self._chunks()
        else:
            body = self._exactly(int(headers.get("content-length") or 0))
        if headers.get("connection", "").lower() == "close":
            self._close()
        return int(first.split(" ", 2)[1]), headers, body

    def _chunks(self) -> bytes:
        chunks = []
        while size := int(self._until(b"\r\n").partition(b";")[0], 16):
            chunks.append(self._exactly(size))
            self._exactly(2)
        while self._until(b"\r\n"):
            pass  # trailers
        return b"".join(chunks)

    def _until(self, end: bytes) -> bytes:
        """Return what comes before `end`, which is dropped."""
        while end not in self._received:
            self._received += self._read()
        found, _, self._received = self._received.partition(end)
        return found

    def _exactly(self, size: int) -> bytes:
        parts = [self._received]
        have = len(self._received)
        while have < size:
            parts.append(self._read())
            have += len(parts[-1])
        found = b"".join(parts)
        self._received = found[size:]
        return found[:size]

    def _read(self) -> bytes:
        assert self._socket is not None
        data = self._socket.recv(_READ_BYTES)
        if not data:
            raise ConnectionResetError("the Runtime API closed the connection.")
        return data

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._received = None, b""
