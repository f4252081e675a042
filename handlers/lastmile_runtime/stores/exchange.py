"""HTTP/1.1 requests and their answers over sockets: no step of one outlasts its deadline."""

from __future__ import annotations

import _socket  # socket itself would cost 7 ms of each cold start, for enum and selectors
import time
from _thread import allocate_lock  # threading would cost 4 ms of each cold start

from lastmile_runtime.stores.deadline import left_s, within

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_IDLE_S = 2.0
"""A connection that was idle for longer is not asked again: a frozen process's are gone without a word."""
_MAX_HEAD_BYTES = 65_536
_READ_BYTES = 1 << 16
_PIECE_BYTES = 1 << 16
_restores = 0
"""How often the process came back from a snapshot."""
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
        self.restores = _restores
        self.socket = _secured(address, ends_at) if address.tls else _connected(address, ends_at)

    def ask(
        self, path: str, headers: Mapping[str, str], ends_at: float, method: str = "GET", body: bytes = b""
    ) -> Answer:
        """Send a request and return the answer, its body unread. Raises OSError, and ValueError for what is no HTTP."""
        lines = [f"{method} {path} HTTP/1.1", f"host: {self.address.name}"]
        if body or method != "GET":
            lines.append(f"content-length: {len(body)}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._send("\r\n".join([*lines, "", ""]).encode("latin-1") + body, ends_at)
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

    def _send(self, content: bytes, ends_at: float) -> None:
        whole = memoryview(content)
        for start in range(0, len(content), _PIECE_BYTES):
            self.socket.settimeout(left_s(ends_at))
            self.socket.sendall(whole[start : start + _PIECE_BYTES])

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
        self.connection = connection
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
        if "chunked" in self.headers.get("transfer-encoding", ""):
            return self._chunks(ends_at)
        buffer = memoryview(bytearray(_READ_BYTES))
        return b"".join(map(bytes, self._pieces(buffer, ends_at, 0)))

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
        connection = self.connection.socket
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
        self._end()

    def _chunks(self, ends_at: float) -> bytes:
        """Return the bytes of a body in chunked coding (RFC 9112, section 7.1), and read it to its end."""
        found: list[bytes] = []
        received = bytearray(self._rest)
        while True:
            size = self._line(received, ends_at).partition(b";")[0].strip()
            if not size.isalnum():
                raise ValueError("the answer has a chunk without a size")
            count = int(size, 16)
            if count == 0:
                break
            while len(received) < count + 2:
                self._receive(received, ends_at)
            found.append(bytes(received[:count]))
            del received[: count + 2]
        while self._line(received, ends_at):
            pass  # trailers, of which nobody here makes use
        if not received:
            self._end()
        return b"".join(found)

    def _line(self, received: bytearray, ends_at: float) -> bytes:
        while (end := received.find(b"\r\n")) < 0:
            if len(received) > _MAX_HEAD_BYTES:
                raise ValueError("the answer has a chunk whose head has no end")
            self._receive(received, ends_at)
        line = bytes(received[:end])
        del received[: end + 2]
        return line

    def _receive(self, received: bytearray, ends_at: float) -> None:
        connection = self.connection.socket
        connection.settimeout(left_s(ends_at))
        piece = connection.recv(_READ_BYTES)
        if not piece:
            raise ValueError("the answer ended within a chunk")
        received += piece

    def _end(self) -> None:
        self.complete = "close" not in self.headers.get("connection", "").lower()
        self.connection.used_at = time.monotonic()


class Client:
    """Asks a server again and again; threads may do so at once, each on a connection of its own."""

    def __init__(self, address: Address) -> None:
        """Connect to nothing yet."""
        self.address = address
        self._idle: list[Connection] = []
        self._lock = allocate_lock()

    def ask(
        self, path: str, headers: Mapping[str, str], ends_at: float, method: str = "GET", body: bytes = b""
    ) -> Answer:
        """Ask on a connection that is open; on a new one if there is none, or it turns out to be closed.

        Raises OSError, and ValueError for what is no HTTP. The answer is to be given to `release` once it is read.
        """
        connection = self._take()
        if connection:
            try:
                return self._ask(connection, path, headers, ends_at, method, body)
            except TimeoutError:
                raise
            except OSError:
                pass  # the server had closed it
        return self._ask(Connection(self.address, ends_at), path, headers, ends_at, method, body)

    def fetch(
        self, path: str, headers: Mapping[str, str], ends_at: float, method: str = "GET", body: bytes = b""
    ) -> tuple[Answer, bytes]:
        """Ask, and return the answer with its whole body. Raises OSError, and ValueError for what is no HTTP."""
        answer = self.ask(path, headers, ends_at, method, body)
        try:
            return answer, answer.read(ends_at)
        finally:
            self.release(answer)

    def release(self, answer: Answer) -> None:
        """Keep an answer's connection for the next request if it was read to its end; close it otherwise."""
        if answer.complete:
            with self._lock:
                self._idle.append(answer.connection)
        else:
            answer.connection.close()

    def _ask(
        self,
        connection: Connection,
        path: str,
        headers: Mapping[str, str],
        ends_at: float,
        method: str,
        body: bytes,
    ) -> Answer:
        try:
            return connection.ask(path, headers, ends_at, method, body)
        except (OSError, ValueError):
            connection.close()
            raise

    def _take(self) -> Connection | None:
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if connection.restores == _restores and time.monotonic() - connection.used_at < _IDLE_S:
                    return connection
                connection.close()
        return None


def restored() -> None:
    """Use no connection that was made before now: the process came back from a snapshot, its other ends did not."""
    global _restores  # noqa: PLW0603 - it is the process that was restored
    _restores += 1


def told(error: Exception) -> str:
    """Return what kept a server from being asked: of a document that was read, which entry is missing."""
    return f"{error} is missing" if isinstance(error, LookupError) else str(error)


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
