"""HTTP/1.1 (RFC 9112) as a server speaks it: bytes in, requests out, strictly; and an answer's bytes."""

from __future__ import annotations

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import MAX_BODY_BYTES, TITLES, Request, Response

MAX_HEAD_BYTES = 65_536
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_END = b"\r\n\r\n"
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"))
_HEXADECIMAL = frozenset(b"0123456789abcdefABCDEF")
_MAX_CHUNK_LINE_BYTES = 1024
_BODILESS = (204, 304)
_names: dict[str, str] = {}
"""Header names in lower case, by how clients spell them: nearly every request has the same few."""
_MOST_NAMES = 256
_status_lines: dict[int, str] = {}


class HeadError(RequestError):
    """A request that was refused by its head or its framing; `path` decides the form of the refusal."""

    def __init__(self, path: str, status: int, message: str) -> None:
        super().__init__(status, message)
        self.path = path


class Parser:
    """Turns the bytes of one connection into requests, however they are cut."""

    __slots__ = (
        *("_at", "_body", "_buffer", "_chunked", "_head", "_last", "_length", "keep_alive", "wants_continue"),
    )

    def __init__(self) -> None:
        self._buffer: bytes | bytearray = b""
        self._at = 0
        """How much of the buffer is done with. Deleting it each time would copy what clients sent ahead each time."""
        self._head: Request | None = None
        """The request whose body has not come yet."""
        self._last: tuple[bytes | bytearray, Request, bool, bool, int] | None = None
        """The last head's bytes, and what they say: most clients send the same head with each request."""
        self._length = 0
        self._chunked = False
        self._body = bytearray()
        """The chunks' data so far."""
        self.keep_alive = True
        """Whether another request may follow the last one."""
        self.wants_continue = False
        """Whether the client waits to be told to send its body."""

    def feed(self, data: bytes) -> None:
        """Take what was received."""
        if self._at == len(self._buffer):
            self._buffer, self._at = data, 0
            return
        if self._at or isinstance(self._buffer, bytes):
            self._buffer, self._at = bytearray(memoryview(self._buffer)[self._at :]), 0
        self._buffer += data

    @property
    def is_idle(self) -> bool:
        """Tell whether no part of a request is there."""
        return self._head is None and self._at == len(self._buffer)

    @property
    def has_head(self) -> bool:
        """Tell whether a request's head is there, and its body is not."""
        return self._head is not None

    def take(self) -> Request | None:
        """Return the next whole request; None while there is none. Raises HeadError for one that is refused."""
        if self._head is None and not self._take_head():
            return None
        if self._chunked:
            return self._take_chunks()
        end = self._at + self._length
        if len(self._buffer) < end:
            return None
        body = bytes(memoryview(self._buffer)[self._at : end]) if self._length else b""
        return self._finish(body, end)

    def _take_head(self) -> bool:
        while self._buffer.startswith(b"\r\n", self._at):  # RFC 9112, 2.2: some clients end a body with one
            self._at += 2
        end = self._buffer.find(_END, self._at)
        if end < 0 or end - self._at > MAX_HEAD_BYTES:
            if len(self._buffer) - self._at > MAX_HEAD_BYTES:
                raise HeadError("/", 431, f"the request's head is longer than {MAX_HEAD_BYTES} bytes.")
            return False
        head = self._buffer[self._at : end]
        self._at = end + 4
        if self._last is not None and self._last[0] == head:
            _, known, self.keep_alive, self._chunked, self._length = self._last
            self._head = _copy(known)
            return True
        request, self.keep_alive = parse_head(head.decode("latin-1"))
        self._chunked = _is_chunked(request)
        self._length = 0 if self._chunked else _length(request)
        if "expect" in request.headers:
            waits = request.headers["expect"].lower() == "100-continue"
            self.wants_continue = waits and (self._chunked or len(self._buffer) < self._at + self._length)
        else:
            self._last = head, request, self.keep_alive, self._chunked, self._length
        self._head = _copy(request)
        return True

    def _take_chunks(self) -> Request | None:
        """Read chunks (RFC 9112, 7.1) as far as they are there; trailers are read and dropped."""
        assert self._head is not None
        path = self._head.path
        while True:
            line_end = self._buffer.find(b"\r\n", self._at)
            if line_end < 0 or line_end - self._at > _MAX_CHUNK_LINE_BYTES:
                if len(self._buffer) - self._at > _MAX_CHUNK_LINE_BYTES:
                    raise HeadError(path, 400, "a chunk's size line is too long.")
                return None
            size = _chunk_size(path, bytes(self._buffer[self._at : line_end]))
            if len(self._body) + size > MAX_BODY_BYTES:
                raise _too_large(path, len(self._body) + size)
            if size == 0:
                return self._take_trailers(line_end)
            data_end = line_end + 2 + size
            if len(self._buffer) < data_end + 2:
                return None
            if self._buffer[data_end : data_end + 2] != b"\r\n":
                raise HeadError(path, 400, "a chunk is not as long as its size says.")
            self._body += memoryview(self._buffer)[line_end + 2 : data_end]
            self._at = data_end + 2

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

    def _finish(self, body: bytes, end: int) -> Request:
        request = self._head
        assert request is not None
        request.body = body
        self._at = end
        self._head = None
        self.wants_continue = False
        return request


def _copy(head: Request) -> Request:
    return Request(head.method, head.path, head.headers.copy(), b"", head.query)


def parse_head(head: str) -> tuple[Request, bool]:
    """Return a request without its body, and whether the connection may be used again. Raises HeadError.

    A header that is there several times is joined by commas, cookies by semicolons; host and what frames the body may
    be there once. (RFC 9112 has HTTP/1.1 requests without a host refused; health checks written by hand are, so they
    are taken.)
    """
    first, *lines = head.split("\r\n")
    method, target, version = _request_line(first)
    path, _, query = target.partition("?")
    if not len(lines) == head.count("\n") == head.count("\r") or "\0" in head:
        raise HeadError(path, 400, "the request's head holds a control character.")
    headers: dict[str, str] = {}
    for line in lines:
        spelt, colon, value = line.partition(":")
        name = _names.get(spelt) or _name(path, line, spelt)
        if not colon:
            raise _not_a_header(path, line)
        value = value.strip(" \t")
        if name in headers:
            if name == "host":
                raise HeadError(path, 400, "the request has two hosts.")
            value = f"{headers[name]}{'; ' if name == 'cookie' else ', '}{value}"
        headers[name] = value
    if version == "HTTP/1.0" and "transfer-encoding" in headers:
        raise HeadError(path, 400, "HTTP/1.0 has no transfer-encoding.")
    return Request(method, path, headers, b"", query), _keeps_alive(version, headers.get("connection"))


def _keeps_alive(version: str, connection: str | None) -> bool:
    if connection is None:
        return version == "HTTP/1.1"
    return "close" not in connection.lower() if version == "HTTP/1.1" else "keep-alive" in connection.lower()


def _request_line(line: str) -> tuple[str, str, str]:
    words = line.split(" ")
    if len(words) == 3 and words[2] in ("HTTP/1.1", "HTTP/1.0"):
        method, target, version = words
        if target.startswith(
            ("http://", "https://")
        ):  # as it is sent to proxies; servers take it as well (RFC 9112, 3.2.2)
            target = "/" + target.partition("://")[2].partition("/")[2]
        known = method in _METHODS or (method and _TOKEN.issuperset(method))
        if known and target[:1] == "/" and target.isascii() and target.isprintable():
            return method, target, version
    raise HeadError("/", 400, f"the request line {line[:200]!r} is not one of HTTP/1.1.")


def _name(path: str, line: str, spelt: str) -> str:
    """Return a header's name in lower case, and remember it."""
    if not spelt or not _TOKEN.issuperset(spelt):
        raise _not_a_header(path, line)
    name = spelt.lower()
    if len(_names) < _MOST_NAMES:
        _names[spelt] = name
    return name


def _not_a_header(path: str, line: str) -> HeadError:
    return HeadError(path, 400, f"the header line {line[:200]!r} is not a name, a colon and a value.")


def _is_chunked(request: Request) -> bool:
    coding = request.headers.get("transfer-encoding")
    if coding is None:
        return False
    if "content-length" in request.headers:
        raise HeadError(request.path, 400, "the request has both a content-length and a transfer-encoding.")
    if coding.lower() != "chunked":
        raise HeadError(request.path, 501, f"the transfer-encoding is {coding!r}, but must be chunked.")
    return True


def _length(request: Request) -> int:
    value = request.headers.get("content-length")
    if value is None:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        raise HeadError(request.path, 400, f"content-length is {value!r}, but must be a number of bytes.")
    length = int(value)
    if length > MAX_BODY_BYTES:
        raise _too_large(request.path, length)
    return length


def _chunk_size(path: str, line: bytes) -> int:
    digits = line.split(b";", 1)[0].rstrip(b" \t")
    if not 0 < len(digits) <= 8 or not _HEXADECIMAL.issuperset(digits):
        raise HeadError(path, 400, f"the chunk size {line[:20]!r} is not a hexadecimal number.")
    return int(digits, 16)


def _too_large(path: str, length: int) -> HeadError:
    return HeadError(path, 413, f"the body has {length} bytes, but may have {MAX_BODY_BYTES}.")


def render_response(response: Response, *, head: bool, keep_alive: bool) -> bytes:
    """Return the answer's bytes, without its body for a HEAD. A line end in a header's value becomes a blank."""
    status, headers, body = response.status, response.headers, response.body
    lines = [_status_lines.get(status) or _status_line(status)]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if status not in _BODILESS:
        lines.append(f"content-length: {len(body)}")
    if not keep_alive:
        lines.append("connection: close")
    text = "\r\n".join(lines)
    if text.count("\n") >= len(lines) or text.count("\r") >= len(lines):
        text = "\r\n".join([line.replace("\r", " ").replace("\n", " ") for line in lines])
    rendered = f"{text}\r\n\r\n".encode("latin-1", "replace")
    return rendered if head or status in _BODILESS else rendered + body


def _status_line(status: int) -> str:
    line = f"HTTP/1.1 {status} {TITLES.get(status, 'Unknown')}"
    _status_lines[status] = line
    return line
