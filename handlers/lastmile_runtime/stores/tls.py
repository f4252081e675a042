"""TLS to a cloud's storage, at a fraction of its usual cost when a process starts.

Reading all of the system's certificate authorities takes 20 to 40 ms (145 of them, OpenSSL 3.0). A cloud's storage is
certified by a few, so those alone are trusted at first; only if they do not verify the server, all are asked.
"""

from __future__ import annotations

import ssl
from binascii import a2b_base64

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_END = b"-----END CERTIFICATE-----"

_contexts: dict[tuple[bytes, ...], ssl.SSLContext] = {}


def context(issuers: tuple[bytes, ...]) -> ssl.SSLContext:
    """Return a context that verifies a server by the system's authorities that have one of the names; by all if none has."""
    found = _contexts.get(issuers)
    if found is None:
        certificates = b"".join(_named(issuers)) if issuers else b""
        if certificates:
            # it requires a certificate and checks the host's name
            found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            found.load_verify_locations(cadata=certificates)
        else:
            found = ssl.create_default_context()
        _contexts[issuers] = found
    return found


def _named(issuers: tuple[bytes, ...]) -> list[bytes]:
    """Return the DER bytes of the system's authorities in which one of the names occurs."""
    bundle = ssl.get_default_verify_paths().cafile
    if not bundle:
        return []
    with open(bundle, "rb") as file:  # noqa: PTH123 - pathlib would cost 10 ms of each cold start
        blocks = file.read().split(_BEGIN)[1:]
    found = []
    for block in blocks:
        certificate = a2b_base64(block.partition(_END)[0])
        if any(issuer in certificate for issuer in issuers):
            found.append(certificate)
    return found
