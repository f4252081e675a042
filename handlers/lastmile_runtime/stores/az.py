"""Azure Blob Storage: where a container lies, and whose token a function has there."""

from __future__ import annotations

import os

from lastmile_runtime.stores import StoreError
from lastmile_runtime.stores.cloud import CloudStore, options, split_url
from lastmile_runtime.stores.exchange import Address, quote
from lastmile_runtime.stores.http import HttpStore
from lastmile_runtime.stores.token import Bearer, fetch_json

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ISSUERS = (b"DigiCert", b"Microsoft")
"""https://learn.microsoft.com/en-us/azure/security/fundamentals/azure-certificate-authority-details"""
VERSION = "2021-12-02"
"""Of the REST API of blobs and queues; bearer tokens need 2017-11-09 or later."""


def open_url(url: str, environ: Mapping[str, str] = os.environ) -> CloudStore:
    """Return the store at `az://ACCOUNT/CONTAINER/PREFIX`. Raises StoreError.

    AZURE_STORAGE_ENDPOINT is an emulator's URL, the account its last part; AZURE_STORAGE_ACCOUNT_KEY takes the place
    of the function's identity.
    """
    account, rest = split_url(url)
    container, _, prefix = rest.partition("/")
    if not account or not container:
        raise StoreError(
            f"the store is {url!r}, but must be az://ACCOUNT/CONTAINER or az://ACCOUNT/CONTAINER/PREFIX."
        )
    bearer = bearer_of(environ)
    reader = None
    if bearer:
        authority = Address(f"{account}.blob.core.windows.net", 443, tls=True, issuers=ISSUERS)

        def authorize(_: str, ends_at: float) -> dict[str, str]:
            return {"authorization": f"Bearer {bearer.current(ends_at)[0]}", "x-ms-version": VERSION}

        place = f"/{quote(f'{container}/{prefix}')}".rstrip("/")
        reader = HttpStore(authority, place, authorize, "x-ms-version-id")

    def open_library() -> Any:
        from obstore.store import AzureStore

        config: Any = {"account_name": account}
        if environ.get("AZURE_STORAGE_ENDPOINT"):
            config["endpoint"] = environ["AZURE_STORAGE_ENDPOINT"]
        provider: Any = bearer.provide if bearer else None
        return AzureStore(
            container, prefix=prefix or None, config=config, credential_provider=provider, **options()
        )

    return CloudStore(open_library, reader)


def bearer_of(environ: Mapping[str, str]) -> Bearer | None:
    """Return the token of a function app's managed identity; None elsewhere: the library finds out.

    https://learn.microsoft.com/en-us/azure/app-service/overview-managed-identity#rest-endpoint-reference
    """
    endpoint, secret = environ.get("IDENTITY_ENDPOINT"), environ.get("IDENTITY_HEADER")
    if environ.get("AZURE_STORAGE_ACCOUNT_KEY") or not endpoint or not secret:
        return None
    client = environ.get("AZURE_CLIENT_ID")
    query = "api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com%2F"
    query += f"&client_id={client}" if client else ""

    def fetch(ends_at: float) -> tuple[str, float]:
        found = fetch_json(f"{endpoint}?{query}", {"x-identity-header": secret}, ends_at)
        return found["access_token"], float(found["expires_on"])

    return Bearer(fetch)
