"""The host of the embedded cloud, as its functions ask it: one HTTP request per connection over its Unix socket."""

from __future__ import annotations

import _socket  # socket itself would cost 7 ms of each cold start, for enum and selectors
import time

from lastmile_runtime.http import Response
from lastmile_runtime.stores.deadline import left_s

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

_READ_BYTES = 65_536


def parse_url(url: Any) -> tuple[str, str] | None:
    """Return the socket and the name in `unix:///SOCKET#NAME`, None for anything else."""
    scheme, _, place = url.partition("://") if isinstance(url, str) else ("", "", "")
    socket, _, name = place.partition("#")
    return (socket, name) if scheme == "unix" and socket.startswith("/") and name else None


def ask(
    socket: str,
    method: str,
    path: str,
    body: bytes,
    deadline_s: float,
    headers: dict[str, str] | None = None,
) -> Response:
    """Send a request and return the whole answer. Raises OSError, TimeoutError when that takes longer."""
    ends_at = time.monotonic() + deadline_s
    lines = [f"{method} {path} HTTP/1.1", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    connection = _socket.socket(_socket.AF_UNIX)
    try:
        connection.settimeout(left_s(ends_at))
        connection.connect(socket)
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        received = bytearray()
        while True:
            connection.settimeout(left_s(ends_at))
            chunk = connection.recv(_READ_BYTES)
            if not chunk:
                return _parse(bytes(received))
            received += chunk
    finally:
        connection.close()


def _parse(received: bytes) -> Response:
    """Read all that came until the connection was closed."""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    pairs = [line.partition(":") for line in lines]
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if len(words) < 2 or not words[1].isdigit() or headers.get("content-length") != str(len(body)):
        raise ConnectionResetError("the connection was closed before the answer was complete")
    return Response(int(words[1]), headers, body)
