"""HTTP to registries: verified servers, proxies, redirects that keep the login, bodies that are whole or refused."""

from __future__ import annotations

import base64
import http.client
import io
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lastmile_sls.bundle.oci.base_image import resolve_base
from lastmile_sls.bundle.oci.descriptor import DOCUMENT_LIMIT
from lastmile_sls.bundle.oci.push import push
from lastmile_sls.bundle.oci.transport import Answer, Transport, Upload, with_retries
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.oci.bases import no_credentials
from tests.lastmile_sls.bundle.oci.images import folder_base, make_image
from tests.lastmile_sls.bundle.oci.registries import (
    Answers,
    RegistryProcess,
    answering,
    certify,
    needs_registry,
    registry,
    tunnel,
)

ELSEWHERE = "127.0.0.2"
"""Also this machine, but no address that is asked without TLS."""
PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")


@pytest.fixture
def encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RegistryProcess]:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    certificate, key = certify(tmp_path / "tls", ELSEWHERE)
    tls = {"certificate": str(certificate), "key": str(key)}
    with registry(tmp_path / "registry", ELSEWHERE, http={"tls": tls}) as process:
        yield process


@needs_registry
def test_a_registry_elsewhere_is_asked_with_tls(
    encrypted: RegistryProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = make_image(tmp_path, folder_base(tmp_path))
    reference = f"{encrypted.address}/a:1"
    with pytest.raises(LastmileError) as caught:
        push(image, reference, no_credentials)
    told = f"{encrypted.address} cannot be reached: its certificate is not trusted: "
    assert caught.value.message.startswith(told)
    assert caught.value.hint == "If it is your own registry, name its authority's file in SSL_CERT_FILE."
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls" / "certificate.pem"))
    assert push(image, reference, no_credentials) == image.digest
    assert resolve_base(reference, "x86_64", tmp_path / "own", no_credentials).manifest == image.manifest


@needs_registry
def test_a_proxy_of_the_environment_is_used(
    encrypted: RegistryProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = make_image(tmp_path, folder_base(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls" / "certificate.pem"))
    login = base64.b64encode(b"ada:a@b").decode()
    with tunnel() as (address, opened):
        monkeypatch.setenv("https_proxy", f"http://ada:a%40b@{address}")
        assert push(image, f"{encrypted.address}/a:1", no_credentials) == image.digest
        assert opened == [(encrypted.address, f"Basic {login}")]
        monkeypatch.setenv("no_proxy", ELSEWHERE)
        assert push(image, f"{encrypted.address}/a:2", no_credentials) == image.digest
        assert len(opened) == 1


def test_a_redirect_is_followed_and_the_login_stays_with_its_host() -> None:
    with answering({"/blob": (200, {}, b"content")}) as (storage, asked_there):
        answers: Answers = {
            "/a": (307, {"location": "b"}, b""),
            "/b": (302, {"location": f"http://{storage}/blob?signed=1"}, b"gone"),
        }
        with answering(answers) as (address, asked_here), Transport() as transport:
            sink = io.BytesIO(b"what was there before, and longer")
            answer = transport.exchange("GET", f"http://{address}/a", {"authorization": "Basic x"}, sink=sink)
    assert (answer.status, sink.getvalue()) == (200, b"content")
    assert asked_here == [("GET", "/a", "Basic x"), ("GET", "/b", "Basic x")]
    assert asked_there == [("GET", "/blob?signed=1", "")]


def test_redirects_end() -> None:
    with answering({"/a": (307, {"location": "/a"}, b"")}) as (address, asked), Transport() as transport:
        with pytest.raises(LastmileError) as caught:
            transport.exchange("GET", f"http://{address}/a", {})
        assert caught.value.message == f"{address} redirects more than 5 times."
        assert len(asked) == 5


def test_a_request_that_writes_is_not_sent_elsewhere() -> None:
    with answering({"/a": (307, {"location": "/b"}, b"")}) as (address, asked), Transport() as transport:
        assert transport.exchange("PUT", f"http://{address}/a", {}, b"x").status == 307
        assert asked == [("PUT", "/a", "")]


def test_an_answer_that_is_too_large_is_refused() -> None:
    answers: Answers = {
        "/fits": (200, {}, bytes(DOCUMENT_LIMIT)),
        "/large": (200, {}, bytes(DOCUMENT_LIMIT + 1)),
    }
    with answering(answers) as (address, _), Transport() as transport:
        assert len(transport.exchange("GET", f"http://{address}/fits", {}).body) == DOCUMENT_LIMIT
        with pytest.raises(LastmileError) as caught:
            transport.exchange("GET", f"http://{address}/large", {})
        assert caught.value.message == "a registry's answer is larger than 4194304 bytes."
        assert transport.exchange("GET", f"http://{address}/fits", {}).status == 200


@pytest.mark.parametrize("sink", [None, io.BytesIO()])
def test_a_body_that_breaks_off_is_no_answer(sink: io.BytesIO | None) -> None:
    answers: Answers = {"/a": (200, {"content-length": "100", "connection": "close"}, b"half")}
    with (
        answering(answers) as (address, _),
        Transport() as transport,
        pytest.raises(http.client.IncompleteRead),
    ):
        transport.exchange("GET", f"http://{address}/a", {}, sink=sink)


def test_what_a_failure_says_does_not_go_into_the_file() -> None:
    with answering({"/a": (404, {}, b"no such blob")}) as (address, _), Transport() as transport:
        sink = io.BytesIO()
        assert transport.exchange("GET", f"http://{address}/a", {}, sink=sink).body == b"no such blob"
        assert sink.getvalue() == b""


def test_a_file_to_send_that_is_not_there_is_told(tmp_path: Path) -> None:
    with answering({"/a": (201, {}, b"")}) as (address, asked), Transport() as transport:
        with pytest.raises(LastmileError) as caught:
            transport.exchange("PUT", f"http://{address}/a", {}, Upload(tmp_path / "no", 1, lambda _: None))
        assert caught.value.message == f"{tmp_path / 'no'} cannot be read: No such file or directory."
        assert asked == []


def test_a_server_that_is_silent_is_told_and_not_waited_for_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, Transport(timeout_s=0.2) as transport:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        delays: list[float] = []
        with pytest.raises(LastmileError) as caught:
            with_retries(lambda: transport.exchange("GET", f"http://{address}/", {}), address, delays.append)
    assert caught.value.message == f"{address} cannot be reached: it did not answer in time."
    assert caught.value.hint == "Run again; what has arrived is not sent again."
    assert delays == []


def test_a_server_that_does_not_speak_http_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, Transport() as transport:
        address = f"127.0.0.1:{listener.getsockname()[1]}"

        def attempt() -> Answer:
            threading.Thread(target=lambda: listener.accept()[0].sendall(b"SSH-2.0\r\n"), daemon=True).start()
            return transport.exchange("GET", f"http://{address}/", {})

        with pytest.raises(LastmileError) as caught:
            with_retries(attempt, address, lambda _: None)
    assert caught.value.message == f"{address} cannot be reached: the connection broke (BadStatusLine)."
