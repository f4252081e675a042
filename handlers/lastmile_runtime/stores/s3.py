"""S3: where a bucket lies."""

from __future__ import annotations

import os
import time

from lastmile_runtime.aws import ISSUERS, Caller, domain
from lastmile_runtime.stores import StoreError
from lastmile_runtime.stores.cloud import CloudStore, options, split_url
from lastmile_runtime.stores.exchange import Address, quote
from lastmile_runtime.stores.http import HttpStore, parse_url
from lastmile_runtime.stores.sigv4 import sign

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def open_url(url: str, environ: Mapping[str, str] = os.environ) -> CloudStore:
    """Return the store at `s3://BUCKET/PREFIX`. Raises StoreError."""
    bucket, prefix = split_url(url)
    if not bucket:
        raise StoreError(f"the store is {url!r}, but must be s3://BUCKET or s3://BUCKET/PREFIX.")
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    address, base = _place(bucket, region, environ)
    caller = Caller(environ)

    def authorize(path: str, ends_at: float) -> dict[str, str]:
        return sign(caller.credentials(ends_at), region, address.name, path, time.gmtime())

    place = f"{base}/{quote(prefix)}".rstrip("/")
    reader = HttpStore(address, place, authorize, "x-amz-version-id") if caller.is_known else None

    def open_library() -> Any:
        from obstore.store import S3Store

        config: Any = {"region": region, "virtual_hosted_style_request": not base}
        if _endpoint(environ):
            config["endpoint"] = _endpoint(environ)
        return S3Store(
            bucket,
            prefix=prefix or None,
            config=config,
            credential_provider=_provider(caller),
            **options(),
        )

    return CloudStore(open_library, reader)


def _endpoint(environ: Mapping[str, str]) -> str | None:
    return environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")


def _place(bucket: str, region: str, environ: Mapping[str, str]) -> tuple[Address, str]:
    """Return a bucket's server and path: a server of its own, unless its name has dots, which certificates have not."""
    endpoint = _endpoint(environ)
    if endpoint:
        address, base = parse_url(endpoint)
        return address, f"{base}/{bucket}"
    host = f"s3.{region}.{domain(region)}"
    if "." in bucket:
        return Address(host, 443, tls=True, issuers=ISSUERS), f"/{bucket}"
    return Address(f"{bucket}.{host}", 443, tls=True, issuers=ISSUERS), ""


def _provider(caller: Caller) -> Any:
    """Return what tells obstore the credentials: ours, else boto3's (profiles, SSO) where it is, else its own."""
    if not caller.is_known:
        try:
            from obstore.auth.boto3 import Boto3CredentialProvider

            return Boto3CredentialProvider()
        except (ImportError, ValueError):
            return None

    def provide() -> dict[str, Any]:
        from datetime import UTC, datetime

        found = caller.credentials(time.monotonic() + 10)
        expires_at = datetime.fromtimestamp(found.expires_at, UTC) if found.expires_at else None
        return {
            "access_key_id": found.key_id,
            "secret_access_key": found.secret,
            "token": found.token,
            "expires_at": expires_at,
        }

    return provide
