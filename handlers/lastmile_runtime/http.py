"""A request and its answer, whatever carries them."""

from __future__ import annotations

from lastmile_runtime import jsons

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_BODY_BYTES = 32 * 1024 * 1024


class Request:
    """An HTTP request: the path as it was sent, without the query string; header names in lower case."""

    __slots__ = ("afterwards", "body", "headers", "method", "path", "query")
    accepted = False
    """Whether it was taken earlier, so that it is done however many there are."""

    def __init__(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        query: str = "",
    ) -> None:
        self.method = method
        self.path = path
        self.headers = headers or {}
        self.body = body
        self.query = query
        """What follows the question mark, as it was sent."""
        self.afterwards: Callable[[], None] | None = None
        """What is left to do once it is answered: a shadow's prediction."""


class AcceptedRequest(Request):
    """A request that was taken earlier, and is worked on now: a job, or rows of a file."""

    __slots__ = ()
    accepted = True


class Response:
    """An HTTP answer; `facts` is what the log says about it beside method, path and status.

    `afterwards`, where there is one, is called by an adapter whose process keeps running, once the answer is sent.
    """

    __slots__ = ("afterwards", "body", "facts", "headers", "status")

    def __init__(
        self, status: int, headers: dict[str, str], body: bytes, facts: dict[str, Any] | None = None
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.facts = facts or {}
        self.afterwards: Callable[[], None] | None = None


def json_response(
    value: Any, status: int = 200, headers: dict[str, str] | None = None, facts: dict[str, Any] | None = None
) -> Response:
    """Return a JSON answer. Raises ValueError for a NaN or an infinity, which JSON does not have."""
    body = jsons.dumps(value).encode()
    return Response(status, {"content-type": "application/json", **(headers or {})}, body, facts)


def refusal(
    path: str,
    status: int,
    message: str,
    headers: dict[str, str] | None = None,
    facts: dict[str, Any] | None = None,
    members: dict[str, Any] | None = None,
) -> Response:
    """Return an error in the form of the path's protocol: `{"error"}` at /v2, else problem details (RFC 9457).

    `members` are further members of the document.
    """
    message = message.encode(
        "utf-8", "backslashreplace"
    ).decode()  # a model's words may hold half a character
    facts = {"error": message, **(facts or {})}
    if path == "/v2" or path.startswith("/v2/"):
        return json_response({"error": message, **(members or {})}, status, headers, facts)
    value = {
        "type": "about:blank",
        "title": TITLES[status],
        "status": status,
        "detail": message,
        **(members or {}),
    }
    return json_response(
        value, status, {"content-type": "application/problem+json", **(headers or {})}, facts
    )


TITLES = {
    200: "OK",
    202: "Accepted",
    204: "No Content",
    303: "See Other",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    424: "Failed Dependency",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
"""Every status that this runtime answers with. (`http.HTTPStatus` would import enum and more.)"""
