"""Signatures hold between this package and OpenSSF's own `model_signing` command, both ways; every file counts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from lastmile_sls.bundle.build import build_bundle
from lastmile_sls.bundle.models import prepare_models
from lastmile_sls.bundle.trust.contents import list_files
from lastmile_sls.bundle.trust.keys import PASSPHRASE, KeyPair, generate_key, passphrase_from
from lastmile_sls.bundle.trust.signature import sign, verify
from lastmile_sls.bundle.trust.signers import Certificate, Certificates, Key, PublicKey
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.trust.pki import NOW, make_pki
from tests.lastmile_sls.specs import make_spec

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(find_spec("model_signing") is None, reason="model-signing is not installed"),
]


@dataclass(frozen=True)
class Place:
    """A bundle, and where its signature goes."""

    bundle: Path
    signature: Path
    keys: KeyPair


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "spec"
    folder.mkdir()
    for name in ("one.py", "two.py"):
        (folder / name).write_text("class Model:\n    def predict(self, inputs):\n        return inputs\n")
    spec = make_spec()
    models = prepare_models(spec, folder, tmp_path / "scratch")
    built = build_bundle(spec, folder, tmp_path / "churn", models)
    return Place(built.folder, tmp_path / "signature.json", generate_key(tmp_path / "keys", "correct horse"))


def theirs(*arguments: str | Path) -> str:
    """Run OpenSSF's command; return what it said when it refused, nothing when it did not."""
    command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"{done.stdout}{done.stderr}" if done.returncode else ""


def their_verdict(place: Place) -> str:
    options = ("--signature", place.signature, "--public_key", place.keys.public)
    return theirs("verify", "key", place.bundle, *options)


def tampered(bundle: Path) -> Iterator[str]:
    """Tamper with a bundle in each way in turn, and mend it again; yield what was done to which file."""
    path, kept = bundle / "models/v1/one.py", bundle.parent / "kept"
    shutil.copyfile(path, kept)
    path.write_text("changed")
    yield "changed: models/v1/one.py"
    path.unlink()
    yield "missing: models/v1/one.py"
    shutil.copyfile(kept, path.with_name("three.py"))
    yield "renamed: models/v1/one.py to models/v1/three.py"
    path.with_name("three.py").rename(path)
    (bundle / "models/added.py").write_text("x")
    yield "added: models/added.py"
    (bundle / "models/added.py").unlink()


def test_their_command_verifies_what_is_signed_here_with_a_key(place: Place) -> None:
    signer = Key(place.keys.private, passphrase_from({PASSPHRASE: "correct horse"}))
    sign(place.bundle, place.signature, signer, now=NOW)
    assert their_verdict(place) == ""
    for done in tampered(place.bundle):
        name = done.rpartition(" ")[2]
        assert name in their_verdict(place)
    assert their_verdict(place) == ""


def test_what_their_command_signed_with_a_key_verifies_here(place: Place, tmp_path: Path) -> None:
    keys = generate_key(tmp_path / "plain")  # their command takes no key that is encrypted
    options = ("--signature", place.signature, "--private_key", keys.private)
    assert theirs("sign", "key", place.bundle, *options) == ""
    found = verify(place.bundle, place.signature, PublicKey(keys.public), now=NOW)
    assert found.files == len(list_files(place.bundle))
    for done in tampered(place.bundle):
        with pytest.raises(LastmileError) as refused:
            verify(place.bundle, place.signature, PublicKey(keys.public), now=NOW)
        assert refused.value.message.endswith(f": {done}.")
    # Their command leaves out git's files unless told otherwise, here and when it verifies.
    (place.bundle / ".gitignore").write_text("x")
    assert (
        theirs("verify", "key", place.bundle, "--signature", place.signature, "--public_key", keys.public)
        == ""
    )
    with pytest.raises(LastmileError) as refused:
        verify(place.bundle, place.signature, PublicKey(keys.public), now=NOW)
    assert refused.value.message == f"{place.signature} does not cover .gitignore in {place.bundle}."


def test_certificates_hold_both_ways(place: Place, tmp_path: Path) -> None:
    for direct in (False, True):
        pki = make_pki(tmp_path / f"pki-{direct}", direct=direct)
        sign(place.bundle, place.signature, Certificate(Key(pki.key), pki.chain), now=NOW)
        trust = ("--signature", place.signature, "--certificate_chain", pki.root)
        assert theirs("verify", "certificate", place.bundle, *trust) == ""
        place.signature.unlink()
        shown = ("--signing_certificate", pki.chain, "--certificate_chain", pki.chain)
        options = ("--signature", place.signature, "--private_key", pki.key, *shown)
        assert theirs("sign", "certificate", place.bundle, *options) == ""
        assert verify(place.bundle, place.signature, Certificates((pki.root,)), now=NOW).signer == "CN=signer"


@pytest.mark.parametrize("form", [["ec", "-aes256"], ["pkcs8", "-topk8"]], ids=["SEC 1", "PKCS 8"])
def test_an_encrypted_key_of_openssl_signs(place: Place, tmp_path: Path, form: list[str]) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    plain, private, public = tmp_path / "plain.pem", tmp_path / "private.pem", tmp_path / "public.pem"
    openssl("ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", plain)
    openssl(*form, "-in", plain, "-out", private, "-passout", "stdin")
    openssl("ec", "-in", plain, "-pubout", "-out", public)
    signer = Key(private, passphrase_from({PASSPHRASE: "correct horse"}))
    sign(place.bundle, place.signature, signer, now=NOW)
    verify(place.bundle, place.signature, PublicKey(public), now=NOW)


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], input=b"correct horse", check=True, capture_output=True)


def test_a_byte_of_any_file_fails_naming_it(place: Place) -> None:
    signer = Key(place.keys.private, passphrase_from({PASSPHRASE: "correct horse"}))
    sign(place.bundle, place.signature, signer, now=NOW)
    trusted = PublicKey(place.keys.public)
    names = list_files(place.bundle)
    assert len(names) > 60
    for name in names:
        path = place.bundle / name
        content = path.read_bytes()
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:] if content else b"x")
        with pytest.raises(LastmileError) as refused:
            verify(place.bundle, place.signature, trusted, now=NOW)
        told = f"{place.bundle} is not what was signed by {place.signature}: changed: {name}."
        assert refused.value.message == told
        path.write_bytes(content)
    verify(place.bundle, place.signature, trusted, now=NOW)
