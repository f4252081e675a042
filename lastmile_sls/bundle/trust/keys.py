"""Key pairs to sign with: elliptic-curve keys in PEM files; a passphrase comes from the environment or from a prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lastmile_sls.errors import LastmileError
from lastmile_sls.files import write_private

if TYPE_CHECKING:  # cryptography takes 60 ms to import
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

PASSPHRASE = "LASTMILE_SIGNING_PASSPHRASE"  # noqa: S105 - the variable's name
CURVES = ("secp256r1", "secp384r1", "secp521r1")
"""What OpenSSF model signing takes; P-256 is the first."""
PRIVATE, PUBLIC = "private.pem", "public.pem"
_MAX_BYTES = 1 << 20

Passphrase = Callable[[Path], str]
"""Returns the passphrase of a private key's file; called only for one that is encrypted."""


@dataclass(frozen=True)
class KeyPair:
    """The files of a key pair."""

    private: Path
    public: Path


def passphrase_from(environ: Mapping[str, str], ask: Callable[[str], str] | None = None) -> Passphrase:
    """Return what finds a passphrase: in the environment (PASSPHRASE), else by asking.

    Args:
        environ: The environment.
        ask: Shows its argument and returns what was typed; None where nobody can be asked.
    """

    def find(path: Path) -> str:
        if PASSPHRASE in environ:
            return environ[PASSPHRASE]
        if ask is not None:
            return ask(f"Passphrase of {path}")
        raise LastmileError(
            f"{path} is encrypted, but {PASSPHRASE} is not set and nobody can be asked.",
            f"Set {PASSPHRASE} to its passphrase.",
        )

    return find


def generate_key(folder: Path, passphrase: str = "") -> KeyPair:
    """Make a P-256 key pair in a folder: `private.pem`, mode 0600, and `public.pem`.

    The private key is encrypted with the passphrase, unless that is empty. Raises LastmileError when one of the files
    is there already, or cannot be written.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pair = KeyPair(folder / PRIVATE, folder / PUBLIC)
    for path in (pair.private, pair.public):
        if path.exists():
            raise LastmileError(
                f"{path} is there already, and a key that is lost cannot be made again.",
                "Name another folder, or move the file away.",
            )
    key = ec.generate_private_key(ec.SECP256R1())
    write_private(pair.private, private_pem(key, passphrase))
    write_private(
        pair.public,
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )
    pair.public.chmod(0o644)
    return pair


def private_pem(key: EllipticCurvePrivateKey, passphrase: str = "") -> bytes:
    """Return a private key as PEM (PKCS #8), encrypted unless the passphrase is empty."""
    from cryptography.hazmat.primitives import serialization

    kept: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        kept = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kept)


def read_private_key(path: Path, passphrase: Passphrase) -> EllipticCurvePrivateKey:
    """Read a private key from a PEM file.

    Raises LastmileError for a file that cannot be read, is no private key of one of CURVES, or is not opened by its
    passphrase.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    content = _read(path, "the private key")
    encrypted = b"ENCRYPTED" in content
    secret = passphrase(path).encode() if encrypted else None
    try:
        key = serialization.load_pem_private_key(content, secret)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        if encrypted:
            raise LastmileError(
                f"{path} is not opened by its passphrase.",
                f"Correct the passphrase; {PASSPHRASE}, where it is set, is taken before asking.",
            ) from error
        raise LastmileError(
            f"{path} is no private key in PEM.", "Name the file that holds the private key."
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _refuse_kind(path, "a private key")
    _require_curve(path, key.curve.name)
    return key


def read_public_key(path: Path) -> EllipticCurvePublicKey:
    """Read a public key from a PEM file. Raises LastmileError for a file that has none of one of CURVES."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    content = _read(path, "the public key")
    try:
        key = serialization.load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise LastmileError(
            f"{path} is no public key in PEM.", "Name the file that holds the public key."
        ) from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise _refuse_kind(path, "a public key")
    _require_curve(path, key.curve.name)
    return key


def fingerprint(key: EllipticCurvePublicKey) -> str:
    """Return the hexadecimal SHA-256 of a public key's PEM, by which a signature names the key that made it."""
    from cryptography.hazmat.primitives import serialization

    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.PEM, form)).hexdigest()


def _read(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES)
    except OSError as error:
        raise LastmileError(
            f"{what}, {path}, cannot be read: {error.strerror}.", "Correct its path."
        ) from error


def _refuse_kind(path: Path, what: str) -> LastmileError:
    return LastmileError(
        f"{path} is {what} of another kind, but signatures take elliptic-curve keys.",
        "Make one: openssl ecparam -name prime256v1 -genkey -noout",
    )


def _require_curve(path: Path, curve: str) -> None:
    if curve not in CURVES:
        raise LastmileError(
            f"{path} is a key of the curve {curve}, but signatures take {', '.join(CURVES)}.",
            "Make one: openssl ecparam -name prime256v1 -genkey -noout",
        )
