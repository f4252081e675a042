"""What a function's platform says about it over HTTP beside the function: its credentials and bearer tokens."""

from __future__ import annotations

import time

from lastmile_runtime import jsons

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_EARLY_S = 300.0


def fetch_json(url: str, headers: Mapping[str, str], ends_at: float) -> Any:
    """Return the JSON document at a URL. Raises OSError or ValueError, which tell nothing of what was received."""
    name, content = fetch(url, headers, ends_at)
    try:
        return jsons.loads(content)
    except ValueError:
        raise ValueError(f"{name} answered with credentials that are not JSON") from None


def fetch(url: str, headers: Mapping[str, str], ends_at: float) -> tuple[str, bytes]:
    """Return a server's name and what it has at a URL. Raises OSError or ValueError, which tell nothing of the latter."""
    from lastmile_runtime.stores.exchange import Connection
    from lastmile_runtime.stores.http import parse_url

    address, path = parse_url(url)
    connection = Connection(address, ends_at)
    try:
        answer = connection.ask(path or "/", {**headers, "connection": "close"}, ends_at)
        content = answer.read(ends_at)
    finally:
        connection.close()
    if answer.status != 200:
        raise OSError(f"{address.name} gives this function no credentials: it answered {answer.status}")
    return address.name, content


class Bearer:
    """A bearer token that is asked for again before it expires."""

    def __init__(self, fetch: Callable[[float], tuple[str, float]]) -> None:
        """Ask nothing yet; `fetch` gets a deadline and returns a token and when it expires (since the epoch)."""
        self._fetch = fetch
        self._token = ""
        self._expires_at = 0.0

    def current(self, ends_at: float) -> tuple[str, float]:
        """Return a token that is good for some minutes, and when it expires. Raises OSError or ValueError."""
        if self._expires_at - time.time() < _EARLY_S:
            self._token, self._expires_at = self._fetch(ends_at)
        return self._token, self._expires_at

    def provide(self) -> dict[str, Any]:
        """Return it as obstore's credential providers do."""
        from datetime import UTC, datetime

        token, expires_at = self.current(time.monotonic() + 10)
        return {"token": token, "expires_at": datetime.fromtimestamp(expires_at, UTC)}
