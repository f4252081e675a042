"""The deployer's way to object storage; a function has its own (`lastmile_runtime.stores`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lastmile_runtime.stores import SCHEMES, StoreError, open_store
from lastmile_sls.delivery.azure_login import STORAGE, azure_token

if TYPE_CHECKING:
    from lastmile_runtime.stores import Store
    from lastmile_runtime.stores.cloud import CloudStore

WRITABLE = tuple(scheme for scheme, module in SCHEMES.items() if module != "http")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_OWN_AZURE_LOGINS = ("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN")


def open_for_deployer(url: str, environ: Mapping[str, str], region: str | None = None) -> Store:
    """Return the store at a URL, with the credentials of whoever runs Pulumi.

    Args:
        url: `s3://BUCKET/PREFIX`, `gs://...`, `az://ACCOUNT/CONTAINER/PREFIX` or `file:///FOLDER`.
        environ: With AWS's, Google's or Azure's variables, as their own tools read them.
        region: Where a bucket of S3 is; by default as the environment or the profile says.

    Raises StoreError for another kind of URL, LastmileError when Azure's library is missing.
    """
    match url.partition("://")[0]:
        case "s3":
            from lastmile_runtime.stores import s3

            return s3.open_url(url, {**environ, "AWS_REGION": region or _region(environ)})
        case "gs":
            from lastmile_runtime.stores import gs

            return gs.open_url(url, environ)
        case "az":
            return _open_azure(url, environ)
        case scheme if scheme in WRITABLE:
            return open_store(url)
        case _:
            known = ", ".join(WRITABLE)
            raise StoreError(f"the store is {url!r}, but must begin with one of {known} and ://.")


def _region(environ: Mapping[str, str]) -> str:
    """Return the region that the environment names, else that of the profile, else the first of all."""
    for name in _REGIONS:
        if environ.get(name):
            return environ[name]
    try:
        import boto3
    except ImportError:
        return "us-east-1"
    return boto3.Session().region_name or "us-east-1"


def _open_azure(url: str, environ: Mapping[str, str]) -> CloudStore:
    """Open a container with the deployer's token, unless the environment has a login for storage alone."""
    from lastmile_runtime.stores import az
    from lastmile_runtime.stores.cloud import CloudStore, options, split_url

    store = az.open_url(url, environ)
    if any(environ.get(name) for name in _OWN_AZURE_LOGINS):
        return store
    account, rest = split_url(url)
    container, _, prefix = rest.partition("/")
    token = azure_token(environ, STORAGE)

    def provide() -> dict[str, Any]:
        found = token()
        return {"token": found.token, "expires_at": datetime.fromtimestamp(found.expires_on, UTC)}

    def open_library() -> Any:
        from obstore.store import AzureStore

        token()  # here its refusal is told as it is; the library would put it into other words
        config: Any = {"account_name": account}
        if environ.get("AZURE_STORAGE_ENDPOINT"):
            config["endpoint"] = environ["AZURE_STORAGE_ENDPOINT"]
        given: Any = provide
        return AzureStore(
            container, prefix=prefix or None, config=config, credential_provider=given, **options()
        )

    return CloudStore(open_library, None)
