"""Who a cloud's registry is told that we are: whoever runs Pulumi; at other registries, as Docker's tools know it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from lastmile_sls.bundle.oci.credentials import Credentials, Login, docker_credentials
from lastmile_sls.bundle.oci.descriptor import parse_object
from lastmile_sls.bundle.oci.transport import Pause, Transport, with_retries
from lastmile_sls.delivery.azure_login import MANAGEMENT, azure_token
from lastmile_sls.errors import LastmileError

_ECR = re.compile(r"\d{12}\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)")
"""docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html#registry_auth (2026-11-29)."""
_GOOGLE = re.compile(r"[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io")
_AZURE = re.compile(r"[a-z0-9-]+\.azurecr\.(?:io|cn|us)")
_GOOGLE_USER = "oauth2accesstoken"
"""docs.cloud.google.com/artifact-registry/docs/docker/authentication#token (2026-11-29)."""
_GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def registry_credentials(environ: Mapping[str, str], pause: Pause) -> Credentials:
    """Return logins: at ECR, Artifact Registry and Azure's registries those of the cloud, else Docker's.

    Where the cloud gives none, Docker's takes its place; what is returned raises LastmileError when there is neither.
    """
    docker = docker_credentials(environ)

    def find(registry: str) -> Login | None:
        for pattern, ask in _CLOUDS:
            if pattern.fullmatch(registry):
                try:
                    return ask(registry, environ, pause)
                except LastmileError:
                    kept = docker(registry)
                    if kept is None:
                        raise
                    return kept
        return docker(registry)

    return find


def _ask_ecr(registry: str, environ: Mapping[str, str], pause: Pause) -> Login:
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise _missing("boto3", registry, "aws") from error
    found = _ECR.fullmatch(registry)
    assert found is not None
    try:
        client = boto3.client("ecr", region_name=found[1])
        token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    except (BotoCoreError, ClientError) as error:
        raise LastmileError(
            f"AWS gives no login at {registry}: {str(error).rstrip('.')}.",
            "Log in: aws sso login, or set AWS_PROFILE; ecr:GetAuthorizationToken is needed.",
        ) from error
    user, _, password = base64.b64decode(token).decode().partition(":")
    return Login(user, password)


def _ask_google(registry: str, environ: Mapping[str, str], pause: Pause) -> Login:
    if environ.get("GOOGLE_OAUTH_ACCESS_TOKEN"):  # Pulumi's own provider reads it too
        return Login(_GOOGLE_USER, environ["GOOGLE_OAUTH_ACCESS_TOKEN"])
    try:
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request
    except ImportError as error:
        raise _missing("google-auth", registry, "gcp") from error
    try:
        credentials, _ = google.auth.default(scopes=[_GOOGLE_SCOPE])
        credentials.refresh(Request())
    except GoogleAuthError as error:
        said = str(error).partition("\n")[0].rstrip(".")
        raise LastmileError(
            f"Google gives no login at {registry}: {said}.", "Log in: gcloud auth application-default login."
        ) from error
    return Login(_GOOGLE_USER, str(credentials.token))


def _ask_azure(registry: str, environ: Mapping[str, str], pause: Pause) -> Login:
    """Exchange a token of Entra's for one of the registry's, which is good for some time.

    The exchange is described at github.com/Azure/acr, docs/AAD-OAuth.md (read 2026-11-29).
    """
    form = {
        "grant_type": "access_token",
        "service": registry,
        "access_token": azure_token(environ, MANAGEMENT)().token,
    }
    kind = {"content-type": "application/x-www-form-urlencoded"}
    url = f"https://{registry}/oauth2/exchange"
    with Transport() as transport:
        answer = with_retries(
            lambda: transport.exchange("POST", url, kind, urlencode(form).encode()), registry, pause
        )
    if answer.status != 200:
        raise LastmileError(
            f"{registry} gives no login: it answered {answer.status}.",
            "Give whoever runs this the role AcrPush on the registry.",
        )
    token: Any = parse_object(answer.body, f"the answer of {registry}").get("refresh_token")
    if not isinstance(token, str) or not token:
        raise LastmileError(f"{registry} gives no login: its answer has no refresh_token.")
    return Login(identity_token=token)


_CLOUDS: tuple[tuple[re.Pattern[str], Callable[[str, Mapping[str, str], Pause], Login]], ...] = (
    (_ECR, _ask_ecr),
    (_GOOGLE, _ask_google),
    (_AZURE, _ask_azure),
)


def _missing(package: str, registry: str, extra: str) -> LastmileError:
    return LastmileError(
        f"{package}, which logs in at {registry}, is not installed.",
        f"Install it: pip install 'lastmile-sls[{extra}]'",
    )
