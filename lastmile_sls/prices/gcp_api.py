"""Reads Google's Cloud Billing Catalog API, page by page (the discovery document of cloudbilling v1, revision 20260901).

It wants to know who asks: an API key, or whoever Google's own tools are logged in as. Either is sent in a header, so that
it is in no address, and so in no message.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from lastmile_sls.errors import LastmileError
from lastmile_sls.prices.web import MOST_PAGES, RefusedError, Web

ADDRESS = "https://cloudbilling.googleapis.com"
CURRENCY = "USD"
KEY = "GOOGLE_API_KEY"
AGAIN = "Try again in a few minutes: lastmile prices refresh --target gcp"
_LOG_IN = (
    f"Set {KEY} to an API key of a project in which the Cloud Billing API is on, or log in: "
    "gcloud auth application-default login"
)
_SCOPE = "https://www.googleapis.com/auth/cloud-billing.readonly"
_PAGE = 5000
"""The most that a page has."""

Sku = Mapping[str, Any]


@dataclass
class Api:
    """The API, page by page."""

    address: str
    pause: Callable[[float], None]
    headers: Mapping[str, str] = field(repr=False)
    """Who asks: secrets."""

    def skus(self, service: str) -> Iterator[Sku]:
        """Yield what a service has. Raises LastmileError."""
        web = Web("Google", AGAIN, self.pause, self.headers)
        token = ""
        for _ in range(MOST_PAGES):
            asked = {
                "currencyCode": CURRENCY,
                "pageSize": str(_PAGE),
                **({"pageToken": token} if token else {}),
            }
            try:
                page = web.page(f"{skus_of(service, self.address)}?{urlencode(asked)}", "skus")
            except RefusedError as error:
                raise self._refusal(error) from error
            yield from page.get("skus", ())
            token = page.get("nextPageToken") or ""
            if not token:
                return
        raise web.endless()

    def _refusal(self, error: RefusedError) -> LastmileError:
        said = self._without_secrets(_said(error.body))
        told = f"HTTP {error.status}{f', {said}' if said else ''}"
        match error.status:
            case 400 | 401 | 403:
                return LastmileError(
                    f"Google does not tell its prices to whoever asks here: {told}.", _LOG_IN
                )
            case 429:
                return LastmileError(
                    f"Google's list of prices was asked too often: {told}.",
                    "Wait a minute, or ask with a key of another project.",
                )
            case _:
                host = urlsplit(self.address).netloc
                return LastmileError(f"Google's list of prices answered {told} ({host}).", AGAIN)

    def _without_secrets(self, said: str) -> str:
        for secret in self.headers.values():
            said = said.replace(secret.removeprefix("Bearer "), "***")
        return said


def skus_of(service: str, address: str = ADDRESS) -> str:
    """Return where a service's SKUs are."""
    return f"{address}/v1/services/{service}/skus"


def who_asks(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that say who asks: an API key of the environment's, else the application default credentials.

    Raises LastmileError when there is neither, or they have expired.
    """
    if key := environ.get(KEY, "").strip():
        return {"x-goog-api-key": key}
    try:
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request
    except ImportError as error:
        raise LastmileError(
            f"Google's list of prices needs an API key, or google-auth to log in; {KEY} is not set.",
            f"{_LOG_IN}. google-auth comes with: pip install 'lastmile-sls[gcp]'",
        ) from error
    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
        credentials.refresh(Request())
    except GoogleAuthError as error:
        said = str(error.args[0]) if error.args else type(error).__name__
        raise LastmileError(f"nobody is logged in to Google Cloud: {said.rstrip('.')}.", _LOG_IN) from error
    project = getattr(credentials, "quota_project_id", None)
    return {
        "authorization": f"Bearer {credentials.token}",
        **({"x-goog-user-project": project} if project else {}),
    }


def _said(body: bytes) -> str:
    """Return what an error's document says (cloud.google.com/apis/design/errors)."""
    try:
        return str(json.loads(body)["error"]["message"]).rstrip(".")
    except (ValueError, LookupError, TypeError):
        return ""
