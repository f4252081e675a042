"""AWS Signature Version 4 of a request: pure, so that credentials, region and time come in as arguments.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html (read 2026-11-24)
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html: but for S3, the path is
percent-encoded once more, and the header x-amz-content-sha256 is not asked for.
"""

from __future__ import annotations

from lastmile_runtime.hashing import sha256
from lastmile_runtime.stores.exchange import quote

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from time import struct_time

_BLOCK_BYTES = 64
_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The SHA-256 of no bytes."""


class Credentials:
    """What AWS knows a caller by."""

    __slots__ = ("expires_at", "key_id", "secret", "token")

    def __init__(self, key_id: str, secret: str, token: str | None, expires_at: float | None = None) -> None:
        self.key_id = key_id
        self.secret = secret
        self.token = token
        self.expires_at = expires_at
        """Seconds since the epoch; None: not known."""


def sign(
    credentials: Credentials,
    region: str,
    host: str,
    path: str,
    now: struct_time,
    *,
    service: str = "s3",
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> dict[str, str]:
    """Return the headers that permit a request without a query, at a time (UTC).

    Args:
        credentials: Whose request it is.
        region: Where the service is.
        host: As the header `host` will have it.
        path: Percent-encoded.
        now: The time.
        service: The name by which AWS signs for it.
        method: The request's.
        headers: Further headers that are to be signed, their names in lower case; they are not returned.
        body: The request's.
    """
    day = f"{now.tm_year:04}{now.tm_mon:02}{now.tm_mday:02}"
    stamp = f"{day}T{now.tm_hour:02}{now.tm_min:02}{now.tm_sec:02}Z"
    hashed = _hash(body).hex() if body else _EMPTY
    made = {"x-amz-date": stamp}
    if service == "s3":
        made["x-amz-content-sha256"] = hashed
    else:
        path = quote(path)
    if credentials.token:
        made["x-amz-security-token"] = credentials.token
    signed = sorted({"host": host, **(headers or {}), **made}.items())
    names = ";".join(name for name, _ in signed)
    lines = [f"{name}:{value}" for name, value in signed]
    canonical = "\n".join([method, path, "", *lines, "", names, hashed])
    scope = f"{day}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{_hash(canonical.encode()).hex()}"
    key = f"AWS4{credentials.secret}".encode()
    for part in scope.split("/"):
        key = hmac_sha256(key, part.encode())
    signature = hmac_sha256(key, text.encode()).hex()
    credential = f"{credentials.key_id}/{scope}"
    made["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    )
    return made


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """Return the HMAC (RFC 2104) of a message; importing hmac would cost 4 ms of each cold start."""
    key = (_hash(key) if len(key) > _BLOCK_BYTES else key).ljust(_BLOCK_BYTES, b"\0")
    inner = _hash(bytes(byte ^ 0x36 for byte in key) + message)
    return _hash(bytes(byte ^ 0x5C for byte in key) + inner)


def _hash(content: bytes) -> bytes:
    hasher = sha256(len(content))
    hasher.update(content)
    found: bytes = hasher.digest()
    return found
