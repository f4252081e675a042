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

    from lastmile_runtime.application import Application

ISSUER = "https://accounts.google.com"


class Pushes:
    """A subscription's pushes, of which only those that its service account signed are done.

    Anybody with an account at Google can have a token for any audience, so the audience alone proves nothing: the
    account is compared as well (cloud.google.com/pubsub/docs/authenticate-push-subscriptions).
    """

    def __init__(self, application: Application, environ: Mapping[str, str], issuer: str = ISSUER) -> None:
        """Read LASTMILE_PUSH_AUDIENCE, LASTMILE_PUSH_ACCOUNT and LASTMILE_QUEUE_ATTEMPTS. Raises BundleError."""
        self._application = application
        self._audience = _required(environ, "LASTMILE_PUSH_AUDIENCE")
        self._account = _required(environ, "LASTMILE_PUSH_ACCOUNT")
        attempts = environ.get("LASTMILE_QUEUE_ATTEMPTS", "0")
        if not attempts.isdigit():
            raise BundleError(f"LASTMILE_QUEUE_ATTEMPTS is {attempts!r}, but must be a number.")
        self._attempts = int(attempts)
        self._issuer = issuer
        self._check: Callable[[str], None] | None = None
        self._lock = threading.Lock()

    def take(self, request: Request) -> Response:
        """Do what a push says: 204 acknowledges it; with any other status Pub/Sub sends it again, or sets it aside.

        401 and 403 are for pushes of somebody else, 400 for what is no push, 503 for what was not done.
        """
        try:
            self._verify(request.headers.get("authorization", ""))
            message, attempt = _read(request.body)
        except RequestError as error:
            facts = {"faas.trigger": "pubsub", "error": error.message}
            return json_response({"error": error.message}, error.status, error.headers, facts)
        return do_message(self._application, message, attempt, last=0 < self._attempts <= attempt)

    def _verify(self, authorization: str) -> None:
        with self._lock:
            if self._check is None:
                from lastmile_runtime.tokens import TokenVerifier

                self._check = TokenVerifier(self._issuer, [self._audience]).check
        self._check(authorization)
        # What follows is read from a token that was verified just now.
        payload = authorization.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if claims.get("email") != self._account or claims.get("email_verified") is not True:
            message = f"the push is of {claims.get('email')!r}, but must be of {self._account!r}."
            raise RequestError(403, message)


def _required(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise BundleError(f"{name} is not set, but pushes are taken with it alone.")
    return environ[name]


def _read(body: bytes) -> tuple[bytes, int]:
    """Return a push's message and how often it was delivered, which Pub/Sub counts where it sets messages aside."""
    from base64 import b64decode

    try:
        envelope = json.loads(body)
        message = b64decode(envelope["message"]["data"], validate=True)
        return message, int(envelope.get("deliveryAttempt") or 1)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(400, f"the body is not a push: {type(error).__name__}: {error}") from error
