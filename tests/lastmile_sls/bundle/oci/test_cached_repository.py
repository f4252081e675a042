"""Base images in a real registry: pinned, verified, downloaded once, and used again without a network."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.bundle.dependencies.environment import Processor
from lastmile_sls.bundle.oci.base_image import BaseImage, resolve_base
from lastmile_sls.bundle.oci.reference import parse_registry_reference
from lastmile_sls.bundle.oci.repository import Repository
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.oci.bases import BaseFolder, no_credentials
from tests.lastmile_sls.bundle.oci.registries import (
    Answers,
    Proxy,
    RegistryProcess,
    answering,
    needs_registry,
    proxy_to,
)


@pytest.fixture
def proxy(shared: RegistryProcess) -> Iterator[Proxy]:
    with proxy_to(shared.address) as found:
        yield found


def publish(base: BaseFolder, address: str, repository: str, tag: str, entry: dict[str, Any]) -> None:
    """Push all that is in a folder, without our own client; the entry gets the tag."""
    connection = http.client.HTTPConnection(address, timeout=30)

    def ask(method: str, path: str, body: bytes, kind: str) -> http.client.HTTPResponse:
        connection.request(method, path, body, {"content-type": kind})
        answer = connection.getresponse()
        assert answer.status in (201, 202), answer.read()
        answer.read()
        return answer

    for blob in base.blobs.iterdir():
        location = ask("POST", f"/v2/{repository}/blobs/uploads/", b"", "").headers["location"]
        ask("PUT", f"{location}&digest=sha256:{blob.name}", blob.read_bytes(), "application/octet-stream")
    document = base.manifest(entry)
    for inner in document.get("manifests", []):
        if inner["platform"]["os"] != "unknown":
            content = (base.blobs / inner["digest"][7:]).read_bytes()
            ask("PUT", f"/v2/{repository}/manifests/{inner['digest']}", content, inner["mediaType"])
    content = (base.blobs / entry["digest"][7:]).read_bytes()
    ask("PUT", f"/v2/{repository}/manifests/{tag}", content, entry["mediaType"])
    connection.close()


def index_of(base: BaseFolder) -> dict[str, Any]:
    """Return an index whose images are all there, as registries demand it."""
    document = base.manifest(base.index("amd64", "arm64"))
    document["manifests"] = document["manifests"][:2]
    return base.document(document, document["mediaType"])


def resolve(reference: str, cache: Path, processor: Processor = "x86_64") -> BaseImage:
    return resolve_base(reference, processor, cache, no_credentials)


@needs_registry
@pytest.mark.parametrize("kind", ["oci", "docker"])
@pytest.mark.parametrize("processor", ["x86_64", "arm64"])
def test_a_tag_is_resolved_to_the_platforms_image(
    shared: RegistryProcess, tmp_path: Path, kind: str, processor: Processor
) -> None:
    base = BaseFolder(tmp_path / "base", kind)
    entry = index_of(base)
    publish(base, shared.address, f"resolved/{kind}", "slim", entry)
    found = resolve(f"{shared.address}/resolved/{kind}:slim", tmp_path / "cache", processor)
    architecture = {"x86_64": "amd64", "arm64": "arm64"}[processor]
    assert found.manifest.digest == base.image(architecture)["digest"]
    assert found.config["architecture"] == architecture
    assert found.pinned == f"{shared.address}/resolved/{kind}:slim@{entry['digest']}"
    (layer,) = found.layers
    path = found.source.fetch(layer)
    assert path.read_bytes() == (base.blobs / layer.digest[7:]).read_bytes()
    assert path.parent == tmp_path / "cache" / "sha256"


@needs_registry
def test_what_is_pinned_and_kept_needs_no_network(
    shared: RegistryProcess, tmp_path: Path, proxy: Proxy
) -> None:
    base = BaseFolder(tmp_path / "base")
    publish(base, shared.address, "kept", "slim", index_of(base))
    first = resolve(f"{proxy.address}/kept:slim", tmp_path / "cache")
    first.source.fetch(first.layers[0])
    proxy.requests.clear()
    again = resolve(first.pinned, tmp_path / "cache")
    assert again.source.fetch(again.layers[0]) == first.source.fetch(first.layers[0])
    assert proxy.requests == []
    assert (again.manifest, again.config, again.layers) == (
        first.manifest,
        first.config,
        first.layers,
    )
    resolve(f"{proxy.address}/kept:slim", tmp_path / "cache")
    assert proxy.requests == [("GET", "/v2/kept/manifests/slim")]  # a tag may have been moved


@needs_registry
def test_a_pinned_image_is_found_wherever_its_tag_went(shared: RegistryProcess, tmp_path: Path) -> None:
    base = BaseFolder(tmp_path / "base")
    first, second = base.image(), base.image(author="b")
    publish(base, shared.address, "pinned", "slim", first)
    pinned = resolve(f"{shared.address}/pinned:slim", tmp_path / "cache").pinned
    publish(base, shared.address, "pinned", "slim", second)
    assert resolve(pinned, tmp_path / "other").manifest.digest == first["digest"]
    assert resolve(f"{shared.address}/pinned:slim", tmp_path / "other").manifest.digest == second["digest"]


@needs_registry
def test_what_is_kept_and_damaged_is_downloaded_again(
    shared: RegistryProcess, tmp_path: Path, proxy: Proxy
) -> None:
    base = BaseFolder(tmp_path / "base")
    entry = base.image()
    publish(base, shared.address, "damaged", "slim", entry)
    found = resolve(f"{proxy.address}/damaged:slim", tmp_path / "cache")
    found.source.fetch(found.layers[0])
    for path in (tmp_path / "cache" / "sha256").iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    again = resolve(found.pinned, tmp_path / "cache")
    assert (
        again.source.fetch(again.layers[0]).read_bytes()
        == (base.blobs / found.layers[0].digest[7:]).read_bytes()
    )
    assert (again.manifest.digest, again.config) == (found.manifest.digest, found.config)


@needs_registry
def test_a_download_that_breaks_off_is_begun_again(
    shared: RegistryProcess, tmp_path: Path, proxy: Proxy
) -> None:
    base = BaseFolder(tmp_path / "base")
    publish(base, shared.address, "broken", "slim", base.image())
    left: list[int | str] = ["cut", 503]
    proxy.fault = lambda _, path: left.pop() if "/blobs/" in path and left else None
    found = resolve(f"{proxy.address}/broken:slim", tmp_path / "cache")
    assert left == []
    assert found.source.fetch(found.layers[0]).is_file()


@needs_registry
def test_what_is_not_there_is_told(shared: RegistryProcess, tmp_path: Path) -> None:
    base = BaseFolder(tmp_path / "base")
    publish(base, shared.address, "there", "slim", base.image())
    hint = "Name a tag that is there, or push it first."
    lost = "sha256:" + "0" * 64
    for name, why in (
        ("there:fat", "fat (MANIFEST_UNKNOWN: manifest unknown)"),
        ("nowhere:slim", "slim (MANIFEST_UNKNOWN: manifest unknown)"),
        (f"there@{lost}", f"{lost} (MANIFEST_UNKNOWN: manifest unknown)"),
    ):
        with pytest.raises(LastmileError) as caught:
            resolve(f"{shared.address}/{name}", tmp_path / "cache")
        assert caught.value.message == f"{shared.address}/{name}: the registry has no {why}."
        assert caught.value.hint == hint
    with pytest.raises(LastmileError, match=r"has no image for linux/arm64; it has linux/amd64\."):
        resolve(f"{shared.address}/there:slim", tmp_path / "cache", "arm64")


def serve(base: BaseFolder, entry: dict[str, Any], **changed: bytes) -> Answers:
    """Return the answers of a registry with an image, some of its blobs changed."""
    manifest = base.manifest(entry)
    config, (layer,) = manifest["config"], manifest["layers"]
    parts = {"manifest": entry, "config": config, "layer": layer}
    content = {name: (base.blobs / part["digest"][7:]).read_bytes() for name, part in parts.items()} | changed
    kind = {"content-type": entry["mediaType"]}
    answers: Answers = {
        "/v2/a/manifests/1": (200, kind, content["manifest"]),
        f"/v2/a/manifests/{entry['digest']}": (200, kind, content["manifest"]),
    }
    for name in ("config", "layer"):
        answers[f"/v2/a/blobs/{parts[name]['digest']}"] = (200, {}, content[name])
    return answers


def test_what_a_registry_tampered_with_is_refused_and_not_kept(tmp_path: Path) -> None:
    base = BaseFolder(tmp_path / "base")
    entry = base.image()
    (layer,) = base.manifest(entry)["layers"]
    changed = b"x" * layer["size"]
    with answering(serve(base, entry, layer=changed)) as (address, _):
        found = resolve(f"{address}/a:1", tmp_path / "cache")
        with pytest.raises(LastmileError, match=rf": what should be {layer['digest']} is sha256:"):
            found.source.fetch(found.layers[0])
    assert not (tmp_path / "cache" / "sha256" / layer["digest"][7:]).exists()
    assert not list((tmp_path / "cache" / "sha256").glob(".*"))
    config = base.manifest(entry)["config"]
    with (
        answering(serve(base, entry, config=b"{}")) as (address, _),
        pytest.raises(LastmileError, match=rf": {config['digest']} has 2 bytes, but its descriptor says "),
    ):
        resolve(f"{address}/a:1", tmp_path / "other")
    other = json.dumps({"mediaType": "other"}).encode()
    match = rf": what should be {entry['digest']} is sha256:"
    with (
        answering(serve(base, entry, manifest=other)) as (address, _),
        pytest.raises(LastmileError, match=match),
    ):
        resolve(f"{address}/a@{entry['digest']}", tmp_path / "third")


def test_a_registry_that_does_not_tell_digests_is_asked_for_the_manifest(tmp_path: Path) -> None:
    """The header docker-content-digest is not required."""
    base = BaseFolder(tmp_path / "base")
    entry = base.image()
    with (
        answering(serve(base, entry)) as (address, asked),
        Repository(parse_registry_reference(f"{address}/a:1"), no_credentials) as repository,
    ):
        assert repository.manifest_digest("1") == entry["digest"]
    assert [method for method, _, _ in asked] == ["HEAD", "GET"]
