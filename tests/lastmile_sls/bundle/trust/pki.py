"""Certificates for tests: an authority, one between, and a signer's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lastmile_sls.bundle.trust.keys import private_pem

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Pki:
    """Files of certificates and keys."""

    root: Path
    chain: Path
    """The signer's certificate, then the one between."""
    key: Path


def make_pki(
    folder: Path,
    *,
    start: datetime = NOW - YEAR,
    end: datetime = NOW + YEAR,
    signs: bool = True,
    passphrase: str = "",
    direct: bool = False,
) -> Pki:
    """Make an authority and a signer that it vouches for, through another unless `direct`."""
    folder.mkdir(exist_ok=True)
    root_key, middle_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    name, long = f"root of {folder.name}", (NOW - 9 * YEAR, NOW + 9 * YEAR)
    root = issue(name, root_key, name, root_key, *long, authority=True)
    middle = issue("middle", middle_key, name, root_key, *long, authority=True)
    issuer = (name, root_key) if direct else ("middle", middle_key)
    leaf = issue("signer", key, *issuer, start, end, signs=signs)
    pki = Pki(folder / "root.pem", folder / "chain.pem", folder / "key.pem")
    pki.root.write_bytes(root.public_bytes(Encoding.PEM))
    shown = [leaf] if direct else [leaf, middle]
    pki.chain.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in shown))
    pki.key.write_bytes(private_pem(key, passphrase))
    return pki


def issue(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    start: datetime,
    end: datetime,
    *,
    authority: bool = False,
    signs: bool = True,
) -> x509.Certificate:
    """Issue a certificate."""
    usage = x509.KeyUsage(
        digital_signature=signs and not authority,
        content_commitment=False,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
