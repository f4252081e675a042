"""A signature's file: what it covers is read, and whatever two readers could take differently is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.bundle.trust.statement import GarbledError, parse, read
from lastmile_sls.errors import LastmileError

FILES = [{"name": "a/b.py", "digest": 64 * "a", "algorithm": "sha256"}]
MANIFEST = {"name": "manifest.json", "digest": 64 * "b", "algorithm": "sha256"}
Change = Callable[[dict[str, Any], dict[str, Any]], object]


def statement() -> dict[str, Any]:
    """What model_signing 1.1.1 writes."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "churn", "digest": {"sha256": 64 * "c"}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "resources": [*FILES, dict(MANIFEST)],
            "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
        },
    }


def envelope() -> dict[str, Any]:
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": 64 * "d"}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": "",
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": "AAAA", "keyid": ""}],
        },
    }


def content(change: Change = lambda file, says: None) -> bytes:
    file, says = envelope(), statement()
    change(file, says)
    if file["dsseEnvelope"]["payload"] == "":
        file["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(says).encode()).decode()
    return json.dumps(file).encode()


def test_what_a_signature_covers() -> None:
    signature = parse(content())
    assert (signature.kind, signature.key, signature.certificates) == ("key", 64 * "d", ())
    assert signature.files == {"a/b.py": 64 * "a", "manifest.json": 64 * "b"}
    assert signature.bundle_digest == f"sha256:{64 * 'b'}"
    assert parse(signature.content) == signature


def test_what_it_was_made_with() -> None:
    raw = {"rawBytes": base64.b64encode(b"certificate").decode()}

    def material(**value: Any) -> bytes:
        return content(lambda file, _: file.update(verificationMaterial={**value, "tlogEntries": []}))

    chain = parse(material(x509CertificateChain={"certificates": [raw, raw]}))
    assert (chain.kind, chain.certificates) == ("certificate", (b"certificate", b"certificate"))
    # As Sigstore's: the log's entries and the time stamps stand beside the certificate.
    keyless = parse(material(certificate=raw, timestampVerificationData={"rfc3161Timestamps": []}))
    assert (keyless.kind, keyless.certificates) == ("identity", (b"certificate",))


def envelope_with(**values: Any) -> Change:
    return lambda file, says: file["dsseEnvelope"].update(values)


def material_with(**values: Any) -> Change:
    return lambda file, says: file["verificationMaterial"].update(values)


def predicate_with(**values: Any) -> Change:
    return lambda file, says: says["predicate"].update(values)


def resources_with(*resources: Any) -> Change:
    return predicate_with(resources=[dict(MANIFEST), *resources])


GARBLED: dict[str, tuple[Change, str]] = {
    "another name of the same": (
        lambda file, _: file.update(dsse_envelope={}),
        "it has not exactly dsseEnvelope, mediaType, verificationMaterial",
    ),
    "media type": (
        lambda file, _: file.update(mediaType="x"),
        "its mediaType is 'x', not 'application/vnd.dev",
    ),
    "no envelope": (
        lambda file, _: file.update(dsseEnvelope=[]) or file.update(dsseEnvelope={"payload": "x"}),
        "dsseEnvelope has not exactly payload, payloadType, signatures",
    ),
    "payload type": (
        envelope_with(payloadType="text"),
        "its payloadType is 'text', not 'application/vnd.in-toto",
    ),
    "two signatures": (envelope_with(signatures=[{}, {}]), "it has not exactly one signature"),
    "no list": (envelope_with(signatures="s"), "it has not exactly one signature"),
    "payload is a number": (envelope_with(payload=1), "its payload is not base64"),
    "payload with spaces": (envelope_with(payload="AA AA"), "its payload is not base64"),
    "payload is no JSON": (envelope_with(payload="AAAA"), "its payload is not JSON"),
    "payload is a list": (
        envelope_with(payload=base64.b64encode(b"[]").decode()),
        "its payload is no JSON object",
    ),
    "no material": (
        lambda file, _: file.update(verificationMaterial=[]),
        "verificationMaterial is no JSON object",
    ),
    "two kinds": (
        material_with(certificate={}),
        "verificationMaterial has not exactly one of publicKey, x509CertificateChain, certificate",
    ),
    "an unknown kind": (
        lambda file, _: file.update(verificationMaterial={"public_key": {}}),
        "verificationMaterial has not exactly one of publicKey",
    ),
    "hint of version 0": (material_with(publicKey={"rawBytes": "AAAA"}), "publicKey has not exactly hint"),
    "no hint": (material_with(publicKey={"hint": None}), "publicKey.hint is no fingerprint of a key"),
    "no certificates": (
        lambda file, _: file.update(verificationMaterial={"x509CertificateChain": {"certificates": []}}),
        "x509CertificateChain holds no certificate",
    ),
    "no certificate": (
        lambda file, _: file.update(verificationMaterial={"certificate": {"rawBytes": "?"}}),
        "a certificate is not base64",
    ),
    "statement": (
        lambda _, says: says.update(_type="x"),
        "it says nothing in the form of OpenSSF model signing 1.0",
    ),
    "predicate": (
        lambda _, says: says.update(predicateType="https://model_signing/Digests/v0.1"),
        "it says nothing in the form of OpenSSF model signing 1.0",
    ),
    "no files": (lambda _, says: says.update(predicate=[]), "its predicate lists no files"),
    "shards": (
        predicate_with(serialization={"method": "shards"}),
        "it does not have the SHA-256 of whole files",
    ),
    "another hash": (
        resources_with({**FILES[0], "algorithm": "blake3"}),
        "it does not have the SHA-256 of whole files",
    ),
    "no hash": (resources_with({**FILES[0], "digest": "abc"}), "it has no SHA-256 of 'a/b.py'"),
    "no name": (resources_with({**FILES[0], "name": 5}), "it has no SHA-256 of 5"),
    "twice": (resources_with(MANIFEST), "it names 'manifest.json' twice"),
    "another folder": (predicate_with(resources=FILES), "it does not cover manifest.json"),
}


@pytest.mark.parametrize("case", GARBLED)
def test_what_is_garbled_is_refused(case: str) -> None:
    change, told = GARBLED[case]
    with pytest.raises(GarbledError) as refused:
        parse(content(change))
    assert str(refused.value).startswith(told)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (b"", "it is not JSON (Expecting value"),
        (b"\xff", "it is not JSON ("),
        (b"[]", "it is no JSON object"),
        (b'{"a": 1, "a": 2}', "it is not JSON (a key stands twice in one object)"),
        (b"[" * 100_000, "it is not JSON ("),
        (b" " * ((64 << 20) + 1), "it has more than 64 MB"),
    ],
    ids=["empty", "binary", "list", "doubled", "deep", "large"],
)
def test_a_file_that_is_something_else(tmp_path: Path, found: bytes, told: str) -> None:
    path = tmp_path / "signature.json"
    path.write_bytes(found)
    with pytest.raises(LastmileError) as refused:
        read(path)
    assert refused.value.message.startswith(f"{path} is no signature of a bundle: {told}")
    assert refused.value.hint == "Sign the bundle again."


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LastmileError) as refused:
        read(tmp_path / "none")
    assert (
        refused.value.message
        == f"the signature {tmp_path / 'none'} cannot be read: No such file or directory."
    )
    assert refused.value.hint == "Sign the bundle, or correct the path."
