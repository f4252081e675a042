"""Pushing to a real registry: only what is missing is sent, another push mends a failure, logins work and stay secret."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lastmile_sls.bundle.oci.base_image import resolve_base
from lastmile_sls.bundle.oci.credentials import Login
from lastmile_sls.bundle.oci.image import Image
from lastmile_sls.bundle.oci.push import push
from lastmile_sls.bundle.oci.reference import parse_registry_reference
from lastmile_sls.bundle.oci.repository import Repository
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.oci.bases import no_credentials
from tests.lastmile_sls.bundle.oci.images import folder_base, make_image
from tests.lastmile_sls.bundle.oci.registries import (
    PASSWORD,
    USER,
    Proxy,
    RegistryProcess,
    TokenService,
    needs_registry,
    proxy_to,
    registry,
    registry_with_password,
    registry_with_tokens,
)
from tests.ports import free_port

pytestmark = needs_registry
LARGE = 20_000_000


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return make_image(tmp_path, folder_base(tmp_path))


@pytest.fixture
def proxy(shared: RegistryProcess) -> Iterator[Proxy]:
    with proxy_to(shared.address) as found:
        yield found


def read(address: str, path: str, accept: str = "*/*") -> tuple[int, bytes, str]:
    """Ask a registry for something, without our own client."""
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("GET", f"/v2/{path}", headers={"accept": accept})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, answer.headers.get("docker-content-digest", "")


def verify(image: Image, address: str, repository: str, tag: str) -> None:
    """Check that a registry has an image under a tag, with all its blobs."""
    status, content, digest = read(address, f"{repository}/manifests/{tag}", image.manifest.media_type)
    assert (status, digest) == (200, image.digest)
    assert content == image.fetch(image.manifest).read_bytes()
    for blob in (image.config, *image.layers):
        status, content, _ = read(address, f"{repository}/blobs/{blob.digest}")
        assert status == 200
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == blob.digest


def ada(_: str) -> Login | None:
    return Login(USER, PASSWORD)


def eve(_: str) -> Login | None:
    return Login("eve", "another-password")


def refused(image: Image, reference: str, login: object = no_credentials) -> tuple[str, str]:
    with pytest.raises(LastmileError) as caught:
        push(image, reference, login, pause=lambda _: None)  # type: ignore[arg-type]
    return caught.value.message, caught.value.hint


def test_an_image_is_pushed_whole_and_then_not_again(
    shared: RegistryProcess, image: Image, proxy: Proxy
) -> None:
    lines: list[str] = []
    assert push(image, f"{proxy.address}/whole/a:v1", no_credentials, lines.append) == image.digest
    verify(image, shared.address, "whole/a", "v1")
    assert [line.partition(":")[0] for line in lines[:-1]] == ["base", "runtime", "model", "config"]
    assert all(": sending " in line for line in lines[:-1])
    lines.clear()
    proxy.requests.clear()
    push(image, f"{proxy.address}/whole/a:v2", no_credentials, lines.append)
    assert [method for method, _ in proxy.requests] == ["HEAD"] * 4 + ["PUT", "HEAD"]
    sizes = [f"{blob.size / 1e6:.1f} MB" for blob in (*image.layers, image.config)]
    names = [f"{name}: is there ({size})" for name, size in zip((*image.names, "config"), sizes, strict=True)]
    assert lines == [*names, f"pushed {proxy.address}/whole/a:v2 {image.digest}"]
    verify(image, shared.address, "whole/a", "v2")


def test_only_the_layer_that_changed_is_sent(shared: RegistryProcess, tmp_path: Path, proxy: Proxy) -> None:
    base = folder_base(tmp_path)
    push(make_image(tmp_path, base), f"{proxy.address}/changed:v1", no_credentials)
    second = make_image(tmp_path, base, model="another model")
    proxy.requests.clear()
    lines: list[str] = []
    push(second, f"{proxy.address}/changed:v2", no_credentials, lines.append)
    assert [line.split(" (")[0] for line in lines if "is there" in line] == [
        "base: is there",
        "runtime: is there",
    ]
    assert [line for line in lines if "sending" in line] == [
        "model: sending 0.0 MB",
        "config: sending 0.0 MB",
    ]
    assert proxy.count("PUT") == 3  # the layer, the config and the manifest
    verify(second, shared.address, "changed", "v2")


def test_without_a_tag_it_is_the_latest_and_with_a_digest_alone_it_has_none(
    shared: RegistryProcess, image: Image
) -> None:
    push(image, f"{shared.address}/named", no_credentials)
    verify(image, shared.address, "named", "latest")
    push(image, f"{shared.address}/unnamed@{image.digest}", no_credentials)
    verify(image, shared.address, "unnamed", image.digest)
    assert read(shared.address, "unnamed/tags/list")[0] in (200, 404)
    assert json.loads(read(shared.address, "named/tags/list")[1])["tags"] == ["latest"]
    assert not json.loads(read(shared.address, "unnamed/tags/list")[1]).get("tags")


def test_another_image_than_the_one_that_is_named_is_not_pushed(image: Image) -> None:
    other = "sha256:" + "0" * 64
    message, hint = refused(image, f"localhost:1/a@{other}")
    assert message == f"localhost:1/a@{other} names another image: this one is {image.digest}."
    assert hint == "Leave the digest out, or build from what it was built from."


def test_layers_of_a_base_in_the_same_registry_are_mounted_and_never_downloaded(
    shared: RegistryProcess, tmp_path: Path, proxy: Proxy
) -> None:
    push(make_image(tmp_path, folder_base(tmp_path)), f"{shared.address}/mount/base:1", no_credentials)
    base = resolve_base(f"{proxy.address}/mount/base:1", "x86_64", tmp_path / "own", no_credentials)
    (tmp_path / "b").mkdir()
    image = make_image(tmp_path / "b", base, seed=1, model="ours")
    proxy.requests.clear()
    lines: list[str] = []
    push(image, f"{proxy.address}/mount/app:1", no_credentials, lines.append)
    assert sum("mounted from mount/base" in line for line in lines) == 3
    assert proxy.count("PUT") == 4  # two layers, the config and the manifest
    assert proxy.count("GET") == 0
    kept = {path.stat().st_size for path in (tmp_path / "own" / "sha256").iterdir()}
    assert len(kept) == 2  # the manifest and the config
    assert not kept & {layer.size for layer in base.layers}
    verify(image, shared.address, "mount/app", "1")


def test_layers_are_sent_where_the_registry_does_not_mount(
    shared: RegistryProcess, tmp_path: Path, proxy: Proxy
) -> None:
    push(make_image(tmp_path, folder_base(tmp_path)), f"{shared.address}/nomount/base:1", no_credentials)
    base = resolve_base(f"{proxy.address}/nomount/base:1", "x86_64", tmp_path / "own", no_credentials)
    (tmp_path / "b").mkdir()
    image = make_image(tmp_path / "b", base, seed=1, model="ours")
    proxy.fault = lambda _, path: 405 if "mount=" in path else None
    push(image, f"{proxy.address}/nomount/app:1", no_credentials)
    verify(image, shared.address, "nomount/app", "1")


def test_a_base_of_another_registry_is_carried_over_and_downloaded_once(
    shared: RegistryProcess, tmp_path: Path, proxy: Proxy
) -> None:
    push(make_image(tmp_path, folder_base(tmp_path)), f"{shared.address}/other/base:1", no_credentials)
    told: list[str] = []
    reference = f"{proxy.address}/other/base:1"
    base = resolve_base(reference, "x86_64", tmp_path / "own", no_credentials, told.append)
    assert told == []
    (tmp_path / "b").mkdir()
    image = make_image(tmp_path / "b", base, seed=1, model="ours")
    with registry(tmp_path / "second") as second, registry(tmp_path / "third") as third:
        for target in (second, third):
            push(image, f"{target.address}/app:1", no_credentials)
            verify(image, target.address, "app", "1")
    assert told == [f"downloading {layer.size / 1e6:.1f} MB of {reference}" for layer in base.layers]
    downloads = [path for method, path in proxy.requests if method == "GET" and "/blobs/" in path]
    assert len(downloads) == len(set(downloads)) == 4  # three layers and the config


@pytest.mark.parametrize(
    ("method", "fault"),
    [("HEAD", 500), ("POST", 502), ("PUT", 503), ("PUT", 504), ("PUT", 429)]
    + [(method, "cut") for method in ("HEAD", "POST", "PUT")],
)
def test_what_fails_is_tried_again(
    shared: RegistryProcess, image: Image, proxy: Proxy, method: str, fault: int | str
) -> None:
    """The first two requests of a kind fail; each costs one delay."""
    left = [fault, fault]
    proxy.fault = lambda found, _: left.pop() if found == method and left else None
    delays: list[float] = []
    repository = f"again/{method.lower()}-{fault}"
    push(image, f"{proxy.address}/{repository}:1", no_credentials, pause=delays.append)
    assert left == []
    assert delays in ([0.2, 1.0], [0.2])  # a kept connection that was closed is opened again at once
    verify(image, shared.address, repository, "1")


def test_a_registry_that_asks_for_patience_gets_some(image: Image, proxy: Proxy) -> None:
    left = [429]
    proxy.headers = {"retry-after": "7"}
    proxy.fault = lambda *_: left.pop() if left else None
    delays: list[float] = []
    push(image, f"{proxy.address}/patience:1", no_credentials, pause=delays.append)
    assert delays == [7.0]
    proxy.headers = {"retry-after": "86400"}
    left.append(429)
    push(image, f"{proxy.address}/patience:2", no_credentials, pause=delays.append)
    assert delays == [7.0, 30]


def test_a_registry_that_goes_on_failing_is_told_with_what_it_said(image: Image, proxy: Proxy) -> None:
    proxy.fault = lambda method, _: 503 if method == "POST" else None
    base = image.layers[0].digest
    assert refused(image, f"{proxy.address}/failing:1") == (
        f"{proxy.address}/failing:1: writing {base} was answered with 503 (TOOMANYREQUESTS: come back later).",
        "If it is a passing fault of the registry's, run again.",
    )
    assert proxy.count("POST") == 4


def test_an_upload_whose_answer_was_lost_is_not_sent_again(
    shared: RegistryProcess, image: Image, proxy: Proxy
) -> None:
    """The first PUT arrives, and the connection breaks before its answer does."""
    puts: list[str] = []

    def fault(method: str, path: str) -> int | str | None:
        if method == "PUT" and not puts:
            puts.append(path)
            return "lose"
        return None

    proxy.fault = fault
    push(image, f"{proxy.address}/lost:1", no_credentials, pause=lambda _: None)
    verify(image, shared.address, "lost", "1")
    digest = image.layers[0].digest
    again = [
        path for method, path in proxy.requests if method == "PUT" and digest.replace(":", "%3A") in path
    ]
    assert len(again) == 1


def test_a_registry_that_is_gone_is_told(image: Image) -> None:
    address = f"127.0.0.1:{free_port()}"
    assert refused(image, f"{address}/gone:1") == (
        f"{address} cannot be reached: Connection refused.",
        "Check the name and the network, then run again; what has arrived is not sent again.",
    )


def test_a_host_that_nobody_knows_is_told_at_once(image: Image) -> None:
    delays: list[float] = []
    with pytest.raises(LastmileError) as caught:
        push(image, "registry.invalid/a:1", no_credentials, pause=delays.append)
    assert caught.value.message.startswith("registry.invalid cannot be reached: ")
    assert delays == []


def test_a_registry_that_goes_away_in_the_middle_gets_the_rest_later(tmp_path: Path) -> None:
    image = make_image(tmp_path, folder_base(tmp_path), size=LARGE)
    process = RegistryProcess(tmp_path / "registry")
    process.start()
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        if line.startswith("runtime: ") and " of " in line:
            process.kill()

    try:
        reference = f"{process.address}/large:1"
        with pytest.raises(LastmileError) as caught:
            push(image, reference, no_credentials, tell, pause=lambda _: None)
        assert caught.value.message.startswith(f"{process.address} cannot be reached: ")
        assert caught.value.hint.endswith("then run again; what has arrived is not sent again.")
        process.start()
        assert read(process.address, "large/manifests/1")[0] == 404
        lines.clear()
        push(image, reference, no_credentials, lines.append)
        assert lines[0].startswith("base: is there")
        assert lines[1] == "runtime: sending 20.0 MB"
        assert re.fullmatch(r"runtime: 16\.\d of 20\.0 MB", lines[2])
        verify(image, process.address, "large", "1")
    finally:
        process.kill()


def test_a_layer_that_was_changed_on_disk_is_refused_by_the_registry(
    shared: RegistryProcess, image: Image
) -> None:
    layer = image.layers[1]
    path = image.fetch(layer)
    path.write_bytes(b"x" * layer.size)
    message, _ = refused(image, f"{shared.address}/tampered:1")
    assert message.startswith(
        f"{shared.address}/tampered:1: writing {layer.digest} was answered with 400 (DIGEST_INVALID: "
    )
    assert read(shared.address, "tampered/manifests/1")[0] == 404


def test_a_layer_that_became_shorter_is_told_at_once(shared: RegistryProcess, image: Image) -> None:
    layer = image.layers[1]
    path = image.fetch(layer)
    path.write_bytes(b"x" * (layer.size - 1))
    message, hint = refused(image, f"{shared.address}/shorter:1")
    assert (message, hint) == (f"{path} is shorter than {layer.size} bytes.", "Make the image again.")
    path.write_bytes(b"x" * (layer.size + 1))
    message, _ = refused(image, f"{shared.address}/shorter:1")
    assert " was answered with 400 (DIGEST_INVALID: " in message


def test_a_tag_that_somebody_else_moved_is_told(
    shared: RegistryProcess, image: Image, tmp_path: Path
) -> None:
    other = make_image(tmp_path, image.base, model="theirs")
    push(other, f"{shared.address}/moved:theirs", no_credentials)
    _, content, _ = read(shared.address, "moved/manifests/theirs", other.manifest.media_type)

    with proxy_to(shared.address) as proxy:

        def fault(method: str, path: str) -> int | str | None:
            if (method, path) == ("HEAD", "/v2/moved/manifests/1"):
                with Repository(
                    parse_registry_reference(f"{shared.address}/moved:1"), no_credentials
                ) as theirs:
                    theirs.put_manifest("1", content, other.manifest.media_type)
            return None

        proxy.fault = fault
        assert refused(image, f"{proxy.address}/moved:1") == (
            f"{proxy.address}/moved:1: {image.digest} was written, but the registry now has {other.digest}.",
            "Somebody else may have pushed at the same time: run again.",
        )


def test_a_password_is_asked_for_and_used(tmp_path: Path, image: Image) -> None:
    with registry_with_password(tmp_path / "registry") as process:
        reference = f"{process.address}/secret:1"
        looking = f"{reference}: looking for {image.layers[0].digest} was answered with 401"
        told = f"{looking} (UNAUTHORIZED: authentication required)."
        assert refused(image, reference) == (
            told,
            f"No login at {process.address} was found: run docker login {process.address}.",
        )
        assert refused(image, reference, eve) == (
            told,
            f"The login at {process.address} is not accepted or may not do this: run docker login {process.address}.",
        )
        lines: list[str] = []
        assert push(image, reference, ada, lines.append) == image.digest
        assert not [line for line in lines if PASSWORD in line or USER in line]
        found = resolve_base(reference, "x86_64", tmp_path / "own", ada)
        assert found.manifest == image.manifest


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[tuple[RegistryProcess, TokenService]]:
    with registry_with_tokens(tmp_path / "registry") as found:
        yield found


def test_tokens_are_asked_for_and_used(
    tokens: tuple[RegistryProcess, TokenService], tmp_path: Path, image: Image
) -> None:
    process, service = tokens
    push(image, f"{process.address}/a/base:1", ada)
    assert service.asked == [{"service": ["registry"], "scope": ["repository:a/base:pull,push"]}]
    service.asked.clear()
    base = resolve_base(f"{process.address}/a/base:1", "x86_64", tmp_path / "own", no_credentials)
    assert [asked["scope"] for asked in service.asked] == [["repository:a/base:pull"]] * len(service.asked)
    (tmp_path / "b").mkdir()
    lines: list[str] = []
    service.asked.clear()
    push(
        make_image(tmp_path / "b", base, seed=1, model="ours"),
        f"{process.address}/b/app:1",
        ada,
        lines.append,
    )
    assert sum("mounted from a/base" in line for line in lines) == 3
    assert service.asked == [
        {"service": ["registry"], "scope": ["repository:b/app:pull,push", "repository:a/base:pull"]}
    ]


def test_an_identity_token_is_exchanged(tokens: tuple[RegistryProcess, TokenService], image: Image) -> None:
    process, service = tokens
    reference = f"{process.address}/a:1"
    assert push(image, reference, lambda _: Login(identity_token=service.identity_token)) == image.digest
    message, hint = refused(image, reference, lambda _: Login(identity_token="another-token"))
    assert message == f"{reference}: the token service {service.address} answered 401 ({{}})."
    assert "another-token" not in message + hint


def test_a_token_that_has_expired_is_asked_for_again(
    tokens: tuple[RegistryProcess, TokenService], image: Image
) -> None:
    process, service = tokens
    with proxy_to(process.address) as proxy:
        left = [401]
        proxy.headers = {
            "www_authenticate": f'Bearer realm="http://{service.address}/token",service="registry"'
        }
        proxy.fault = lambda method, _: left.pop() if method == "PUT" and left else None
        push(image, f"{proxy.address}/a:1", ada)
    assert service.asked == [{"service": ["registry"], "scope": ["repository:a:pull,push"]}] * 2
    assert left == []


def test_who_may_not_push_is_told(tokens: tuple[RegistryProcess, TokenService], image: Image) -> None:
    process, service = tokens
    reference = f"{process.address}/a:1"
    message, hint = refused(image, reference)
    assert message.startswith(
        f"{reference}: writing {image.layers[0].digest} was answered with 401 (UNAUTHORIZED: "
    )
    assert hint == f"No login at {process.address} was found: run docker login {process.address}."
    assert refused(image, reference, eve) == (
        f'{reference}: the token service {service.address} answered 401 ({{"details": "incorrect username or password"}}).',
        f"The login at {process.address} is not accepted or may not do this: run docker login {process.address}.",
    )
    proof = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert proof not in message
