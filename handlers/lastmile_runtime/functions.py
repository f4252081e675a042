"""The other functions of a deployment: how the router's function asks them, whatever the target."""

from __future__ import annotations

import os

from lastmile_runtime.errors import BundleError
from lastmile_runtime.local_host import ask, parse_url

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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


_CLOUDS = {
    "lambda": "aws",
    "run+https": "gcp",
    "run+http": "gcp",
    "key+https": "azure",
    "key+http": "azure",
}
"""The module of `lastmile_runtime.calls` by how a URL begins; it is imported when there is such a function."""


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


def open_functions(
    urls: Any, versions: Iterable[Version], deadline_s: float, environ: Mapping[str, str] = os.environ
) -> dict[str, Function]:
    """Return the functions that serve a bundle's remote versions, by name.

    Args:
        urls: The URL of each function by name: `unix:///SOCKET#NAME`, or a cloud's (see `lastmile_runtime.startup`).
        versions: The bundle's.
        deadline_s: How long an answer may take.
        environ: Says who this function is to the others.

    Raises BundleError for a function without a URL, for a URL that this runtime cannot ask, and for one that it cannot
    ask as nobody.
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
            found[name] = _open_function(name, urls[name], deadline_s, environ)
    return found


def _open_function(function: str, url: Any, deadline_s: float, environ: Mapping[str, str]) -> Function:
    scheme = url.partition("://")[0] if isinstance(url, str) else ""
    opened: Function | None = None
    if scheme in _CLOUDS:
        module = __import__(f"lastmile_runtime.calls.{_CLOUDS[scheme]}", fromlist=["open_url"])
        opened = module.open_url(function, url, deadline_s, environ)
    elif (place := parse_url(url)) is not None:
        opened = LocalFunction(*place, deadline_s)
    if opened is None:
        raise BundleError(
            f"LASTMILE_FUNCTIONS has {url!r} for {function!r}, but must have unix:///SOCKET#NAME, "
            "lambda://REGION/NAME, run+https://HOST or key+https://HOST."
        )
    return opened
