"""Objects behind plain HTTP GET, read over a socket: the quickest way to one small document at a cold start."""

from __future__ import annotations

import socket
import time

from lastmile_runtime.stores import NotFound, Object, StoreError, check_path

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Iterator

_READ_BYTES = 1 << 18
_MAX_HEAD_BYTES = 65_536
_DEADLINE_S = 30.0


class HttpStore:
    """Objects below a URL, to be read only."""

    def __init__(self, host: str, port: int, prefix: str, *, tls: bool) -> None:
        self._host = host
        self._port = port
        self._prefix = prefix
        self._tls = tls

    def get(self, path: str, etag: str | None = None, deadline_s: float | None = None) -> Object | None:
        """Return an object, None when the server says that it is still the one of `etag`."""
        headers = {"if-none-match": etag} if etag else {}
        with _Exchange(self, path, headers, deadline_s or _DEADLINE_S) as exchange:
            if exchange.status == 304:
                return None
            exchange.require(200)
            content = exchange.read()
            return Object(content, exchange.headers.get("etag", f'"{len(content)}"'))

    def put(self, path: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        """Raise StoreError: plain HTTP is read only."""
        raise StoreError(f"{path} cannot be written: http stores are read only.")

    def list(self, prefix: str) -> list[str]:
        """Raise StoreError: plain HTTP does not list."""
        raise StoreError(f"{prefix} cannot be listed: http stores are read by path only.")

    def delete(self, path: str) -> None:
        """Raise StoreError: plain HTTP is read only."""
        raise StoreError(f"{path} cannot be deleted: http stores are read only.")

    def stream(self, path: str, start: int, end: int) -> Iterator[memoryview]:
        """Return the bytes from `start` to before `end`, in pieces that are valid until the next is asked for."""
        headers = {"range": f"bytes={start}-{end - 1}"}
        with _Exchange(self, path, headers, _DEADLINE_S) as exchange:
            exchange.require(206)
            yield from exchange.pieces()

    def connect(self, deadline_s: float) -> socket.socket:
        """Return a connection to the server."""
        connection = socket.create_connection((self._host, self._port), deadline_s)
        if not self._tls:
            return connection
        import ssl

        return ssl.create_default_context().wrap_socket(connection, server_hostname=self._host)

    def head(self, path: str, headers: dict[str, str]) -> bytes:
        """Return a request's bytes."""
        lines = [f"GET {self._prefix}/{check_path(path)} HTTP/1.1", f"host: {self._host}:{self._port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1")


class _Exchange:
    """One request and its answer, each of whose steps must end before the deadline."""

    def __init__(self, store: HttpStore, path: str, headers: dict[str, str], deadline_s: float) -> None:
        self._store = store
        self._path = path
        self._sent = headers
        self._ends_at = time.monotonic() + deadline_s
        self.status = 0
        self.headers: dict[str, str] = {}

    def __enter__(self) -> _Exchange:
        try:
            self._connection = self._store.connect(self._left_s())
            self._connection.settimeout(self._left_s())
            self._connection.sendall(self._store.head(self._path, self._sent))
            self._read_head()
        except OSError as error:
            raise StoreError(f"{self._path}: {error or type(error).__name__}.") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def require(self, status: int) -> None:
        """Raise NotFound or StoreError unless the answer has the status."""
        if self.status == 404:
            raise NotFound(f"there is no {self._path}.")
        if self.status != status:
            raise StoreError(f"{self._path}: the server answered {self.status}, not {status}.")

    def read(self) -> bytes:
        """Return the whole body."""
        return b"".join(map(bytes, self.pieces()))

    def pieces(self) -> Iterator[memoryview]:
        """Return the body in pieces, each valid until the next. Raises StoreError when it ends early."""
        length = self.headers.get("content-length", "")
        left = int(length) if length.isdigit() else None
        if self._rest:
            yield memoryview(self._rest)
        left = None if left is None else left - len(self._rest)
        buffer = memoryview(bytearray(_READ_BYTES))
        try:
            while left is None or left > 0:
                self._connection.settimeout(self._left_s())
                count = self._connection.recv_into(buffer)
                if count == 0:
                    break
                left = None if left is None else left - count
                yield buffer[:count]
        except OSError as error:
            raise StoreError(f"{self._path}: {error or type(error).__name__}.") from error
        if left:
            raise StoreError(f"{self._path}: the answer ended {left} bytes early.")

    def _read_head(self) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            self._connection.settimeout(self._left_s())
            chunk = self._connection.recv(_MAX_HEAD_BYTES)
            if not chunk or len(received) > _MAX_HEAD_BYTES:
                raise OSError("the server's answer has no end of its head")
            received += chunk
        head, _, self._rest = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) < 2 or not words[1].isdigit():
            raise OSError(f"the server answered {first[:80]!r}")
        self.status = int(words[1])
        for line in lines:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()

    def _left_s(self) -> float:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server did not answer in time")
        return left


def open_url(url: str) -> HttpStore:
    """Return the store of an HTTP URL. Raises StoreError for one without a host."""
    scheme, _, rest = url.partition("://")
    authority, slash, prefix = rest.partition("/")
    host, _, port = authority.partition(":")
    if not host or (port and not port.isdigit()):
        raise StoreError(f"the store is {url!r}, but must name a host.")
    tls = scheme == "https"
    return HttpStore(host, int(port or (443 if tls else 80)), f"{slash}{prefix}".rstrip("/"), tls=tls)
