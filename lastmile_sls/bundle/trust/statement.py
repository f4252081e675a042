"""Reads a signature's file: an in-toto statement about a bundle's files in a Sigstore bundle, nothing of it ambiguous.

The format is OpenSSF model signing 1.0: https://github.com/ossf/model-signing-spec. Reading checks no signature.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lastmile_runtime.manifest import FILE
from lastmile_sls.errors import LastmileError

Kind = Literal["key", "certificate", "identity"]
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
_KINDS: dict[str, Kind] = {
    "publicKey": "key",
    "x509CertificateChain": "certificate",
    "certificate": "identity",
}
_BESIDE = {"tlogEntries", "timestampVerificationData"}
_MAX_BYTES = 64 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


class GarbledError(Exception):
    """What was read is no signature of a bundle; the message says why."""


@dataclass(frozen=True)
class Signature:
    """What a signature's file says; nothing of it is checked."""

    kind: Kind
    """What it was made with: a key, a certificate of one's own, or an identity's (Sigstore)."""
    files: Mapping[str, str]
    """The hexadecimal SHA-256 of each file that it covers, by its path relative to the bundle."""
    key: str
    """The fingerprint of the public key (`keys.fingerprint`), where a key made it; else empty."""
    certificates: tuple[bytes, ...]
    """Certificates as DER, the signer's first, where one made it."""
    content: bytes
    """The file written anew, so that every reader takes the same from it."""

    @property
    def bundle_digest(self) -> str:
        """The digest of the bundle that it is of."""
        return f"sha256:{self.files[FILE]}"


def read(path: Path) -> Signature:
    """Read a signature's file. Raises LastmileError when it is none, or none of a bundle."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise LastmileError(
            f"the signature {path} cannot be read: {error.strerror}.", "Sign the bundle, or correct the path."
        ) from error
    try:
        return parse(content)
    except GarbledError as error:
        raise LastmileError(
            f"{path} is no signature of a bundle: {error}.", "Sign the bundle again."
        ) from error


def parse(content: bytes) -> Signature:
    """Read a signature's bytes. Raises GarbledError when they are none of a bundle."""
    if len(content) > _MAX_BYTES:
        raise GarbledError(f"it has more than {_MAX_BYTES >> 20} MB")
    document = _json(content, "it")
    _require_keys(document, {"mediaType", "verificationMaterial", "dsseEnvelope"}, "it")
    if document["mediaType"] != MEDIA_TYPE:
        raise GarbledError(f"its mediaType is {document['mediaType']!r}, not {MEDIA_TYPE!r}")
    envelope, material = document["dsseEnvelope"], document["verificationMaterial"]
    payload = _payload(envelope)
    kind, key, certificates = _material(material)
    envelope["payload"] = base64.b64encode(payload).decode()
    return Signature(
        kind, _files(_json(payload, "its payload")), key, certificates, json.dumps(document).encode()
    )


def _json(content: bytes, what: str) -> dict[str, Any]:
    try:
        document = json.loads(content, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise GarbledError(f"{what} is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise GarbledError(f"{what} is no JSON object")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _require_keys(found: Any, keys: set[str], what: str) -> None:
    """Require exactly these keys: a reader that knew another name for one of them would take something else."""
    if not isinstance(found, dict) or set(found) != keys:
        raise GarbledError(f"{what} has not exactly {', '.join(sorted(keys))}")


def _payload(envelope: Any) -> bytes:
    _require_keys(envelope, {"payload", "payloadType", "signatures"}, "dsseEnvelope")
    if envelope["payloadType"] != PAYLOAD_TYPE:
        raise GarbledError(f"its payloadType is {envelope['payloadType']!r}, not {PAYLOAD_TYPE!r}")
    signatures = envelope["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise GarbledError("it has not exactly one signature")
    if not isinstance(signatures[0], dict):
        raise GarbledError("its signature is no JSON object")
    _base64(signatures[0].get("sig"), "its signature")
    return _base64(envelope["payload"], "its payload")


def _material(material: Any) -> tuple[Kind, str, tuple[bytes, ...]]:
    """Return what made a signature, the key's fingerprint, and the certificates."""
    if not isinstance(material, dict):
        raise GarbledError("verificationMaterial is no JSON object")
    named = set(material) - _BESIDE
    if len(named) != 1 or (name := named.pop()) not in _KINDS:
        raise GarbledError(f"verificationMaterial has not exactly one of {', '.join(_KINDS)}")
    kind, value = _KINDS[name], material[name]
    if kind == "key":
        _require_keys(value, {"hint"}, name)
        if not isinstance(value["hint"], str) or not _SHA256.fullmatch(value["hint"]):
            raise GarbledError("publicKey.hint is no fingerprint of a key")
        return kind, value["hint"], ()
    if kind == "identity":
        return kind, "", (_certificate(value),)
    _require_keys(value, {"certificates"}, name)
    chain = value["certificates"]
    if not isinstance(chain, list) or not chain:
        raise GarbledError("x509CertificateChain holds no certificate")
    return kind, "", tuple(_certificate(certificate) for certificate in chain)


def _certificate(value: Any) -> bytes:
    _require_keys(value, {"rawBytes"}, "a certificate")
    return _base64(value["rawBytes"], "a certificate")


def _base64(value: Any, what: str) -> bytes:
    try:
        if isinstance(value, str):
            found = base64.b64decode(value, validate=True)
            if base64.b64encode(found).decode() == value:  # else bits that mean nothing are set
                return found
    except (binascii.Error, ValueError):
        pass
    raise GarbledError(f"{what} is not base64")


def _files(statement: dict[str, Any]) -> dict[str, str]:
    """Return the files that a statement covers. Raises GarbledError for one that is not of the whole of a bundle."""
    if statement.get("_type") != STATEMENT_TYPE or statement.get("predicateType") != PREDICATE_TYPE:
        raise GarbledError("it says nothing in the form of OpenSSF model signing 1.0")
    try:
        method = statement["predicate"]["serialization"]["method"]
        resources = statement["predicate"]["resources"]
        entries = [(item["name"], item["algorithm"], item["digest"]) for item in resources]
    except (KeyError, TypeError) as error:
        raise GarbledError("its predicate lists no files") from error
    if method != "files" or any(algorithm != "sha256" for _, algorithm, _ in entries):
        raise GarbledError(
            "it does not have the SHA-256 of whole files, as model signing has them by default"
        )
    files = {}
    for name, _, hexadecimal in entries:
        if (
            not isinstance(name, str)
            or not isinstance(hexadecimal, str)
            or not _SHA256.fullmatch(hexadecimal)
        ):
            raise GarbledError(f"it has no SHA-256 of {name!r}")
        if name in files:
            raise GarbledError(f"it names {name!r} twice")
        files[name] = hexadecimal
    if FILE not in files:
        raise GarbledError(f"it does not cover {FILE}")
    return files
