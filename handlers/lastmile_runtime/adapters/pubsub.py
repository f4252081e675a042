"""Messages of the queue as Pub/Sub pushes them (cloud.google.com/pubsub/docs/push): verified, done, acknowledged."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64decode

from lastmile_runtime.adapters.deliveries import do_message
from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.http import Request, Response, json_response

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from lastmile_runtime.application import Application

ISSUER = "https://accounts.google.com"


class Pushes:
    """A subscription's pushes, of which only those that its service account signed are done.

    Anybody with an account at Google can have a token for any audience, so the audience alone proves nothing: the
    account is compared as well (cloud.google.com/pubsub/docs/authenticate-push-subscriptions).

    Where Cloud Run has checked the token itself, it passes it on without its signature, lest it be used elsewhere
    (cloud.google.com/run/docs/troubleshooting#signature-removed). LASTMILE_PUSH_CHECKED=1 says that it has.
    """

    def __init__(self, application: Application, environ: Mapping[str, str], issuer: str = ISSUER) -> None:
        """Read the variables of `lastmile_runtime.adapters.gcp` that are about pushes. Raises BundleError."""
        self._application = application
        self._audience = _required(environ, "LASTMILE_PUSH_AUDIENCE")
        self._account = _required(environ, "LASTMILE_PUSH_ACCOUNT")
        attempts = environ.get("LASTMILE_QUEUE_ATTEMPTS", "0")
        if not attempts.isdigit():
            raise BundleError(f"LASTMILE_QUEUE_ATTEMPTS is {attempts!r}, but must be a number.")
        self._attempts = int(attempts)
        self._is_checked = environ.get("LASTMILE_PUSH_CHECKED") == "1"
        self._issuer = issuer
        self._check: Callable[[str], None] | None = None
        self._lock = threading.Lock()

    def take(self, request: Request) -> Response:
        """Do what a push says: 204 acknowledges it; with any other status Pub/Sub sends it again, or sets it aside.

        401 and 403 are for pushes of somebody else, 400 for what is no push, 503 for what was not done.
        """
        try:
            self._verify(request.headers.get("authorization", ""))
            message, attempt, sent_at = _read(request.body)
        except RequestError as error:
            facts = {"faas.trigger": "pubsub", "error": error.message}
            return json_response({"error": error.message}, error.status, error.headers, facts)
        last = 0 < self._attempts <= attempt
        return do_message(self._application, message, attempt, last=last, sent_at=sent_at)

    def _verify(self, authorization: str) -> None:
        if not self._is_checked:
            self._check_signature(authorization)
        # What follows is read from a token that was verified just now, here or by Cloud Run.
        claims = _claims(authorization)
        if claims.get("aud") != self._audience:
            raise RequestError(
                401, f"the push is for {claims.get('aud')!r}, but must be for {self._audience!r}."
            )
        if claims.get("email") != self._account or claims.get("email_verified") is not True:
            message = f"the push is of {claims.get('email')!r}, but must be of {self._account!r}."
            raise RequestError(403, message)

    def _check_signature(self, authorization: str) -> None:
        with self._lock:
            if self._check is None:
                from lastmile_runtime.tokens import TokenVerifier

                self._check = TokenVerifier(self._issuer, [self._audience]).check
        self._check(authorization)


def _claims(authorization: str) -> dict[str, Any]:
    """Return what a token says. Raises RequestError for what is none."""
    try:
        payload = authorization.split(".")[1]
        claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError) as error:
        raise RequestError(401, "the push has no token.") from error
    return claims


def _required(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise BundleError(f"{name} is not set, but pushes are taken with it alone.")
    return environ[name]


def _read(body: bytes) -> tuple[bytes, int, float | None]:
    """Return a push's message, how often it was delivered, and when it was published, seconds since 1970.

    Pub/Sub counts deliveries where it sets messages aside.
    """
    from base64 import b64decode

    try:
        envelope = json.loads(body)
        message = b64decode(envelope["message"]["data"], validate=True)
        attempt = int(envelope.get("deliveryAttempt") or 1)
        return message, attempt, _seconds(envelope["message"].get("publishTime"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(400, f"the body is not a push: {type(error).__name__}: {error}") from error


def _seconds(stamp: str | None) -> float | None:
    """Return the seconds since 1970 of a time such as 2026-11-29T16:00:00.123456Z; None where there is none."""
    if not stamp:
        return None
    from datetime import datetime

    return datetime.fromisoformat(stamp[:19] + "+00:00").timestamp() + float(
        f"0{stamp[19:].rstrip('Z') or '.0'}"
    )
