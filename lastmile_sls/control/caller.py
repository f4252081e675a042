"""A client of a deployed endpoint: one HTTP request at a time, its key never told and sent nowhere else."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

from lastmile_sls.check.contract import Answer

TIMEOUT_S = 60.0
"""A first answer may wait for a cold start."""


class NoAnswerError(Exception):
    """There was no answer; the text says why, without the key."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer: followed, it would take the key to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Caller:
    """Whoever calls an endpoint."""

    def __init__(self, url: str, headers: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> None:
        """Call `url`, with these headers on each request: the key, or a token."""
        self._url = url.rstrip("/")
        self._headers = dict(headers)
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(_NoRedirects)

    def ask(
        self, path: str, body: bytes | None = None, headers: Mapping[str, str | None] | None = None
    ) -> Answer:
        """Send a request, POST with a body, else GET, and return the answer; a header that is None is not sent.

        Raises NoAnswerError.
        """
        sent = {**self._headers, "accept": "application/json"}
        sent |= {"content-type": "application/json"} if body is not None else {}
        for name, value in (headers or {}).items():
            sent.pop(name, None)
            if value is not None:
                sent[name] = value
        request = urllib.request.Request(f"{self._url}{path}", data=body, headers=sent)  # noqa: S310 - the outputs' URL
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                return _answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers, error.read())
        except urllib.error.URLError as error:
            raise NoAnswerError(f"{self._url} cannot be reached: {error.reason}") from error
        except (OSError, HTTPException, ValueError) as error:
            raise NoAnswerError(
                f"{self._url} gave no whole answer: {type(error).__name__}: {error}"
            ) from error


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    named = {name.lower(): value for name, value in headers.items()}
    return Answer(time.perf_counter(), status, named, body)
