"""Reads a cloud's list of prices over the web: tried again while it is busy, followed nowhere else, of a size that fits."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from lastmile_sls.errors import LastmileError

MOST_PAGES = 100
_TIMEOUT_S = 60
_TRIES = 5
_LONGEST_PAUSE_S = 60.0
_MOST_BYTES = 64 * 2**20
_BUSY = (429, 500, 502, 503, 504)


class RefusedError(LastmileError):
    """The API answered, but not with a page."""

    def __init__(self, status: int, body: bytes, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.status = status
        self.body = body


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A list of prices redirects nobody, and what is sent to it is for nobody else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True)
class Web:
    """One cloud's API."""

    whose: str
    """Its name in messages."""
    again: str
    """What to do when it fails."""
    pause: Callable[[float], None]
    """Waits so many seconds."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Who asks: secrets."""

    def page(self, url: str, rows: str) -> Mapping[str, Any]:
        """Return the document at an address, numbers as Decimal; where it has `rows`, they are a list.

        Raises RefusedError for any answer but 200, once it was tried again, and LastmileError for no answer, or one of
        another form.
        """
        status, after, body = self._get(url)
        for tried in range(1, _TRIES):
            if status not in _BUSY:
                break
            self.pause(min(_LONGEST_PAUSE_S, after if after is not None else 2.0**tried))
            status, after, body = self._get(url)
        if status != 200:
            message = f"{self.whose}'s list of prices answered HTTP {status} ({urlsplit(url).netloc})."
            raise RefusedError(status, body, message, self.again)
        return self._document(body, rows)

    def endless(self) -> LastmileError:
        """Return the error for a list that goes on and on."""
        return LastmileError(
            f"{self.whose}'s list of prices has no end after {MOST_PAGES} pages.", self.again
        )

    def _get(self, url: str) -> tuple[int, float | None, bytes]:
        """Return the status, how long to wait if that is said, in seconds, and the body."""
        headers = {"accept": "application/json", **self.headers}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the API's own address, or a test's
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=_TIMEOUT_S) as answer:
                return answer.status, None, answer.read(_MOST_BYTES + 1)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _seconds(error.headers.get("retry-after")), error.read(_MOST_BYTES)
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            host = urlsplit(url).netloc
            raise LastmileError(
                f"{self.whose}'s list of prices cannot be read ({host}): {reason}.", self.again
            ) from error

    def _document(self, body: bytes, rows: str) -> Mapping[str, Any]:
        try:
            page = json.loads(body, parse_float=Decimal) if len(body) <= _MOST_BYTES else None
        except ValueError:
            page = None
        if not isinstance(page, dict) or not isinstance(page.get(rows, []), list):
            raise LastmileError(f"{self.whose}'s list of prices is no list of prices.", self.again)
        return page


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.strip().isdigit() else None
