"""A request and its answer, whatever carries them."""

from __future__ import annotations

import json
from typing import Any


class Request:
    """An HTTP request; header names are lower case."""

    __slots__ = ("body", "headers", "method", "path")

    def __init__(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> None:
        self.method = method
        self.path = path
        """Without the query string, still percent-encoded."""
        self.headers = headers or {}
        self.body = body


class Response:
    """An HTTP answer; `facts` is what the log says about it beside method, path and status."""

    __slots__ = ("body", "facts", "headers", "status")

    def __init__(
        self, status: int, headers: dict[str, str], body: bytes, facts: dict[str, Any] | None = None
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.facts = facts or {}


def json_response(
    value: Any, status: int = 200, headers: dict[str, str] | None = None, facts: dict[str, Any] | None = None
) -> Response:
    """Return a JSON answer. NaN and infinities are written as Python writes them, which tritonclient and KServe read."""
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(status, {"content-type": "application/json", **(headers or {})}, body, facts)


def problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    """Return problem details (RFC 9457)."""
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}).encode()
    return Response(
        status, {"content-type": "application/problem+json", **(headers or {})}, body, {"error": detail}
    )
