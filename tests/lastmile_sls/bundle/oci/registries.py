"""Starts real registries (Debian's docker-registry) on this machine, a token service, and a proxy that fails on purpose."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.ports import free_port

PROGRAM = "docker-registry"
USER, PASSWORD = "ada", "a-word:with a colon"
# Of PASSWORD: htpasswd -nbB -C 5
HTPASSWD = "ada:$2y$05$I6IpcGLJbr.sMQaSa0l6leJW/B3PYqnysSUOPyoOnOeyJuakhSD2G\n"
needs_registry = pytest.mark.skipif(
    not shutil.which(PROGRAM), reason=f"needs {PROGRAM} (Debian's package of that name) on PATH"
)


class RegistryProcess:
    """A registry that can be stopped and started again with what it has."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", **options: Any) -> None:
        self.address = f"{host}:{free_port()}"
        self.folder = folder
        self._config = folder / "registry.yml"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        http_options = {"addr": self.address, **options.pop("http", {})}
        document = {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}},
            "http": http_options,
            **options,
        }
        self._config.write_text(yaml.safe_dump(document))

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            command = [PROGRAM, "serve", str(self._config)]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        host, _, port = self.address.rpartition(":")
        deadline = time.monotonic() + 30
        while True:
            try:
                connection = http.client.HTTPConnection(host, int(port), timeout=5)
                connection.request("GET", "/v2/")
                connection.getresponse()
            except (OSError, http.client.HTTPException):
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                return
            finally:
                connection.close()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def registry(folder: Path, host: str = "127.0.0.1", **options: Any) -> Iterator[RegistryProcess]:
    """Run a registry; options are those of its configuration file."""
    process = RegistryProcess(folder, host, **options)
    process.start()
    try:
        yield process
    finally:
        process.kill()


@contextmanager
def registry_with_password(folder: Path) -> Iterator[RegistryProcess]:
    """Run a registry that lets USER in with PASSWORD, by HTTP's Basic."""
    folder.mkdir(parents=True)
    (folder / "htpasswd").write_text(HTPASSWD)
    auth = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
    with registry(folder, auth=auth) as process:
        yield process


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


@dataclass
class TokenService:
    """What a token service was asked, and how it answers."""

    address: str = ""
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    lifetime_s: int = 300
    identity_token: str = "the-identity-token"


@contextmanager
def registry_with_tokens(folder: Path) -> Iterator[tuple[RegistryProcess, TokenService]]:
    """Run a registry that wants tokens, and the service that gives them to USER.

    Without a login, tokens only allow to pull.
    """
    import jwt
    from cryptography.hazmat.primitives import serialization

    from tests.lastmile_runtime.stores.test_tls import Authority

    folder.mkdir(parents=True)
    authority = Authority("tokens")
    (folder / "root.pem").write_bytes(authority.pem)
    der = ssl.PEM_cert_to_DER_cert(authority.pem.decode())
    service = TokenService()
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    def grant(scopes: list[str], *, known: bool) -> bytes:
        now = int(time.time())
        access = []
        for scope in " ".join(scopes).split():
            kind, name, actions = scope.split(":")
            allowed = [action for action in actions.split(",") if known or action == "pull"]
            access.append({"type": kind, "name": name, "actions": allowed})
        claims = {
            "iss": "issuer",
            "aud": "registry",
            "sub": USER,
            "exp": now + service.lifetime_s,
            "nbf": now - 400,
            "iat": now,
            "jti": str(uuid.uuid4()),
            "access": access,
        }
        key = authority.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        token = jwt.encode(claims, key, "ES256", headers={"x5c": [base64.b64encode(der).decode()]})
        return json.dumps({"token": token}).encode()

    class Handler(_Handler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            service.asked.append(asked)
            proof = self.headers.get("authorization", "")
            if proof and proof != f"Basic {login}":
                self.reply(401, b'{"details": "incorrect username or password"}')
                return
            self.reply(200, grant(asked.get("scope", []), known=bool(proof)))

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            service.asked.append(form)
            known = form["grant_type"] == ["refresh_token"] and form["refresh_token"] == [
                service.identity_token
            ]
            self.reply(200 if known else 401, grant(form["scope"], known=known) if known else b"{}")

    with _serving(Handler) as address:
        service.address = address
        token = {
            "realm": f"http://{address}/token",
            "service": "registry",
            "issuer": "issuer",
            "rootcertbundle": str(folder / "root.pem"),
        }
        with registry(folder, auth={"token": token}) as process:
            yield process, service


Fault = Callable[[str, str], int | str | None]
"""Given a request's method and path: a status to answer, None to pass it on, `cut` to close without an answer, or `lose`
to pass it on and close without an answer."""


@dataclass
class Proxy:
    """What passed a proxy, and what goes wrong there next."""

    address: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    fault: Fault = lambda _method, _path: None
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with the statuses that it answers itself."""

    def count(self, method: str) -> int:
        return sum(1 for found, _ in self.requests if found == method)


@contextmanager
def proxy_to(address: str) -> Iterator[Proxy]:
    """Run an HTTP server that passes requests on to a registry, or fails as it is told."""
    proxy = Proxy()

    class Handler(_Handler):
        def _pass(self) -> None:
            proxy.requests.append((self.command, self.path))
            fault = proxy.fault(self.command, self.path)
            if fault == "cut":
                self.close_connection = True
                return
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length)
            if isinstance(fault, int):
                error = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "come\\nback later"}]}'
                self.reply(fault, error, **proxy.headers)
                return
            connection = http.client.HTTPConnection(address, timeout=30)
            connection.request(self.command, self.path, body or None, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            if fault == "lose":
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _pass

    with _serving(Handler) as own:
        proxy.address = own
        yield proxy


def certify(folder: Path, host: str) -> tuple[Path, Path]:
    """Write a certificate for an address, which is its own authority, and its key; return their files."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(pem)
    return folder / "certificate.pem", folder / "key.pem"


@contextmanager
def tunnel() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Run an HTTP proxy that opens tunnels; yield its address, and the targets and logins that it was given."""
    opened: list[tuple[str, str]] = []

    class Handler(_Handler):
        def do_CONNECT(self) -> None:
            opened.append((self.path, self.headers.get("proxy-authorization", "")))
            host, _, port = self.path.rpartition(":")
            with socket.create_connection((host, int(port)), 30) as other:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=_pump, args=(other, self.connection), daemon=True)
                back.start()
                _pump(self.connection, other)
                back.join()
            self.close_connection = True

    with _serving(Handler) as address:
        yield address, opened


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := source.recv(65_536):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)


Answers = dict[str, tuple[int, dict[str, str], bytes]]


@contextmanager
def answering(answers: Answers) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Run a server with an answer for each path; yield its address, and each request with its authorization."""
    asked: list[tuple[str, str, str]] = []

    class Handler(_Handler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            asked.append((self.command, self.path, self.headers.get("authorization", "")))
            status, headers, body = answers[urlsplit(self.path).path]
            self.reply(status, body, **headers)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer

    with _serving(Handler) as address:
        yield address, asked
