"""Who signs, and who is trusted to have signed: keys, certificates of one's own, and identities of Sigstore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lastmile_sls.bundle.trust.keys import Passphrase, fingerprint, passphrase_from, read_private_key
from lastmile_sls.bundle.trust.statement import Kind, Signature
from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate as IssuedCertificate

_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Key:
    """Signs with a private key."""

    path: Path
    """PEM, elliptic curve."""
    passphrase: Passphrase = field(default_factory=lambda: passphrase_from({}))


@dataclass(frozen=True)
class Certificate:
    """Signs with a private key, and shows whose it is."""

    key: Key
    chain: Path
    """PEM: the signer's certificate, then those that stand between it and the one that others trust."""


@dataclass(frozen=True)
class Keyless:
    """Signs as whoever is logged in, with Sigstore: the identity of the CI job, or of a person by the browser.

    What is signed and by whom is written to Sigstore's public log. It takes the network. This path has not been tried
    against Sigstore's servers by those who wrote it.
    """

    trust_config: Path | None = None
    """The configuration of another Sigstore than the public one."""


@dataclass(frozen=True)
class PublicKey:
    """Trusts whoever has the private key."""

    path: Path


@dataclass(frozen=True)
class Certificates:
    """Trusts whoever has a certificate that was issued by one of these."""

    paths: tuple[Path, ...]
    """PEM, at least one."""


@dataclass(frozen=True)
class Identity:
    """Trusts an identity of Sigstore. It takes the network, and has not been tried against Sigstore's servers."""

    identity: str
    """An e-mail address, or a workflow's URL."""
    issuer: str
    """Who says that it is them, such as https://accounts.google.com."""
    trust_config: Path | None = None


Signer = Key | Certificate | Keyless
Trusted = PublicKey | Certificates | Identity
_WORDS: dict[Kind, str] = {
    "key": "a key",
    "certificate": "a certificate",
    "identity": "an identity of Sigstore",
}


@dataclass(frozen=True)
class Chain:
    """A signer's private key, and the certificates that say whose it is."""

    key: EllipticCurvePrivateKey
    certificates: tuple[IssuedCertificate, ...]
    """The signer's first."""


def read_chain(signer: Certificate, now: datetime) -> Chain:
    """Read a certificate, its chain and its key.

    Raises LastmileError where the key is not the certificate's, one of them is not valid now, or none may sign.
    """
    certificates = read_certificates((signer.chain,))
    key = read_private_key(signer.key.path, signer.key.passphrase)
    leaf = certificates[0]
    if leaf.public_key() != key.public_key():
        raise LastmileError(
            f"{signer.key.path} is not the key of {name_of(leaf)}, the first certificate of {signer.chain}.",
            "Name the certificate's own key, and put the signer's certificate first.",
        )
    require_valid(str(signer.chain), certificates, now)
    if not _may_sign(leaf):
        raise LastmileError(
            f"{signer.chain}: the certificate of {name_of(leaf)} is not for signing.",
            "Have one issued with the key usage digitalSignature, or the extended key usage codeSigning.",
        )
    return Chain(key, tuple(certificates))


def read_certificates(paths: Sequence[Path]) -> list[IssuedCertificate]:
    """Read the certificates in PEM files. Raises LastmileError for a file that has none."""
    from cryptography import x509

    found: list[IssuedCertificate] = []
    for path in paths:
        try:
            with path.open("rb") as file:
                found += x509.load_pem_x509_certificates(file.read(_MAX_BYTES))
        except OSError as error:
            raise LastmileError(
                f"the certificates in {path} cannot be read: {error.strerror}.", "Correct the path."
            ) from error
        except ValueError as error:
            raise LastmileError(
                f"{path} holds no certificates in PEM.", "Name the file that holds them."
            ) from error
    return found


def pem(certificates: Sequence[IssuedCertificate]) -> bytes:
    """Return certificates as PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def require_valid(where: str, certificates: Sequence[IssuedCertificate], now: datetime) -> None:
    """Raise LastmileError unless all certificates are valid now: nothing proves that a signature is older than it seems."""
    for certificate in certificates:
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if now > end:
            raise LastmileError(
                f"{where}: the certificate of {name_of(certificate)} expired on {end:%Y-%m-%d}.",
                "Sign the bundle with a certificate that is valid.",
            )
        if now < start:
            raise LastmileError(
                f"{where}: the certificate of {name_of(certificate)} is valid from {start:%Y-%m-%d} on.",
                "Set this machine's clock, or wait.",
            )


def name_of(certificate: IssuedCertificate) -> str:
    """Return whose certificate it is, as RFC 4514 writes it."""
    return certificate.subject.rfc4514_string() or f"number {certificate.serial_number}"


def told(signature: Signature, trusted: Trusted) -> str:
    """Return who made a signature, for people."""
    if isinstance(trusted, Identity):
        return f"{trusted.identity} (by {trusted.issuer})"
    if signature.kind == "key":
        return f"the key sha256:{signature.key}"
    return name_of(certificates_of(signature)[0])


def certificates_of(signature: Signature) -> list[IssuedCertificate]:
    """Return the certificates in a signature. Raises ValueError for what is none."""
    from cryptography import x509

    return [x509.load_der_x509_certificate(certificate) for certificate in signature.certificates]


def require_kind(path: Path, signature: Signature, trusted: Trusted) -> None:
    """Raise LastmileError where a signature was made with something else than what is trusted, or with another key."""
    wanted: Kind = "identity"
    if isinstance(trusted, PublicKey):
        wanted = "key"
    elif isinstance(trusted, Certificates):
        wanted = "certificate"
    if signature.kind != wanted:
        raise LastmileError(
            f"{path} was made with {_WORDS[signature.kind]}, but {_WORDS[wanted]} is trusted.",
            "Sign the bundle with what is trusted, or trust what it was signed with.",
        )
    if isinstance(trusted, PublicKey):
        from lastmile_sls.bundle.trust.keys import read_public_key

        ours = fingerprint(read_public_key(trusted.path))
        if ours != signature.key:
            raise LastmileError(
                f"{path} was made with the key {signature.key[:16]}, but {trusted.path} is the key {ours[:16]}.",
                "Sign the bundle with the key that is trusted, or name the public key of the one that signed it.",
            )


def _may_sign(certificate: IssuedCertificate) -> bool:
    """Tell whether a certificate's usages have signing, as model signing asks of them when it verifies."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    extensions = {type(found.value): found.value for found in certificate.extensions}
    usage, extended = extensions.get(x509.KeyUsage), extensions.get(x509.ExtendedKeyUsage)
    return (isinstance(usage, x509.KeyUsage) and usage.digital_signature) or (
        isinstance(extended, x509.ExtendedKeyUsage) and ExtendedKeyUsageOID.CODE_SIGNING in extended
    )
