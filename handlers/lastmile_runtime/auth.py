"""Who may call, checked here where the gateway in front cannot: an API key's digest, or a token."""

from __future__ import annotations

from _operator import _compare_digest  # what hmac.compare_digest is, without hmac's imports

from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.hashing import sha256

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.http import Request

KEY_HEADER = "x-api-key"
CHALLENGE = {"www-authenticate": 'Basic realm="the API key is the password", charset="UTF-8"'}
"""Lets a browser ask for the key (RFC 7617), so that the documentation can be opened there."""


class KeyAuth:
    """Takes the requests whose key has one of the digests: two while a key is being replaced."""

    kind = "key"

    def __init__(self, digests: list[str]) -> None:
        """Take digests, each `sha256:` and hexadecimal. Raises BundleError without one."""
        if not digests or not all(isinstance(d, str) and d.startswith("sha256:") for d in digests):
            raise BundleError("LASTMILE_AUTH.keys must be a list of digests that begin with sha256:.")
        self._digests = digests

    def check(self, request: Request) -> None:
        """Raise RequestError (401) unless the request has a valid key; it is taken out of the request."""
        headers = request.headers
        given = key_of(headers.pop(KEY_HEADER, ""), headers.pop("authorization", ""))
        if not accepts_key(given, self._digests):
            raise RequestError(401, f"send a valid API key in the header {KEY_HEADER}.", CHALLENGE)


def key_of(key: str, authorization: str) -> bytes:
    """Return the key that a request gives: x-api-key, or the password of a browser that was asked for one."""
    if not key and authorization[:6].lower() == "basic ":
        from base64 import b64decode

        try:
            return b64decode(authorization[6:], validate=True).partition(b":")[2]
        except ValueError:
            return b""
    return key.encode("latin-1", "replace")


def accepts_key(given: bytes, digests: list[str]) -> bool:
    """Tell whether a key has one of the digests. Every one is compared, so the time taken tells nothing."""
    hasher = sha256(len(given))
    hasher.update(given)
    found = f"sha256:{hasher.hexdigest()}"
    return any([_compare_digest(found, known) for known in digests])  # noqa: C419 - all are compared


class TokenAuth:
    """Takes the requests whose bearer token a JSON Web Token issuer signed for one of the audiences."""

    kind = "jwt"

    def __init__(self, issuer: str, audiences: list[str]) -> None:
        self._issuer = issuer
        self._audiences = audiences
        self._verifier: Any = None

    def check(self, request: Request) -> None:
        """Raise RequestError (401) unless the token is valid; 503 when the issuer's keys cannot be had."""
        from lastmile_runtime.tokens import TokenVerifier

        if self._verifier is None:
            self._verifier = TokenVerifier(self._issuer, self._audiences)
        self._verifier.check(request.headers.get("authorization", ""))


def open_auth(document: dict[str, Any] | None) -> KeyAuth | TokenAuth | None:
    """Return the check that a configuration asks for: `{"keys": [digests]}`, `{"jwt": {issuer, audiences}}`, or None.

    Raises BundleError for anything else.
    """
    match document:
        case None:
            return None
        case {"keys": list(digests)}:
            return KeyAuth(digests)
        case {"jwt": {"issuer": str(issuer), "audiences": list(audiences)}}:
            return TokenAuth(issuer, audiences)
    raise BundleError("LASTMILE_AUTH must have keys (digests), or jwt with issuer and audiences.")
