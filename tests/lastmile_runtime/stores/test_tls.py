"""Servers are verified: by the expected authorities first, by all of the system's if those do not, or not at all used."""

from __future__ import annotations

import datetime
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lastmile_runtime.stores import Object, StoreError, tls
from lastmile_runtime.stores.exchange import Address, Client
from lastmile_runtime.stores.http import HttpStore
from tests.lastmile_runtime.stores.servers import ok, serving


class Authority:
    """A certificate authority of this test."""

    def __init__(self, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.pem = self.certify(self.name, self.key, [], authority=True)

    def certify(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, hosts: list[str], *, authority: bool = False
    ) -> bytes:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if authority:
            usage = x509.KeyUsage(
                *[name in ("key_cert_sign", "crl_sign") for name in _USAGES]  # in the order of its arguments
            )
            builder = builder.add_extension(usage, critical=True)
        else:
            names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@pytest.fixture(scope="module")
def expected() -> Authority:
    return Authority("Expected Root")


@pytest.fixture(scope="module")
def other() -> Authority:
    return Authority("Other Root")


@pytest.fixture(autouse=True)
def system(
    expected: Authority, other: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The system trusts both authorities."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(b"# comment\n" + expected.pem + b"\nOther\n" + other.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    tls._contexts.clear()
    yield
    tls._contexts.clear()


def server_context(authority: Authority, folder: Path, host: str = "localhost") -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "server.pem"
    file.write_bytes(encoded + authority.certify(name, key, [host]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def get(port: int, issuers: tuple[bytes, ...] = (b"Expected Root",)) -> Object | None:
    address = Address("localhost", port, tls=True, issuers=issuers)
    return HttpStore(address, "").get("a", deadline_s=10)


def subjects(context: ssl.SSLContext) -> list[str]:
    certificates = [x509.load_der_x509_certificate(der) for der in context.get_ca_certs(binary_form=True)]
    return sorted(found.subject.rfc4514_string() for found in certificates)


def test_a_context_has_the_named_authorities_and_verifies() -> None:
    context = tls.context((b"Expected Root",))
    assert subjects(context) == ["CN=Expected Root"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert subjects(tls.context(())) == ["CN=Expected Root", "CN=Other Root"]
    assert subjects(tls.context((b"Nobody",))) == ["CN=Expected Root", "CN=Other Root"]


def test_a_server_of_the_expected_authority(expected: Authority, tmp_path: Path) -> None:
    with serving(lambda *_: ok(b"1"), server_context(expected, tmp_path)) as server:
        found = get(server.port)
    assert found is not None
    assert (found.content, server.connections) == (b"1", 1)


def test_a_server_of_another_authority_that_the_system_trusts(other: Authority, tmp_path: Path) -> None:
    with serving(lambda *_: ok(b"1"), server_context(other, tmp_path)) as server:
        found = get(server.port)
    assert found is not None
    assert (found.content, server.connections) == (b"1", 2)


def test_a_server_that_nobody_vouches_for(tmp_path: Path) -> None:
    with serving(lambda *_: ok(b"1"), server_context(Authority("Expected Root"), tmp_path)) as server:
        with pytest.raises(StoreError, match="CERTIFICATE_VERIFY_FAILED"):
            get(server.port)
        assert server.asked == []


def test_a_server_with_another_name(expected: Authority, tmp_path: Path) -> None:
    with serving(lambda *_: ok(b"1"), server_context(expected, tmp_path, "elsewhere")) as server:
        with pytest.raises(StoreError, match="Hostname mismatch"):
            get(server.port)
        assert server.asked == []


def test_a_connection_stays_open_and_is_made_anew_when_the_server_has_closed_it(
    expected: Authority, tmp_path: Path
) -> None:
    def answer(*_: object) -> bytes:
        return b"" if len(server.asked) == 3 else ok(b"1")

    with serving(answer, server_context(expected, tmp_path)) as server:
        client = Client(Address("localhost", server.port, tls=True, issuers=(b"Expected Root",)))
        found = [client.fetch("/", {}, time.monotonic() + 10, "POST", b"")[1] for _ in range(3)]
    assert found == [b"1"] * 3
    assert (len(server.asked), server.connections) == (4, 2)
