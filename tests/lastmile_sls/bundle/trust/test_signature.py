"""A signed bundle verifies with what is trusted and nothing else, until a byte of it changes.

That other tools verify it, and we what they sign: tests/conformance/test_trust.py.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lastmile_runtime.manifest import FILE, render
from lastmile_sls.bundle.trust import statement
from lastmile_sls.bundle.trust.contents import hash_files, read_manifest
from lastmile_sls.bundle.trust.keys import (
    PASSPHRASE,
    KeyPair,
    fingerprint,
    generate_key,
    passphrase_from,
    private_pem,
    read_private_key,
    read_public_key,
)
from lastmile_sls.bundle.trust.signature import Verified, sign, verify
from lastmile_sls.bundle.trust.signers import (
    Certificate,
    Certificates,
    Identity,
    Key,
    Keyless,
    PublicKey,
    Signer,
    Trusted,
)
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.trust.conftest import Built
from tests.lastmile_sls.bundle.trust.pki import NOW, make_pki


@pytest.fixture
def signed(bundle: Path, keys: KeyPair) -> Path:
    """Return the signature of the bundle."""
    path = bundle.with_name("signature.json")
    sign(bundle, path, Key(keys.private), now=NOW)
    return path


def refusal(bundle: Path, signature: Path, trusted: Trusted) -> LastmileError:
    with pytest.raises(LastmileError) as refused:
        verify(bundle, signature, trusted, now=NOW)
    return refused.value


def signing_refusal(bundle: Path, signer: Signer, destination: Path | None = None) -> LastmileError:
    path = destination or bundle.with_name("signature.json")
    with pytest.raises(LastmileError) as refused:
        sign(bundle, path, signer, now=NOW)
    assert not path.exists()
    return refused.value


def test_a_signature_covers_every_file(built: Built, bundle: Path, keys: KeyPair, signed: Path) -> None:
    covered = statement.read(signed).files
    assert covered == hash_files(bundle)
    assert {FILE, "app/app.py", "lastmile_runtime/asgi.py", "models/v2/two.py"} < set(covered)
    key = fingerprint(read_public_key(keys.public))
    assert verify(bundle, signed, PublicKey(keys.public), now=NOW) == Verified(
        built.bundle.digest, f"the key sha256:{key}", len(covered)
    )


def test_the_bundle_is_left_as_it_was_and_may_move(bundle: Path, keys: KeyPair, signed: Path) -> None:
    before = hash_files(bundle)
    assert sorted(path.name for path in bundle.parent.iterdir()) == ["churn", "signature.json"]
    moved = bundle.rename(bundle.with_name("elsewhere"))
    verify(moved, signed, PublicKey(keys.public), now=NOW)
    assert hash_files(moved) == before


def test_signing_returns_the_digest_and_replaces_the_file(
    built: Built, bundle: Path, keys: KeyPair, signed: Path
) -> None:
    first = signed.read_bytes()
    assert sign(bundle, signed, Key(keys.private), now=NOW) == built.bundle.digest
    assert signed.read_bytes() != first
    verify(bundle, signed, PublicKey(keys.public), now=NOW)


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_other_curves(bundle: Path, tmp_path: Path, curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    private = tmp_path / "k.pem"
    private.write_bytes(private_pem(key))
    sign(bundle, tmp_path / "s.json", Key(private), now=NOW)
    public = tmp_path / "p.pem"
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))
    assert verify(bundle, tmp_path / "s.json", PublicKey(public), now=NOW).files > 10


def test_an_encrypted_key_signs_with_its_passphrase(bundle: Path, tmp_path: Path) -> None:
    pair = generate_key(tmp_path / "k", "correct horse")
    path = bundle.with_name("signature.json")
    told = signing_refusal(bundle, Key(pair.private))
    assert (
        told.message == f"{pair.private} is encrypted, but {PASSPHRASE} is not set and nobody can be asked."
    )
    sign(bundle, path, Key(pair.private, passphrase_from({PASSPHRASE: "correct horse"})), now=NOW)
    verify(bundle, path, PublicKey(pair.public), now=NOW)


def test_no_secret_shows() -> None:
    key = Key(Path("k.pem"), passphrase_from({PASSPHRASE: "correct horse"}))
    assert "horse" not in repr(key) + repr(Certificate(key, Path("c.pem")))


@pytest.mark.parametrize(
    "name",
    [FILE, "app/app.py", "lastmile_runtime/asgi.py", "models/v1/model.pipeline.json", "models/v2/two.py"],
)
def test_a_byte_of_a_file_fails_naming_it(bundle: Path, keys: KeyPair, signed: Path, name: str) -> None:
    path = bundle / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    told = refusal(bundle, signed, PublicKey(keys.public))
    assert told.message == f"{bundle} is not what was signed by {signed}: changed: {name}."
    assert told.hint == (
        "Take the bundle from where it was signed, or find out who changed it and build it again."
    )
    path.write_bytes(content)
    verify(bundle, signed, PublicKey(keys.public), now=NOW)


def test_a_byte_of_the_signature_fails(bundle: Path, keys: KeyPair, signed: Path) -> None:
    content = signed.read_bytes()
    payload = json.loads(content)["dsseEnvelope"]["payload"].encode()
    start = content.index(payload)
    end = start + len(payload)
    places = [*range(start), *range(start, end, len(payload) // 50), *range(end, len(content))]
    accepted = []
    for place in places:
        signed.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            verify(bundle, signed, PublicKey(keys.public), now=NOW)
        except LastmileError:
            continue
        accepted.append(place)
    assert len(places) > 400
    assert accepted == []


@pytest.mark.parametrize(
    "name", ["models/v3/model.py", ".gitignore", ".git/config", "lastmile_runtime/__init__.py.bak"]
)
def test_an_added_file_fails(bundle: Path, keys: KeyPair, signed: Path, name: str) -> None:
    (bundle / name).parent.mkdir(exist_ok=True)
    (bundle / name).write_text("new")
    assert refusal(bundle, signed, PublicKey(keys.public)).message.endswith(f": added: {name}.")


def test_a_removed_or_renamed_file_fails(bundle: Path, keys: KeyPair, signed: Path) -> None:
    (bundle / "app/app.py").unlink()
    assert refusal(bundle, signed, PublicKey(keys.public)).message.endswith(": missing: app/app.py.")
    (bundle / "models/v2/two.py").rename(bundle / "models/v2/three.py")
    told = refusal(bundle, signed, PublicKey(keys.public)).message
    assert told.endswith(": renamed: models/v2/two.py to models/v2/three.py; missing: app/app.py.")
    (bundle / FILE).unlink()
    assert refusal(bundle, signed, PublicKey(keys.public)).message.endswith(
        "missing: app/app.py, manifest.json."
    )


def test_a_link_fails_though_it_leads_to_the_same(bundle: Path, keys: KeyPair, signed: Path) -> None:
    path = bundle / "app/app.py"
    path.rename(bundle.parent / "app.py")
    path.symlink_to(bundle.parent / "app.py")
    told = refusal(bundle, signed, PublicKey(keys.public)).message
    assert str(path) in told
    assert "symlink" in told


def test_another_bundle_is_told_apart_from_a_changed_one(
    built: Built, bundle: Path, keys: KeyPair, signed: Path
) -> None:
    manifest, _ = read_manifest(bundle)
    manifest.model = "other"
    (bundle / FILE).write_bytes(render(manifest))
    other = read_manifest(bundle)[1]
    told = refusal(bundle, signed, PublicKey(keys.public))
    assert told.message == f"{signed} is of the bundle {built.bundle.digest}, but {bundle} is {other}."
    assert told.hint == "Sign this bundle, or take the one that was signed."


def test_another_key_is_refused(bundle: Path, keys: KeyPair, signed: Path, tmp_path: Path) -> None:
    other = generate_key(tmp_path / "other")
    ours, theirs = (fingerprint(read_public_key(pair.public))[:16] for pair in (keys, other))
    told = refusal(bundle, signed, PublicKey(other.public))
    assert told.message == f"{signed} was made with the key {ours}, but {other.public} is the key {theirs}."
    assert told.hint == (
        "Sign the bundle with the key that is trusted, or name the public key of the one that signed it."
    )


def test_a_forged_hint_does_not_help(bundle: Path, keys: KeyPair, tmp_path: Path) -> None:
    other = generate_key(tmp_path / "other")
    path = tmp_path / "s.json"
    sign(bundle, path, Key(other.private), now=NOW)
    document = json.loads(path.read_bytes())
    document["verificationMaterial"]["publicKey"]["hint"] = fingerprint(read_public_key(keys.public))
    path.write_text(json.dumps(document))
    told = refusal(bundle, path, PublicKey(keys.public))
    assert told.message == (
        f"{path} is not trusted: it is not the signature of what it says, so it was changed or forged."
    )
    assert told.hint == "Find out who changed or made it; sign the bundle again if it is yours."


def test_each_kind_of_trust_takes_its_own_kind_of_signature(
    bundle: Path, signed: Path, tmp_path: Path
) -> None:
    pki = make_pki(tmp_path / "pki")
    told = refusal(bundle, signed, Certificates((pki.root,)))
    assert told.message == f"{signed} was made with a key, but a certificate is trusted."
    told = refusal(bundle, signed, Identity("ann@example.com", "https://issuer.example.com"))
    assert told.message == f"{signed} was made with a key, but an identity of Sigstore is trusted."
    sign(bundle, signed, Certificate(Key(pki.key), pki.chain), now=NOW)
    told = refusal(bundle, signed, PublicKey(tmp_path / "keys" / "public.pem"))
    assert told.message == f"{signed} was made with a certificate, but a key is trusted."
    assert told.hint == "Sign the bundle with what is trusted, or trust what it was signed with."


def resign(signature: Path, key: ec.EllipticCurvePrivateKey, change: Any) -> None:
    """Sign another statement, as a tool could whose user has the key."""
    document = json.loads(signature.read_bytes())
    says = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
    change(says)
    resources = says["predicate"]["resources"]
    total = hashes.Hash(hashes.SHA256())
    for resource in resources:
        total.update(bytes.fromhex(resource["digest"]))
    says["subject"][0]["digest"]["sha256"] = total.finalize().hex()
    payload = json.dumps(says).encode()
    kind = b"application/vnd.in-toto+json"
    encoded = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    document["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    made = key.sign(encoded, ec.ECDSA(hashes.SHA256()))
    document["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(made).decode()
    signature.write_text(json.dumps(document))


def test_a_right_signature_that_leaves_files_out_is_refused(
    bundle: Path, keys: KeyPair, signed: Path
) -> None:
    key = read_private_key(keys.private, passphrase_from({}))

    def leave_out(says: dict[str, Any]) -> None:
        predicate = says["predicate"]
        predicate["resources"] = [each for each in predicate["resources"] if each["name"] != "app/app.py"]
        predicate["serialization"]["ignore_paths"] = ["app/app.py", "models/v3"]

    resign(signed, key, leave_out)
    (bundle / "models/v3").mkdir()
    (bundle / "models/v3/x.py").write_text("new")
    told = refusal(bundle, signed, PublicKey(keys.public))
    assert told.message == f"{signed} does not cover app/app.py, models/v3/x.py in {bundle}."
    assert told.hint == "Sign the bundle again, all of it."
    resign(signed, key, lambda says: says["predicate"]["serialization"].update(ignore_paths=["app"]))
    (bundle / "models/v3/x.py").unlink()
    (bundle / "app/app.py").unlink()
    told = refusal(bundle, signed, PublicKey(keys.public))
    assert told.message == f"{signed} names files that it says are to be left out."
    assert told.hint == "Sign the bundle again, all of it."
    resign(signed, key, lambda says: says["predicate"].update(resources=[]))
    assert refusal(bundle, signed, PublicKey(keys.public)).message == (
        f"{signed} is no signature of a bundle: it does not cover manifest.json."
    )


def test_a_right_signature_of_a_wrong_bundle_is_refused(bundle: Path, keys: KeyPair, signed: Path) -> None:
    (bundle / "models/v2/two.py").write_text("changed")
    changed = hash_files(bundle)["models/v2/two.py"]

    def follow(says: dict[str, Any]) -> None:
        (entry,) = [each for each in says["predicate"]["resources"] if each["name"] == "models/v2/two.py"]
        entry["digest"] = changed

    resign(signed, read_private_key(keys.private, passphrase_from({})), follow)
    told = refusal(bundle, signed, PublicKey(keys.public))
    assert told.message == (
        f"{signed} is of a bundle that is not that of its manifest.json: changed: models/v2/two.py."
    )
    assert told.hint == "Build the bundle again, then sign it."


def test_a_bundle_that_is_not_that_of_its_manifest_is_not_signed(bundle: Path, keys: KeyPair) -> None:
    (bundle / "models/v2/two.py").write_text("changed")
    told = signing_refusal(bundle, Key(keys.private)).message
    assert told == f"{bundle} is not the bundle of its manifest.json: changed: models/v2/two.py."


def test_a_bundle_that_changes_while_it_is_signed_is_not_signed(bundle: Path, tmp_path: Path) -> None:
    pair = generate_key(tmp_path / "k", "correct horse")

    def passphrase(path: Path) -> str:
        (bundle / "models/v2/two.py").write_text("changed meanwhile")
        return "correct horse"

    told = signing_refusal(bundle, Key(pair.private, passphrase))
    assert told.message == f"{bundle} changed while it was signed: changed: models/v2/two.py."
    assert told.hint == "Leave it alone, then sign it again."


def test_a_signature_never_lies_in_the_bundle(bundle: Path, keys: KeyPair) -> None:
    inside = bundle / "models" / ".." / "signature.json"
    told = signing_refusal(bundle, Key(keys.private), inside)
    assert told.message == f"{inside} lies in the bundle, but a signature lies beside it."
    assert told.hint == "Name a file outside of it."


def test_a_place_that_cannot_be_written(bundle: Path, keys: KeyPair) -> None:
    taken = bundle.parent / "file"
    taken.write_text("")
    with pytest.raises(LastmileError) as refused:
        sign(bundle, taken / "signature.json", Key(keys.private), now=NOW)
    assert refused.value.message == f"{taken / 'signature.json'} could not be written: File exists."


def test_a_certificate_signs_through_the_one_between(built: Built, bundle: Path, tmp_path: Path) -> None:
    pki, path = make_pki(tmp_path / "pki", passphrase="correct horse"), tmp_path / "s.json"
    key = Key(pki.key, passphrase_from({PASSPHRASE: "correct horse"}))
    sign(bundle, path, Certificate(key, pki.chain), now=NOW)
    found = verify(bundle, path, Certificates((pki.root,)), now=NOW)
    assert (found.bundle_digest, found.signer) == (built.bundle.digest, "CN=signer")
    (bundle / "app/app.py").write_text("changed")
    assert refusal(bundle, path, Certificates((pki.root,))).message.endswith(": changed: app/app.py.")


def test_a_certificate_that_the_trusted_one_issued_itself(bundle: Path, tmp_path: Path) -> None:
    pki, path = make_pki(tmp_path / "pki", direct=True), tmp_path / "s.json"
    sign(bundle, path, Certificate(Key(pki.key), pki.chain), now=NOW)
    assert verify(bundle, path, Certificates((pki.root,)), now=NOW).signer == "CN=signer"


def test_a_certificate_of_another_authority_is_refused(bundle: Path, tmp_path: Path) -> None:
    pki, other, path = make_pki(tmp_path / "a"), make_pki(tmp_path / "b"), tmp_path / "s.json"
    sign(bundle, path, Certificate(Key(pki.key), pki.chain), now=NOW)
    told = refusal(bundle, path, Certificates((other.root,)))
    assert told.message.startswith(f"{path} is not trusted: ")
    assert "certificate" in told.message
    # Together with its own, whose file has no line's end, it is trusted.
    other.root.write_bytes(other.root.read_bytes().rstrip())
    verify(bundle, path, Certificates((other.root, pki.root)), now=NOW)


def test_an_expired_certificate_neither_signs_nor_verifies(bundle: Path, tmp_path: Path) -> None:
    pki, path = make_pki(tmp_path / "pki", end=NOW + timedelta(days=30)), tmp_path / "s.json"
    sign(bundle, path, Certificate(Key(pki.key), pki.chain), now=NOW)
    with pytest.raises(LastmileError) as refused:
        verify(bundle, path, Certificates((pki.root,)), now=NOW + timedelta(days=31))
    assert refused.value.message == f"{path}: the certificate of CN=signer expired on 2026-05-31."
    assert refused.value.hint == "Sign the bundle with a certificate that is valid."
    expired = make_pki(tmp_path / "expired", end=NOW - timedelta(days=1))
    told = signing_refusal(bundle, Certificate(Key(expired.key), expired.chain), tmp_path / "e.json")
    assert told.message == f"{expired.chain}: the certificate of CN=signer expired on 2026-04-30."
    early = make_pki(tmp_path / "early", start=NOW + timedelta(days=1))
    told = signing_refusal(bundle, Certificate(Key(early.key), early.chain), tmp_path / "e.json")
    assert told.message == f"{early.chain}: the certificate of CN=signer is valid from 2026-05-02 on."
    assert told.hint == "Set this machine's clock, or wait."


def test_certificates_that_cannot_sign(bundle: Path, keys: KeyPair, tmp_path: Path) -> None:
    pki = make_pki(tmp_path / "pki", signs=False)
    told = signing_refusal(bundle, Certificate(Key(pki.key), pki.chain))
    assert told.message == f"{pki.chain}: the certificate of CN=signer is not for signing."
    assert told.hint == (
        "Have one issued with the key usage digitalSignature, or the extended key usage codeSigning."
    )
    told = signing_refusal(bundle, Certificate(Key(keys.private), pki.chain))
    assert told.message == (
        f"{keys.private} is not the key of CN=signer, the first certificate of {pki.chain}."
    )
    told = signing_refusal(bundle, Certificate(Key(pki.key), tmp_path / "none"))
    assert (
        told.message == f"the certificates in {tmp_path / 'none'} cannot be read: No such file or directory."
    )
    told = signing_refusal(bundle, Certificate(Key(pki.key), pki.key))
    assert told.message == f"{pki.key} holds no certificates in PEM."


def test_a_certificate_that_is_none_is_not_trusted(bundle: Path, tmp_path: Path) -> None:
    pki, path = make_pki(tmp_path / "pki"), tmp_path / "s.json"
    sign(bundle, path, Certificate(Key(pki.key), pki.chain), now=NOW)
    document = json.loads(path.read_bytes())
    document["verificationMaterial"]["x509CertificateChain"]["certificates"][0]["rawBytes"] = "AAAA"
    path.write_text(json.dumps(document))
    assert refusal(bundle, path, Certificates((pki.root,))).message.startswith(f"{path} is not trusted: ")


def test_no_trusted_certificates_trust_nobody(bundle: Path, tmp_path: Path) -> None:
    pki, path = make_pki(tmp_path / "pki"), tmp_path / "s.json"
    sign(bundle, path, Certificate(Key(pki.key), pki.chain), now=NOW)
    assert refusal(bundle, path, Certificates(())).message == "no certificates are trusted."
    assert (
        refusal(bundle, path, Certificates((pki.key,))).message == f"{pki.key} holds no certificates in PEM."
    )


def test_a_sigstore_that_cannot_be_used_is_told(bundle: Path, tmp_path: Path) -> None:
    config, path = tmp_path / "trust.json", tmp_path / "s.json"
    config.write_text("{}")
    told = signing_refusal(bundle, Keyless(config))
    assert told.message.startswith(f"{bundle} could not be signed: ")
    assert told.hint == "Sigstore takes the network; correct the trust configuration, where one is named."
    pki = make_pki(tmp_path / "pki")
    sign(bundle, path, Certificate(Key(pki.key), pki.chain), now=NOW)
    document = json.loads(path.read_bytes())
    chain = document["verificationMaterial"].pop("x509CertificateChain")
    document["verificationMaterial"]["certificate"] = chain["certificates"][0]
    path.write_text(json.dumps(document))
    told = refusal(bundle, path, Identity("ann@example.com", "https://issuer.example.com", config))
    assert told.message.startswith(f"{path} cannot be verified: ")
    assert told.hint == "Sigstore takes the network; correct the trust configuration, where one is named."
