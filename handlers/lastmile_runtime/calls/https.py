"""Functions that have a URL of their own, asked over HTTPS on a connection that stays open between two requests."""

from __future__ import annotations

import time

from lastmile_runtime.calls import without_caller
from lastmile_runtime.http import Response
from lastmile_runtime.stores import StoreError
from lastmile_runtime.stores.exchange import Client
from lastmile_runtime.stores.http import parse_url

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lastmile_runtime.stores.exchange import Address

_HERE = ("127.0.0.1", "localhost", "::1")


class HttpsFunction:
    """A function behind HTTPS."""

    def __init__(
        self, address: Address, authorize: Callable[[float], Mapping[str, str]], deadline_s: float
    ) -> None:
        """Ask nothing yet.

        Args:
            address: The function's server.
            authorize: Returns the headers by which it knows this function, before a time of `time.monotonic`.
            deadline_s: How long an answer may take.
        """
        self.deadline_s = deadline_s
        self._authorize = authorize
        self._client = Client(address)

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send a request and return the answer. Raises OSError, TimeoutError at the deadline."""
        ends_at = time.monotonic() + self.deadline_s
        try:
            sent = {**without_caller(headers), **self._authorize(ends_at)}
            answer, content = self._client.fetch(path, sent, ends_at, method, body)
        except ValueError as error:
            raise ConnectionError(str(error)) from error
        return Response(answer.status, answer.headers, content)


def address_of(url: str, issuers: tuple[bytes, ...]) -> Address | None:
    """Return the server in `KIND+https://HOST`, None for anything else.

    What proves who asks must not be read on the way, so plain http leads to this machine only.
    """
    try:
        address, path = parse_url(url.partition("+")[2], issuers)
    except StoreError:
        return None
    host = address.host
    if path or not (host.replace(".", "").replace("-", "").isalnum() or host in _HERE):
        return None
    return address if address.tls or host in _HERE else None
