"""HTTP/1.1 (RFC 9112) as a server speaks it: bytes in, requests out, strictly; and an answer's bytes."""

from __future__ import annotations

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import MAX_BODY_BYTES, TITLES, Request, Response

MAX_HEAD_BYTES = 65_536
_END = b"\r\n\r\n"
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_MAX_CHUNK_LINE_BYTES = 1024
CONTINUE = b"HTTP/1.1 100 Continue" + _END


class HeadError(RequestError):
    """A request that was refused by its head; `path` decides the form of the refusal."""

    def __init__(self, path: str, status: int, message: str) -> None:
        super().__init__(status, message)
        self.path = path


class Parser:
    """Turns the bytes of one connection into requests, however they are cut."""

    __slots__ = (
        "_body",
        "_body_end",
        "_buffer",
        "_chunk_at",
        "_chunked",
        "_head",
        "keep_alive",
        "wants_continue",
    )

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: Request | None = None
        self._body_end = 0
        """Where the body ends in the buffer, once its head is parsed."""
        self._chunked = False
        self._chunk_at = 0
        """Where the next chunk's size is in the buffer."""
        self._body = bytearray()
        """The chunks' data so far."""
        self.keep_alive = True
        """Whether another request may follow the last one."""
        self.wants_continue = False
        """Whether the client waits to be told to send its body."""

    def feed(self, data: bytes) -> None:
        """Take what was received."""
        self._buffer += data

    @property
    def is_idle(self) -> bool:
        """Tell whether no part of a request is there."""
        return not self._buffer and self._head is None

    def take(self) -> Request | None:
        """Return the next whole request; None while there is none. Raises HeadError for one that is refused."""
        if self._head is None and not self._take_head():
            return None
        if self._chunked:
            return self._take_chunks()
        if len(self._buffer) < self._body_end:
            return None
        return self._finish(bytes(memoryview(self._buffer)[: self._body_end]), self._body_end)

    def _take_head(self) -> bool:
        end = self._buffer.find(_END)
        if end < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise HeadError("/", 431, f"the request's head is longer than {MAX_HEAD_BYTES} bytes.")
            return False
        head = self._buffer[:end].decode("latin-1")
        del self._buffer[: end + 4]
        method, path, query, headers, self.keep_alive = parse_head(head)
        self._chunked = _is_chunked(path, headers)
        self._body_end = 0 if self._chunked else _length(path, headers)
        if self._body_end > MAX_BODY_BYTES:
            raise _too_large(path, self._body_end)
        waits = headers.get("expect", "").lower() == "100-continue"
        self.wants_continue = waits and (self._chunked or len(self._buffer) < self._body_end)
        self._head = Request(method, path, headers, b"", query)
        return True

    def _take_chunks(self) -> Request | None:
        """Read chunks (RFC 9112, 7.1) as far as they are there; trailers are read and dropped."""
        assert self._head is not None
        path = self._head.path
        while True:
            line_end = self._buffer.find(b"\r\n", self._chunk_at)
            if line_end < 0:
                if len(self._buffer) - self._chunk_at > _MAX_CHUNK_LINE_BYTES:
                    raise HeadError(path, 400, "a chunk's size line is too long.")
                return None
            size = _chunk_size(path, bytes(self._buffer[self._chunk_at : line_end]))
            if len(self._body) + size > MAX_BODY_BYTES:
                raise _too_large(path, len(self._body) + size)
            if size == 0:
                return self._take_trailers(line_end)
            data_end = line_end + 2 + size
            if len(self._buffer) < data_end + 2:
                return None
            if self._buffer[data_end : data_end + 2] != b"\r\n":
                raise HeadError(path, 400, "a chunk is not as long as its size says.")
            self._body += self._buffer[line_end + 2 : data_end]
            del self._buffer[: data_end + 2]
            self._chunk_at = 0

    def _take_trailers(self, line_end: int) -> Request | None:
        # The last chunk's line end and the trailers' empty line are one sequence when there are no trailers.
        end = self._buffer.find(_END, line_end)
        if end < 0:
            if len(self._buffer) - line_end > MAX_HEAD_BYTES:
                raise HeadError("/", 431, f"the trailers are longer than {MAX_HEAD_BYTES} bytes.")
            return None
        body = bytes(self._body)
        self._body = bytearray()
        return self._finish(body, end + 4)

    def _finish(self, body: bytes, consumed: int) -> Request:
        request = self._head
        assert request is not None
        request.body = body
        del self._buffer[:consumed]
        self._head = None
        self._chunk_at = 0
        self.wants_continue = False
        return request


def parse_head(head: str) -> tuple[str, str, str, dict[str, str], bool]:
    """Return method, path, query, headers, and whether the connection may be used again. Raises HeadError."""
    first, *lines = head.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0") or not words[1].startswith("/"):
        raise HeadError("/", 400, f"the request line {first[:200]!r} is not one of HTTP/1.1.")
    path, _, query = words[1].partition("?")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or not _TOKEN.issuperset(name):
            raise HeadError(path, 400, f"the header line {line[:200]!r} is not a name, a colon and a value.")
        name, value = name.lower(), value.strip(" \t")
        if "\n" in value or "\0" in value or "\r" in value:
            raise HeadError(path, 400, f"the header {name} holds a control character.")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    connection = headers.get("connection", "").lower()
    keep_alive = "keep-alive" in connection if words[2] == "HTTP/1.0" else "close" not in connection
    return words[0], path, query, headers, keep_alive


def _is_chunked(path: str, headers: dict[str, str]) -> bool:
    coding = headers.get("transfer-encoding")
    if coding is None:
        return False
    if "content-length" in headers:
        raise HeadError(path, 400, "the request has both a content-length and a transfer-encoding.")
    if coding.lower() != "chunked":
        raise HeadError(path, 501, f"the transfer-encoding is {coding!r}, but must be chunked.")
    return True


def _chunk_size(path: str, line: bytes) -> int:
    digits = line.split(b";", 1)[0].strip()
    if not 0 < len(digits) <= 8 or not all(digit in b"0123456789abcdefABCDEF" for digit in digits):
        raise HeadError(path, 400, f"the chunk size {line[:20]!r} is not a hexadecimal number.")
    return int(digits, 16)


def _length(path: str, headers: dict[str, str]) -> int:
    value = headers.get("content-length", "0")
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        raise HeadError(path, 400, f"content-length is {value!r}, but must be a number of bytes.")
    return int(value)


def _too_large(path: str, length: int) -> HeadError:
    return HeadError(path, 413, f"the body has {length} bytes, but may have {MAX_BODY_BYTES}.")


def render_response(response: Response, *, head: bool, keep_alive: bool) -> bytes:
    """Return the answer's bytes, without its body for a HEAD."""
    lines = [f"HTTP/1.1 {response.status} {TITLES.get(response.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    if response.status != 204:
        lines.append(f"content-length: {len(response.body)}")
    lines += ["", ""] if keep_alive else ["connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + (b"" if head else response.body)
