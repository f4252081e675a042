"""The other functions of a deployment: how the router's function asks them, whatever the target."""

from __future__ import annotations

from lastmile_runtime.errors import BundleError
from lastmile_runtime.local_host import ask, parse_url

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Protocol

    from lastmile_runtime.http import Response
    from lastmile_runtime.manifest import Version

    class Function(Protocol):
        """A function of the same deployment."""

        deadline_s: float
        """An answer that takes longer is given up."""

        def ask(
            self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
        ) -> Response:
            """Send a request and return the answer. Raises OSError, TimeoutError at the deadline."""


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
        return ask(self._socket, method, f"/functions/{self._name}{path}", body, self.deadline_s, headers)


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
    place = parse_url(url)
    if place is None:
        raise BundleError(
            f"LASTMILE_FUNCTIONS has {url!r} for {function!r}, but must have unix:///SOCKET#NAME."
        )
    return LocalFunction(*place, deadline_s)
