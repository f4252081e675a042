"""Google Cloud Storage: where a bucket lies, and whose token a function has there."""

from __future__ import annotations

import os
import time

from lastmile_runtime.stores import StoreError
from lastmile_runtime.stores.cloud import CloudStore, options, split_url
from lastmile_runtime.stores.exchange import Address, quote
from lastmile_runtime.stores.http import HttpStore, parse_url
from lastmile_runtime.stores.token import Bearer, fetch_json

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ISSUERS = (b"Google Trust Services",)
"""https://pki.goog/repository/"""
METADATA_HEADERS = {"metadata-flavor": "Google"}
_PLATFORMS = ("K_SERVICE", "CLOUD_RUN_JOB", "FUNCTION_TARGET")
"""Variables of Cloud Run and its functions, where the metadata server is."""


def open_url(url: str, environ: Mapping[str, str] = os.environ) -> CloudStore:
    """Return the store at `gs://BUCKET/PREFIX`. Raises StoreError.

    STORAGE_EMULATOR_HOST is an emulator's URL, as it is for Google's own libraries.
    """
    bucket, prefix = split_url(url)
    if not bucket:
        raise StoreError(f"the store is {url!r}, but must be gs://BUCKET or gs://BUCKET/PREFIX.")
    emulator = environ.get("STORAGE_EMULATOR_HOST")
    bearer = bearer_of(environ)
    address, base = (
        parse_url(emulator)
        if emulator
        else (Address("storage.googleapis.com", 443, tls=True, issuers=ISSUERS), "")
    )
    place = f"{base}/{quote(f'{bucket}/{prefix}')}".rstrip("/")

    def authorize(_: str, ends_at: float) -> dict[str, str]:
        if emulator or bearer is None:
            return {}
        return {"authorization": f"Bearer {bearer.current(ends_at)[0]}"}

    reader = HttpStore(address, place, authorize, "x-goog-generation") if emulator or bearer else None

    def open_library() -> Any:
        from obstore.store import GCSStore

        config: Any = {"base_url": emulator} if emulator else {}
        provider: Any = _nobody if emulator else bearer and bearer.provide
        return GCSStore(
            bucket, prefix=prefix or None, config=config, credential_provider=provider, **options()
        )

    return CloudStore(open_library, reader)


def _nobody() -> dict[str, Any]:
    """Return the token of an emulator; obstore's `skip_signature` would ask the metadata server for one."""
    return {"token": "emulator", "expires_at": None}


def bearer_of(environ: Mapping[str, str]) -> Bearer | None:
    """Return the token of the service account that Cloud Run runs as; None elsewhere: the library finds out."""
    if environ.get("GOOGLE_APPLICATION_CREDENTIALS") or not any(map(environ.get, _PLATFORMS)):
        return None
    place = metadata_url(environ, "token")

    def fetch(ends_at: float) -> tuple[str, float]:
        found = fetch_json(place, METADATA_HEADERS, ends_at)
        return found["access_token"], time.time() + found["expires_in"]

    return Bearer(fetch)


def metadata_url(environ: Mapping[str, str], what: str) -> str:
    """Return where the metadata server tells something of the service account that a function runs as."""
    # the number saves a look-up of metadata.google.internal: https://docs.cloud.google.com/compute/docs/metadata
    host = environ.get("GCE_METADATA_HOST", "169.254.169.254")
    return f"http://{host}/computeMetadata/v1/instance/service-accounts/default/{what}"
