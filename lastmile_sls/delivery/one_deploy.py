"""Code to a function app of Azure's Flex Consumption plan: "one deploy", the only way there.

The protocol is that of Azure's own tools: Azure/azure-dev cli/azd/pkg/azsdk/funcapp_host_client.go, Azure/azure-cli
src/azure-cli/azure/cli/command_modules/appservice/custom.py (enable_zip_deploy_flex), Azure/functions-action
src/appservice-rest/Kudu/azure-app-kudu-service.ts (oneDeployFlex); read 2026-11-29. The zip is posted to /api/publish
and its id comes back; the app then unpacks it, and says at /api/deployments/ID how far it is.
"""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from lastmile_sls.bundle.oci.descriptor import parse_object
from lastmile_sls.bundle.oci.transport import Answer, Transport, Upload
from lastmile_sls.delivery.deployment_log import read_log
from lastmile_sls.delivery.patience import Backoff, Patience
from lastmile_sls.errors import LastmileError

READY_WITHIN_S = 300.0
"""How long an app that was just made, or is busy with another deployment, may take to accept one."""
DONE_WITHIN_S = 900.0
"""How long a deployment may take."""
_POLL_S = 1.0
"""As Azure's team recommends it, according to funcapp_host_client.go."""
_LATER = (404, 409, 429, 500, 502, 503, 504)
"""Answers of an app that is not ready yet, or busy (409)."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_LONGEST_REASON = 300


class Status(IntEnum):
    """How far a deployment is (funcapp_host_client.go, PublishStatus)."""

    CANCELLED = -1
    PENDING = 0
    BUILDING = 1
    DEPLOYING = 2
    FAILED = 3
    SUCCESS = 4
    CONFLICT = 5
    PARTIAL_SUCCESS = 6


_GOES_ON = (Status.PENDING, Status.BUILDING, Status.DEPLOYING)
_TOLD = {
    Status.CANCELLED: "was cancelled",
    Status.FAILED: "failed",
    Status.PARTIAL_SUCCESS: "succeeded in part only",
}


class OneDeploy:
    """The deployment service of one app."""

    def __init__(self, app: str, scm_url: str, token: Callable[[], str], patience: Patience) -> None:
        self._app = app
        self._root = scm_url.rstrip("/")
        self._token = token
        self._patience = patience
        self._transport = Transport()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.__exit__(kind, error, trace)

    def deploy(self, package: Path) -> str:
        """Send a zip, wait until it is deployed, return the deployment's id.

        Raises LastmileError when the app refuses it or cannot be reached, and when the deployment fails.
        """
        busy = Backoff(self._patience, READY_WITHIN_S)
        while True:
            id_ = self._publish(package)
            status, found = self._wait(id_)
            if status == Status.SUCCESS:
                return id_
            if status != Status.CONFLICT:
                raise self._failure(id_, status, found)
            if not busy.pause():
                raise LastmileError(
                    f"{self._app}: another deployment has been in progress for {READY_WITHIN_S:g} s.",
                    "Wait until it ends, then run again.",
                )

    def _publish(self, package: Path) -> str:
        url = f"{self._root}/api/publish?RemoteBuild=false&Deployer=lastmile"
        size = package.stat().st_size
        answer = self._ask("POST", url, Upload(package, size, lambda _: None), "sending the code")
        if answer.status not in (200, 202):
            raise self._refusal(answer, "sending the code")
        id_ = answer.body.decode(errors="replace").strip().strip('"')
        return id_ if _ID.fullmatch(id_) else "latest"

    def _wait(self, id_: str) -> tuple[Status, dict[str, Any]]:
        """Return how a deployment ended, and all that is said of it."""
        url = f"{self._root}/api/deployments/{id_}"
        ends_at = self._patience.now() + DONE_WITHIN_S
        found: dict[str, Any] = {}
        while self._patience.now() < ends_at:
            answer = self._ask("GET", url, b"", "asking for the deployment", gone_is_answer=bool(found))
            if answer.status == 404:
                # What deploys is recycled once it is done, and its record with it (funcapp_host_client.go).
                return Status.SUCCESS, found
            if answer.status not in (200, 202):
                raise self._refusal(answer, "asking for the deployment")
            found = parse_object(answer.body, f"what {self._app} says of its deployment")
            status = _status(found, self._app)
            if status not in _GOES_ON and found.get("complete") is not False:
                return status, found
            self._patience.pause(_POLL_S)
        raise LastmileError(
            f"{self._app}: the deployment {id_} did not end within {DONE_WITHIN_S:g} s.",
            f"See {url}, then run again.",
        )

    def _ask(
        self, method: str, url: str, body: bytes | Upload, doing: str, *, gone_is_answer: bool = False
    ) -> Answer:
        """Return an app's answer; ask again while it is not ready or the connection breaks."""
        backoff = Backoff(self._patience, READY_WITHIN_S)
        while True:
            headers = {"authorization": f"Bearer {self._token()}", "cache-control": "no-cache"}
            if method == "POST":
                headers["content-type"] = "application/zip"
            try:
                answer = self._transport.exchange(method, url, headers, body)
            except ssl.SSLCertVerificationError as error:
                raise self._unreachable(f"its certificate is not trusted: {error.verify_message}") from error
            except (OSError, http.client.HTTPException) as error:
                why = getattr(error, "strerror", None) or type(error).__name__
                if not backoff.pause():
                    raise self._unreachable(str(why)) from error
                continue
            if answer.status not in _LATER or (answer.status == 404 and gone_is_answer):
                return answer
            if not backoff.pause():
                raise self._refusal(answer, doing)

    def _failure(self, id_: str, status: Status, found: dict[str, Any]) -> LastmileError:
        said = _line(str(found.get("status_text") or ""))
        told = f"{self._app}: the deployment {id_} {_TOLD[status]}{f': {said}' if said else ''}."

        def get(url: str) -> Answer:
            headers = {"authorization": f"Bearer {self._token()}"}
            return self._transport.exchange("GET", url, headers)

        lines = [*_errors(found), *read_log(get, f"{self._root}/api/deployments/{id_}/log", self._root)]
        hint = "Mend what it says, then run again."
        return LastmileError(self._scrub("\n".join((told, *lines))), hint)

    def _refusal(self, answer: Answer, doing: str) -> LastmileError:
        said = _line(answer.body.decode(errors="replace"))
        told = f"{self._app}: {doing} was answered with {answer.status}{f' ({said})' if said else ''}."
        hint = "If it is a passing fault of Azure's, run again."
        if answer.status in (401, 403):
            hint = "Give whoever runs this the role Website Contributor on the app."
        elif answer.status == 409:
            hint = "Another deployment may be in progress: wait until it ends, then run again."
        return LastmileError(self._scrub(told), hint)

    def _unreachable(self, why: str) -> LastmileError:
        host = urlsplit(self._root).netloc
        return LastmileError(
            f"{self._app}: {host} cannot be reached: {why}.",
            "Check the app's name and the network, then run again.",
        )

    def _scrub(self, text: str) -> str:
        """Return a text without our token: there are servers that say what they were sent."""
        token = self._token()
        return text.replace(token, "***") if token else text


def _status(found: dict[str, Any], app: str) -> Status:
    try:
        return Status(found["status"])
    except (KeyError, ValueError, TypeError):
        told = f"{app} says that its deployment is {found.get('status')!r}, which is no status that is known."
        raise LastmileError(told, "Run again.") from None


def _errors(found: dict[str, Any]) -> list[str]:
    summary = found.get("build_summary")
    errors = summary.get("errors") if isinstance(summary, dict) else None
    return [_line(str(error)) for error in errors] if isinstance(errors, list) else []


def _line(text: str) -> str:
    """Return a text as one printable line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:_LONGEST_REASON].rstrip(".")
