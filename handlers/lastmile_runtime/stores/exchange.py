"""One HTTP/1.1 request for bytes and its answer over a socket: no step of it outlasts its deadline."""

from __future__ import annotations

import _socket  # socket itself would cost 7 ms of each cold start, for enum and selectors
import time

from lastmile_runtime.stores.deadline import left_s, within

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_HEAD_BYTES = 65_536
_READ_BYTES = 1 << 16
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


class Address:
    """Where a server listens."""

    __slots__ = ("host", "issuers", "name", "port", "tls")

    def __init__(self, host: str, port: int | None, *, tls: bool, issuers: tuple[bytes, ...] = ()) -> None:
        usual = 443 if tls else 80
        self.host = host
        self.port = port or usual
        self.tls = tls
        self.issuers = issuers
        """Names of the certificate authorities that are tried first."""
        shown = f"[{host}]" if ":" in host else host
        self.name = shown if self.port == usual else f"{shown}:{self.port}"
        """As the header `host` has it."""


class Connection:
    """A connection to a server, which takes one request after the other."""

    def __init__(self, address: Address, ends_at: float) -> None:
        """Connect. Raises OSError, and TimeoutError at `ends_at` (of `time.monotonic`)."""
        self.address = address
        self.used_at = 0.0
        """When its last answer was complete."""
        self.socket = _secured(address, ends_at) if address.tls else _connected(address, ends_at)

    def ask(self, path: str, headers: Mapping[str, str], ends_at: float) -> Answer:
        """Send a GET and return the answer, its body unread. Raises OSError, and ValueError for what is no HTTP."""
        lines = [f"GET {path} HTTP/1.1", f"host: {self.address.name}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.socket.settimeout(left_s(ends_at))
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            if len(received) > _MAX_HEAD_BYTES:
                raise ValueError("the server's answer has a head without end")
            self.socket.settimeout(left_s(ends_at))
            chunk = self.socket.recv(_READ_BYTES)
            if not chunk:
                raise ConnectionResetError("the server closed the connection without an answer")
            received += chunk
        return Answer(self, received[:end], received[end + 4 :])

    def close(self) -> None:
        """Give the connection up."""
        self.socket.close()


class Answer:
    """An answer whose body is still to be read."""

    def __init__(self, connection: Connection, head: bytes, rest: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if not first.startswith("HTTP/1.") or len(words) < 2 or not words[1].isdigit():
            raise ValueError(f"the server answered {first[:80]!r}, which is no HTTP/1")
        self.status = int(words[1])
        self.headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        self._connection = connection
        self._rest = rest
        self.complete = False
        """Whether the body was read to its end, so that the connection can be asked again."""

    @property
    def length(self) -> int | None:
        """The body's bytes, None when the server does not say so before."""
        if self.status in (204, 304):
            return 0
        length = self.headers.get("content-length", "")
        return int(length) if length.isdigit() and "transfer-encoding" not in self.headers else None

    def read(self, ends_at: float) -> bytes:
        """Return the whole body. Raises OSError, TimeoutError at `ends_at`, and ValueError when it ends early."""
        buffer = memoryview(bytearray(_READ_BYTES))
        content = b"".join(map(bytes, self._pieces(buffer, ends_at, 0)))
        if "chunked" in self.headers.get("transfer-encoding", ""):
            return _unchunk(content)
        return content

    def pieces(self, buffer: memoryview, silence_s: float) -> Iterator[memoryview]:
        """Return the body in pieces, each valid until the next is asked for.

        Raises OSError, TimeoutError when nothing came for `silence_s`, and ValueError when it ends early.
        """
        return self._pieces(buffer, None, silence_s)

    def _pieces(self, buffer: memoryview, ends_at: float | None, silence_s: float) -> Iterator[memoryview]:
        left = self.length
        if self._rest:
            yield memoryview(self._rest)
            left = None if left is None else left - len(self._rest)
        connection = self._connection.socket
        connection.settimeout(silence_s or None)
        while left is None or left > 0:
            if ends_at is not None:
                connection.settimeout(left_s(ends_at))
            count = connection.recv_into(buffer if left is None else buffer[:left])
            if count == 0:
                if left:
                    raise ValueError(f"the answer ended {left} bytes early")
                return
            left = None if left is None else left - count
            yield buffer[:count]
        if left < 0:
            raise ValueError(f"the answer is {-left} bytes longer than it says")
        self.complete = "close" not in self.headers.get("connection", "")
        self._connection.used_at = time.monotonic()


def quote(path: str) -> str:
    """Return a path percent-encoded as S3's signature wants it: all but unreserved characters and the slash."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in path.encode())


def _connected(address: Address, ends_at: float) -> _socket.socket:
    """Return a connection to the first of the host's addresses that takes one."""
    failure: OSError = OSError(f"{address.host} has no address")
    for family, kind, protocol, _, place in _resolve(address.host, address.port, ends_at):
        connection = _socket.socket(family, kind, protocol)
        try:
            connection.settimeout(left_s(ends_at))
            connection.connect(place)
            connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            failure = error
            continue
        return connection
    raise failure


def _resolve(host: str, port: int, ends_at: float) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    """Return a host's addresses; a name is looked up in a thread, because that knows no deadline."""
    # A text would be encoded by the codec `idna`, whose import takes 5 ms.
    name = host.encode("ascii" if host.isascii() else "idna")

    def look_up(flags: int = 0) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return _socket.getaddrinfo(name, port, 0, _socket.SOCK_STREAM, 0, flags)  # type: ignore[return-value] # typeshed's is wider

    try:
        return look_up(_socket.AI_NUMERICHOST)
    except _socket.gaierror:
        return within(look_up, left_s(ends_at))


def _secured(address: Address, ends_at: float) -> _socket.socket:
    """Return a connection whose other end is certified; authorities other than the expected ones are the second try."""
    import ssl

    from lastmile_runtime.stores.tls import context

    connection = _connected(address, ends_at)
    try:
        connection.settimeout(left_s(ends_at))
        return context(address.issuers).wrap_socket(connection, server_hostname=address.host)  # type: ignore[arg-type] # it takes the descriptor over
    except ssl.SSLCertVerificationError:
        connection.close()
        if not address.issuers:
            raise
    except OSError:
        connection.close()
        raise
    address.issuers = ()
    return _secured(address, ends_at)


def _unchunk(content: bytes) -> bytes:
    """Return the bytes of a body in chunked coding (RFC 9112, section 7.1)."""
    found: list[bytes] = []
    start = 0
    while True:
        end = content.find(b"\r\n", start)
        size = int(content[start:end].partition(b";")[0], 16) if end > 0 else -1
        start = end + 2
        if size == 0:
            return b"".join(found)
        if size < 0 or len(content) < start + size + 2:
            raise ValueError("the answer ended within a chunk")
        found.append(content[start : start + size])
        start += size + 2
