"""Google's clients for a deployment, and what their errors mean.

Cloud Run is asked with its own client. Logging, Pub/Sub, Monitoring and Scheduler are asked by REST, through google-auth's
session, which comes with it: their clients would be five packages more, of which one call each is needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.clock import CloudClock
from lastmile_sls.control.refusals import Asked, no_sdk
from lastmile_sls.errors import LastmileError

ATTEMPTS = 5
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 16.0
_TIMEOUT_S = 30.0
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_HOSTS = {
    "artifactregistry": "https://artifactregistry.googleapis.com/v1",
    "compute": "https://compute.googleapis.com/compute/v1",
    "logging": "https://logging.googleapis.com/v2",
    "pubsub": "https://pubsub.googleapis.com/v1",
    "monitoring": "https://monitoring.googleapis.com/v3",
    "cloudscheduler": "https://cloudscheduler.googleapis.com/v1",
    "run": "https://run.googleapis.com/v2",
    "secretmanager": "https://secretmanager.googleapis.com/v1",
    "storage": "https://storage.googleapis.com/storage/v1",
}
"""`rootUrl` and version of each service's discovery document."""
_THROTTLED, _BUSY = 429, frozenset({429, 500, 502, 503, 504})


class Google:
    """The project and region of a deployment."""

    def __init__(
        self,
        stack: CloudStack,
        session: Any = None,
        transport: Any = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Log in as Google's own tools do, unless it is said with what.

        Args:
            stack: The deployment.
            session: For REST; by default google-auth's, with the application default credentials.
            transport: Returns a transport of google-cloud-run's for a client's class.
            pause: Waits.

        Raises LastmileError when google-cloud-run is not installed, or nobody is logged in.
        """
        names = stack.parts("functions").values()
        project, region = next((_place(name) for name in names), (None, None))
        self.stack = stack
        self.project = stack.account or project
        self.region = stack.region or region
        self.asked = Asked("gcp", stack.deployment, self.region, self.project)
        self.clock = CloudClock()
        self.pause = pause
        self._transport = transport
        self._made: dict[str, Any] = {}
        self._hosts = {**_HOSTS, **_emulator(stack.environ)}
        self._credentials: Any = None
        self._session = session
        if session is None:
            self._credentials, self._session = self._log_in()

    def _log_in(self) -> tuple[Any, Any]:
        try:
            import google.auth
            from google.auth.exceptions import GoogleAuthError
            from google.auth.transport.requests import AuthorizedSession
        except ImportError as error:
            raise no_sdk("gcp", "google-cloud-run") from error
        if find_spec("google.cloud.run_v2") is None:
            raise no_sdk("gcp", "google-cloud-run")
        try:
            credentials, _ = google.auth.default(scopes=_SCOPES, quota_project_id=None)
        except GoogleAuthError as error:
            raise self.asked.expired(str(error)) from error
        return credentials, AuthorizedSession(credentials)

    def run_client(self, name: str) -> Any:
        """Return a client of Cloud Run's, the same one each time: ServicesClient or RevisionsClient."""
        from google.cloud import run_v2

        if name not in self._made:
            client = getattr(run_v2, name)
            transport = self._transport(client) if self._transport else None
            login = {"transport": transport} if transport else {"credentials": self._credentials}
            self._made[name] = client(**login)
        return self._made[name]

    def rest(
        self,
        what: str,
        service: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the answer of a REST call: POST with a body, else GET. A busy service is asked again.

        Raises LastmileError; MissingError when `what` is not there.
        """
        pause_s = _FIRST_PAUSE_S
        for attempt in range(1, ATTEMPTS + 1):
            answer = self._send(what, f"{self._hosts[service]}/{path}", body, parameters)
            self.clock.note(answer.headers.get("date"))
            if answer.status_code not in _BUSY or attempt == ATTEMPTS:
                break
            self.pause(_after(answer.headers, pause_s))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        if answer.status_code != 200:
            raise self._refusal(what, answer.status_code, _said(answer))
        found: dict[str, Any] = answer.json()
        return found

    def _send(
        self, what: str, url: str, body: Mapping[str, Any] | None, parameters: Mapping[str, Any] | None
    ) -> Any:
        import requests
        from google.auth.exceptions import GoogleAuthError, TransportError

        try:
            if body is None:
                return self._session.get(url, params=parameters, timeout=_TIMEOUT_S)
            return self._session.post(url, json=body, params=parameters, timeout=_TIMEOUT_S)
        except (requests.RequestException, TransportError) as error:
            raise self.asked.unreachable(what, str(error)) from error
        except GoogleAuthError as error:
            raise self.asked.expired(_words(error)) from error

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Tell what goes wrong with Cloud Run's client within as LastmileError; MissingError when `what` is not there."""
        from google.api_core import exceptions
        from google.auth.exceptions import GoogleAuthError, TransportError

        try:
            yield
        except exceptions.RetryError as error:
            cause = error.cause
            if not isinstance(cause, exceptions.GoogleAPICallError):
                raise self.asked.unreachable(what, str(error)) from error
            raise self._refusal(what, int(cause.code or 503), cause.message) from error
        except exceptions.GoogleAPICallError as error:
            raise self._refusal(what, int(error.code or 500), error.message or str(error)) from error
        except TransportError as error:
            raise self.asked.unreachable(what, _words(error)) from error
        except GoogleAuthError as error:
            raise self.asked.expired(_words(error)) from error

    def _refusal(self, what: str, code: int, said: str) -> LastmileError:
        match code:
            case 401:
                return self.asked.expired(said)
            case 403:
                return self.asked.denied(what, said)
            case 404:
                return self.asked.missing(what, said)
            case 429:
                return self.asked.throttled(what, said)
            case 503 | 504:
                return self.asked.unreachable(what, said)
            case _:
                return self.asked.failed(what, said)


def _place(name: str) -> tuple[str | None, str | None]:
    """Return project and region of a full name, `projects/P/locations/L/services/S`."""
    parts = name.split("/")
    return (parts[1], parts[3]) if len(parts) == 6 else (None, None)


def _emulator(environ: Mapping[str, str]) -> dict[str, str]:
    """Return where Pub/Sub's emulator is, as Google's own clients are told it."""
    host = environ.get("PUBSUB_EMULATOR_HOST")
    return {"pubsub": f"http://{host}/v1"} if host else {}


def _said(answer: Any) -> str:
    """Return what an error's document says (cloud.google.com/apis/design/errors)."""
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return f"HTTP {answer.status_code}"


def _after(headers: Mapping[str, str], pause_s: float) -> float:
    given = headers.get("retry-after", "")
    return min(float(given), _LONGEST_PAUSE_S) if given.isdigit() else pause_s


def _words(error: Exception) -> str:
    return str(error.args[0]) if error.args else str(error)
