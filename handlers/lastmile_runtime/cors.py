"""Which web pages may call, told to browsers here where no gateway in front does it (CORS; fetch.spec.whatwg.org)."""

from __future__ import annotations

from lastmile_runtime.errors import BundleError
from lastmile_runtime.http import Response

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lastmile_runtime.http import Request

METHODS = ("GET", "POST")
EXPOSED = (
    "x-model-version",
    "x-model-digest",
    "x-model-route",
    "x-model-contract",
    "location",
    "x-request-id",
    "server-timing",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
)
"""The headers of an answer that a web page may read."""
_MAX_AGE_S = 600
"""How long a browser remembers what it was told."""
_VARY = (
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, "
    "Access-Control-Request-Private-Network"
)


class Cors:
    """Answers a browser's question whether a page may call, and says on each answer which page may read it."""

    def __init__(self, origins: list[str]) -> None:
        """Let in these origins, such as `https://app.example.com`; `*` stands for all."""
        self._origins = origins
        self._all = "*" in origins

    def answering(self, answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """Return what answers as `answer` does, and browsers beside."""

        def answer_browsers_too(request: Request) -> Response:
            origin = request.headers.get("origin")
            response = self.preflight(request)
            if response is None:
                response = answer(request)
                response.headers = {
                    **response.headers,
                    **self.headers(origin, response.headers.get("vary")),
                }
            return response

        return answer_browsers_too

    def preflight(self, request: Request) -> Response | None:
        """Answer the question that a browser asks before a request, which no caller proves who it is for.

        Returns None for any other request.
        """
        given = request.headers
        origin, method = given.get("origin"), given.get("access-control-request-method")
        if request.method != "OPTIONS" or origin is None or method is None:
            return None
        refused = {
            "origin": not self._allows(origin),
            "method": method not in METHODS,
            "private-network": "access-control-request-private-network" in given,
        }
        headers = {
            "content-type": "text/plain; charset=utf-8",
            "vary": _VARY,
            "access-control-allow-methods": ", ".join(METHODS),
            "access-control-max-age": str(_MAX_AGE_S),
        }
        if not refused["origin"]:
            headers["access-control-allow-origin"] = "*" if self._all else origin
        if "access-control-request-headers" in given:
            headers["access-control-allow-headers"] = given["access-control-request-headers"]
        reasons = ", ".join([reason for reason, holds in refused.items() if holds])
        if reasons:
            return Response(400, headers, f"Disallowed CORS {reasons}".encode())
        return Response(200, headers, b"OK")

    def headers(self, origin: str | None, vary: str | None) -> dict[str, str]:
        """Return the headers that an answer gets, in the place of its own of the same names.

        Args:
            origin: The page's, as the request says it; None when it says none.
            vary: The answer's own header of that name.
        """
        told = {"vary": f"{vary}, Origin" if vary else "Origin"}
        if origin is not None:
            told["access-control-expose-headers"] = ", ".join(EXPOSED)
            if self._allows(origin):
                told["access-control-allow-origin"] = "*" if self._all else origin
        return told

    def _allows(self, origin: str) -> bool:
        return self._all or origin in self._origins


def open_cors(document: Any) -> Cors:
    """Return what a configuration asks for: `{"allow_origins": [...]}`. Raises BundleError for anything else."""
    match document:
        case {"allow_origins": [*origins]} if all(isinstance(origin, str) for origin in origins) and origins:
            return Cors(origins)
    raise BundleError("LASTMILE_CORS must have allow_origins, a list of origins.")
