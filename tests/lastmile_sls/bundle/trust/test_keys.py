"""Key pairs: private for their owner only, opened by the right passphrase, refused when they are of another kind."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from lastmile_sls.bundle.trust.keys import (
    PASSPHRASE,
    fingerprint,
    generate_key,
    passphrase_from,
    private_pem,
    read_private_key,
    read_public_key,
)
from lastmile_sls.errors import LastmileError

SECRET = "correct horse"
NOBODY = passphrase_from({})


def test_a_pair_is_made_for_its_owner_only(tmp_path: Path) -> None:
    pair = generate_key(tmp_path / "new" / "keys")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (pair.private, pair.public, pair.private.parent)]
    assert modes == [0o600, 0o644, 0o700]
    key = read_private_key(pair.private, NOBODY)
    assert key.curve.name == "secp256r1"
    assert fingerprint(key.public_key()) == fingerprint(read_public_key(pair.public))


def test_no_key_is_ever_overwritten(tmp_path: Path) -> None:
    pair = generate_key(tmp_path)
    content = pair.private.read_bytes()
    for there in (pair.private, pair.public):
        with pytest.raises(LastmileError) as refused:
            generate_key(tmp_path)
        assert (
            refused.value.message == f"{there} is there already, and a key that is lost cannot be made again."
        )
        assert refused.value.hint == "Name another folder, or move the file away."
        there.rename(there.with_suffix(".kept"))
    assert pair.private.with_suffix(".kept").read_bytes() == content


def test_the_passphrase_comes_from_the_environment_before_it_is_asked_for(tmp_path: Path) -> None:
    pair = generate_key(tmp_path, SECRET)
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return SECRET

    assert read_private_key(pair.private, passphrase_from({PASSPHRASE: SECRET}, ask))
    assert asked == []
    assert read_private_key(pair.private, passphrase_from({}, ask))
    assert asked == [f"Passphrase of {pair.private}"]


def test_nobody_is_asked_for_the_passphrase_of_a_key_that_has_none(tmp_path: Path) -> None:
    def ask(question: str) -> str:
        raise AssertionError(question)

    assert read_private_key(generate_key(tmp_path).private, passphrase_from({}, ask))


def test_a_wrong_or_missing_passphrase_is_told_and_never_shown(tmp_path: Path) -> None:
    pair = generate_key(tmp_path, SECRET)
    with pytest.raises(LastmileError) as refused:
        read_private_key(pair.private, NOBODY)
    assert str(refused.value) == (
        f"{pair.private} is encrypted, but {PASSPHRASE} is not set and nobody can be asked.\n"
        f"Set {PASSPHRASE} to its passphrase."
    )
    for wrong in ("battery staple", ""):
        with pytest.raises(LastmileError) as refused:
            read_private_key(pair.private, passphrase_from({PASSPHRASE: wrong}))
        assert refused.value.message == f"{pair.private} is not opened by its passphrase."
        assert not wrong or wrong not in str(refused.value)


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "k.pem"
    with pytest.raises(LastmileError) as refused:
        read_private_key(path, NOBODY)
    assert refused.value.message == f"the private key, {path}, cannot be read: No such file or directory."
    with pytest.raises(LastmileError) as refused:
        read_public_key(path)
    assert refused.value.message == f"the public key, {path}, cannot be read: No such file or directory."
    for content in (b"", b"\x00\xff", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"):
        path.write_bytes(content)
        with pytest.raises(LastmileError) as refused:
            read_private_key(path, NOBODY)
        assert refused.value.message == f"{path} is no private key in PEM."
        with pytest.raises(LastmileError) as refused:
            read_public_key(path)
        assert refused.value.message == f"{path} is no public key in PEM."


def test_keys_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "k.pem"
    key = ed25519.Ed25519PrivateKey.generate()
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, none))
    with pytest.raises(LastmileError) as refused:
        read_private_key(path, NOBODY)
    assert refused.value.message == (
        f"{path} is a private key of another kind, but signatures take elliptic-curve keys."
    )
    path.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(LastmileError) as refused:
        read_public_key(path)
    assert refused.value.message == (
        f"{path} is a public key of another kind, but signatures take elliptic-curve keys."
    )
    path.write_bytes(private_pem(ec.generate_private_key(ec.SECP256K1())))
    with pytest.raises(LastmileError) as refused:
        read_private_key(path, NOBODY)
    assert refused.value.message == (
        f"{path} is a key of the curve secp256k1, but signatures take secp256r1, secp384r1, secp521r1."
    )
    assert refused.value.hint == "Make one: openssl ecparam -name prime256v1 -genkey -noout"
