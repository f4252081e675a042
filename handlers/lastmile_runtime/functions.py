"""The other functions of a deployment: how the router's function asks them, whatever the target."""

from __future__ import annotations

import _socket  # socket itself would cost 7 ms of each cold start, for enum and selectors
import time

from lastmile_runtime.errors import BundleError
from lastmile_runtime.http import Response
from lastmile_runtime.stores.deadline import left_s

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Protocol

    from lastmile_runtime.manifest import Version

    class Function(Protocol):
        """A function of the same deployment."""

        deadline_s: float
        """An answer that takes longer is given up."""

        def ask(
            self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
        ) -> Response:
            """Send a request and return the answer. Raises OSError, TimeoutError at the deadline."""


_READ_BYTES = 65_536


class LocalFunction:
    """A function of the embedded cloud, which the deployment's host starts when it is asked."""

    def __init__(self, socket: str, name: str, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self._socket = socket
        self._name = name

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send a request and return the answer. Raises OSError, TimeoutError at the deadline."""
        ends_at = time.monotonic() + self.deadline_s
        lines = [f"{method} /functions/{self._name}{path} HTTP/1.1", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        connection = _socket.socket(_socket.AF_UNIX)
        try:
            connection.settimeout(left_s(ends_at))
            connection.connect(self._socket)
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


def open_functions(urls: Any, versions: Iterable[Version], deadline_s: float) -> dict[str, Function]:
    """Return the functions that serve a bundle's remote versions, by name.

    Args:
        urls: The URL of each function by name, `unix:///SOCKET#NAME`.
        versions: The bundle's.
        deadline_s: How long an answer may take.

    Raises BundleError for a function without a URL, and for a URL that this runtime cannot ask.
    """
    if not isinstance(urls, dict):
        raise BundleError(f"LASTMILE_FUNCTIONS is {urls!r}, but must give each function its URL.")
    found: dict[str, Function] = {}
    for version in versions:
        if version.remote is not None:
            name = version.remote["function"]
            if name not in urls:
                raise BundleError(
                    f"LASTMILE_FUNCTIONS has no {name!r}, which serves the version {version.id!r}."
                )
            found[name] = _open_function(name, urls[name], deadline_s)
    return found


def _open_function(function: str, url: Any, deadline_s: float) -> Function:
    scheme, _, place = url.partition("://") if isinstance(url, str) else ("", "", "")
    path, _, name = place.partition("#")
    if scheme != "unix" or not path.startswith("/") or not name:
        raise BundleError(
            f"LASTMILE_FUNCTIONS has {url!r} for {function!r}, but must have unix:///SOCKET#NAME."
        )
    return LocalFunction(path, name, deadline_s)
