"""A request and its answer, whatever carries them."""

from __future__ import annotations

import json

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

MAX_BODY_BYTES = 32 * 1024 * 1024


class Request:
    """An HTTP request: the path as it was sent, without the query string; header names in lower case."""

    __slots__ = ("body", "headers", "method", "path")

    def __init__(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> None:
        self.method = method
        self.path = path
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
    """Return a JSON answer. Raises ValueError for a NaN or an infinity, which JSON does not have."""
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    return Response(status, {"content-type": "application/json", **(headers or {})}, body, facts)


def refusal(
    path: str,
    status: int,
    message: str,
    headers: dict[str, str] | None = None,
    facts: dict[str, Any] | None = None,
) -> Response:
    """Return an error in the form of the path's protocol: `{"error"}` at /v2, else problem details (RFC 9457)."""
    facts = {"error": message, **(facts or {})}
    if path == "/v2" or path.startswith("/v2/"):
        return json_response({"error": message}, status, headers, facts)
    value = {"type": "about:blank", "title": TITLES[status], "status": status, "detail": message}
    return json_response(
        value, status, {"content-type": "application/problem+json", **(headers or {})}, facts
    )


TITLES = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    411: "Length Required",
    413: "Content Too Large",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
"""Every status that this runtime answers with. (`http.HTTPStatus` would import enum and more.)"""
