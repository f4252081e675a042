"""HTTP/1.1 on a connection: one request read, one answer's bytes, and no more of it than the local host speaks."""

from __future__ import annotations

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import MAX_BODY_BYTES, TITLES, Request, Response

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    import socket

MAX_HEAD_BYTES = 65_536
_READ_BYTES = 1 << 16
_END = b"\r\n\r\n"


def read_request(connection: socket.socket, max_body_bytes: int = MAX_BODY_BYTES) -> Request | None:
    """Read one request; None when the peer sent none, or left before its end.

    Raises HeadError for a head that is refused, which the caller answers.
    """
    received = bytearray()
    while (end := received.find(_END)) < 0:
        if len(received) > MAX_HEAD_BYTES:
            raise HeadError("/", 431, f"the request's head is longer than {MAX_HEAD_BYTES} bytes.")
        chunk = connection.recv(_READ_BYTES)
        if not chunk:
            return None
        received += chunk
    method, path, query, headers = _parse_head(bytes(received[:end]))
    length = _length(path, headers)
    body = received[end + len(_END) :]
    if length > max_body_bytes:
        _discard(connection, length - len(body))
        raise HeadError(path, 413, f"the body has {length} bytes, but may have {max_body_bytes}.")
    if len(body) < length and headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue" + _END)
    while len(body) < length:
        chunk = connection.recv(min(1 << 20, length - len(body)))
        if not chunk:
            return None
        body += chunk
    return Request(method, path, headers, bytes(body[:length]), query)


class HeadError(RequestError):
    """A request that was refused by its head; `path` decides the form of the refusal."""

    def __init__(self, path: str, status: int, message: str) -> None:
        super().__init__(status, message)
        self.path = path


def _parse_head(head: bytes) -> tuple[str, str, str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0") or not words[1].startswith("/"):
        raise HeadError("/", 400, f"the request line {first[:200]!r} is not one of HTTP/1.1.")
    path, _, query = words[1].partition("?")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise HeadError(path, 400, f"the header line {line[:200]!r} is not a name, a colon and a value.")
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return words[0], path, query, headers


def _length(path: str, headers: dict[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise HeadError(path, 411, "the body comes in a transfer encoding; send it with a content-length.")
    value = headers.get("content-length", "0")
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        raise HeadError(path, 400, f"content-length is {value!r}, but must be a number of bytes.")
    return int(value)


def _discard(connection: socket.socket, remaining: int) -> None:
    """Read a body that is refused, because a peer that is still sending does not read the answer."""
    while remaining > 0 and (chunk := connection.recv(min(1 << 20, remaining))):
        remaining -= len(chunk)


def render_response(response: Response, *, head: bool) -> bytes:
    """Return the answer's bytes, without its body for a HEAD; the connection closes after it."""
    lines = [f"HTTP/1.1 {response.status} {TITLES[response.status]}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    lines += [f"content-length: {len(response.body)}", "connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + (b"" if head else response.body)
