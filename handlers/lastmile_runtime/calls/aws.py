"""Functions on AWS Lambda, invoked directly: docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (read 2026-11-29).

A request travels as an HTTP API's event (payload 2.0), which is what the called function's adapter takes.
"""

from __future__ import annotations

import time
from binascii import a2b_base64, b2a_base64

from lastmile_runtime import jsons
from lastmile_runtime.aws import Caller, Service
from lastmile_runtime.calls import without_caller
from lastmile_runtime.errors import BundleError
from lastmile_runtime.http import Response, json_response
from lastmile_runtime.stores.exchange import quote

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_MOST_BYTES = 6 * 1024 * 1024
"""The largest event (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, invocation payload)."""


class LambdaFunction:
    """A function on AWS Lambda, or one of its versions or aliases."""

    def __init__(self, service: Service, name: str, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self._service = service
        self._name = name
        self._path = f"/2015-03-31/functions/{quote(name)}/invocations"

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send a request and return the answer. Raises OSError, TimeoutError at the deadline."""
        event = _event(method, path, without_caller(headers), body)
        if len(event) > _MOST_BYTES:
            told = (
                f"the request has {len(event)} bytes on its way to another function, but AWS Lambda takes "
                f"{_MOST_BYTES}; send fewer rows."
            )
            return json_response({"error": told}, 413)
        found, content = self._service.post(self._path, {}, event, time.monotonic() + self.deadline_s)
        if "x-amz-function-error" in found:
            raise OSError(_failure(content))
        return _answer(content)


def open_url(function: str, url: str, deadline_s: float, environ: Mapping[str, str]) -> LambdaFunction | None:
    """Return the function at `lambda://REGION/NAME`, NAME a name or an ARN, with or without `:ALIAS`; None for no such URL.

    Raises BundleError when the environment does not say who is asking.
    """
    region, _, name = url.partition("://")[2].partition("/")
    if not region.replace("-", "").isalnum() or not name.translate(_NAME).isalnum():
        return None
    caller = Caller(environ)
    if not caller.is_known:
        raise BundleError(
            f"the function {function!r} is asked in this one's name, but the environment has no credentials of AWS."
        )
    return LambdaFunction(Service("lambda", region, caller, environ), name, deadline_s)


_NAME = str.maketrans("", "", ":-_$")
"""What the names, ARNs and qualifiers of functions have beside letters and digits."""


def _event(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    place, _, query = path.partition("?")
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": place,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {"http": {"method": method, "path": place}, "stage": "$default"},
        "body": b2a_base64(body, newline=False).decode("ascii"),
        "isBase64Encoded": True,
    }
    return jsons.dumps(event).encode()


def _answer(content: bytes) -> Response:
    """Return what a function answered, which is in the form that API Gateway takes."""
    try:
        found = jsons.loads(content)
        body = found.get("body") or ""
        headers = {name.lower(): str(value) for name, value in (found.get("headers") or {}).items()}
        decoded = a2b_base64(body) if found.get("isBase64Encoded") else body.encode()
        return Response(int(found["statusCode"]), headers, decoded)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ConnectionError(
            f"its answer is not one to HTTP: {type(error).__name__}: {str(error).rstrip('.')}"
        ) from error


def _failure(content: bytes) -> str:
    """Return why a function gave no answer, in its runtime's words or Lambda's: it was out of time, or of memory."""
    try:
        found: Any = jsons.loads(content)
        kind, told = (
            found.get("errorType"),
            str(found.get("errorMessage") or "it does not say why").rstrip("."),
        )
    except (ValueError, AttributeError):
        return "it failed, and does not say why"
    return f"it failed: {kind}: {told}" if kind else f"it failed: {told}"
