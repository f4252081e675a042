"""S3: where a bucket lies, and whose credentials a function has there."""

from __future__ import annotations

import os
import time

from lastmile_runtime.stores import StoreError
from lastmile_runtime.stores.cloud import CloudStore, options, split_url
from lastmile_runtime.stores.exchange import Address, quote
from lastmile_runtime.stores.http import HttpStore, parse_url
from lastmile_runtime.stores.sigv4 import Credentials, sign

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_ISSUERS = (b"Amazon", b"Starfield")
"""https://docs.aws.amazon.com/acm/latest/userguide/acm-concepts.html and amazontrust.com/repository"""
_EARLY_S = 300.0
_CONTAINER = "http://169.254.170.2"


class Caller:
    """Who a function is to AWS: from its environment, or (SnapStart, ECS, EKS) from the address that is named there.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html: a restored function has the address only.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._known: Credentials | None = None
        relative = environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        self._url = _CONTAINER + relative if relative else environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")

    @property
    def is_known(self) -> bool:
        """Whether the environment says it; else boto3 or the library finds out."""
        return bool(self._environ.get("AWS_ACCESS_KEY_ID") or self._url)

    def credentials(self, ends_at: float) -> Credentials:
        """Return credentials that are good for some minutes. Raises OSError or ValueError when there are none."""
        known, environ = self._known, self._environ
        if known and (known.expires_at is None or known.expires_at - time.time() > _EARLY_S):
            return known
        if environ.get("AWS_ACCESS_KEY_ID"):
            token = environ.get("AWS_SESSION_TOKEN")
            return Credentials(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], token)
        from lastmile_runtime.stores.token import fetch_json

        found = fetch_json(self._url or "", self._headers(), ends_at)
        self._known = Credentials(
            found["AccessKeyId"], found["SecretAccessKey"], found["Token"], _seconds(found["Expiration"])
        )
        return self._known

    def _headers(self) -> dict[str, str]:
        token = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        file = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        if file:
            with open(file, encoding="utf-8") as content:  # noqa: PTH123 - pathlib would cost 10 ms of each cold start
                token = content.read().strip()
        return {"authorization": token} if token else {}


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
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    host = f"s3.{region}.{suffix}"
    if "." in bucket:
        return Address(host, 443, tls=True, issuers=_ISSUERS), f"/{bucket}"
    return Address(f"{bucket}.{host}", 443, tls=True, issuers=_ISSUERS), ""


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


def _seconds(stamp: str) -> float:
    """Return the seconds since the epoch of a time such as 2026-11-24T16:00:00Z."""
    from calendar import timegm

    return timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S"))
