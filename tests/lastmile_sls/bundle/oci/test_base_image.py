"""Base images in folders: the platform's, verified and pinned; what cannot be built on is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.bundle.dependencies.environment import Processor
from lastmile_sls.bundle.oci.base_image import BaseImage, resolve_base
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.oci.bases import OCI, BaseFolder, no_credentials, sha256


@pytest.fixture
def base(tmp_path: Path) -> BaseFolder:
    return BaseFolder(tmp_path / "base")


def resolve(base: BaseFolder, tag: str = "", processor: Processor = "x86_64") -> BaseImage:
    cache = base.folder.parent / "cache"
    return resolve_base(f"oci:{base.folder}{tag}", processor, cache, no_credentials)


def refused(base: BaseFolder, tag: str = "", processor: Processor = "x86_64") -> tuple[str, str]:
    with pytest.raises(LastmileError) as caught:
        resolve(base, tag, processor)
    return caught.value.message, caught.value.hint


@pytest.mark.parametrize("kind", ["oci", "docker"])
@pytest.mark.parametrize(("processor", "architecture"), [("x86_64", "amd64"), ("arm64", "arm64")])
def test_the_platforms_image_of_an_index_is_found(
    tmp_path: Path, kind: str, processor: Processor, architecture: str
) -> None:
    base = BaseFolder(tmp_path / "base", kind)
    digest = base.tag(base.index("amd64", "arm64"), "slim")
    found = resolve(base, ":slim", processor)
    expected = base.image(architecture)
    assert found.manifest.digest == expected["digest"]
    assert found.config["architecture"] == architecture
    (layer,) = base.manifest(expected)["layers"]
    assert [each.document for each in found.layers] == [layer]
    assert found.source.fetch(found.layers[0]) == base.blobs / layer["digest"][7:]
    assert found.pinned == f"oci:{base.folder}:slim@{digest}"


def test_a_pinned_image_is_found_wherever_its_tag_went(base: BaseFolder) -> None:
    first = base.image()
    base.tag(first, "slim")
    pinned = resolve(base, ":slim").pinned
    base.entries.clear()
    base.tag(base.image(author="b"), "slim")
    found = resolve_base(pinned, "x86_64", base.folder / "cache", no_credentials)
    assert found.manifest.digest == first["digest"] != resolve(base, ":slim").manifest.digest


def test_a_missing_platform_is_told_with_those_that_there_are(base: BaseFolder) -> None:
    digest = base.tag(base.index("arm64", "s390x"), "slim")
    told = (
        f"oci:{base.folder}:slim@{digest} has no image for linux/amd64; it has linux/arm64/v8, linux/s390x."
    )
    assert refused(base, ":slim") == (told, "Name another base image.")


def test_an_image_for_another_platform_is_told(base: BaseFolder) -> None:
    digest = base.tag(base.image("arm64"), "slim")
    told = f"oci:{base.folder}:slim@{digest} has no image for linux/amd64; it has linux/arm64."
    assert refused(base, ":slim") == (told, "Name another base image.")


def each_blob(base: BaseFolder) -> list[tuple[str, str]]:
    """Name the blobs that an image consists of, in the order in which they are read."""
    index = base.index("amd64", "arm64")
    base.tag(index, "slim")
    manifest = base.image("amd64")
    config = base.manifest(manifest)["config"]
    (layer,) = base.manifest(manifest)["layers"]
    parts = {"index": index, "manifest": manifest, "config": config, "layer": layer}
    return [(name, part["digest"]) for name, part in parts.items()]


@pytest.mark.parametrize("part", ["index", "manifest", "config", "layer"])
def test_a_tampered_blob_is_refused(base: BaseFolder, part: str) -> None:
    digest = dict(each_blob(base))[part]
    path = base.blobs / digest[7:]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    message, hint = refused(base, ":slim")
    assert message.endswith(f": what should be {digest} is {sha256(bytes(content))}.")
    assert hint == "It was changed or damaged: fetch or make it again."


@pytest.mark.parametrize("part", ["manifest", "config", "layer"])
def test_a_missing_blob_is_told(base: BaseFolder, part: str) -> None:
    digest = dict(each_blob(base))[part]
    (base.blobs / digest[7:]).unlink()
    message, _ = refused(base, ":slim")
    assert message.endswith(f" lacks the blob {digest}.")


def test_a_manifest_that_does_not_say_what_it_is_is_read(base: BaseFolder) -> None:
    entry = base.image()
    manifest = base.manifest(entry)
    del manifest["mediaType"]
    digest = base.tag({**base.document(manifest, ""), "platform": entry["platform"]}, "slim")
    assert resolve(base, ":slim").manifest.digest == digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mediaType": "text/plain"}, "{} is no image, but text/plain."),
        ({"config": None}, "{} has a descriptor without mediaType, digest or size."),
        (
            {"config": {"mediaType": "application/vnd.cncf.helm.config.v1+json"}},
            "{} is no image, but application/vnd.cncf.helm.config.v1+json.",
        ),
        ({"layers": None}, "{} has no list of descriptors where one should be."),
        ({"layers": []}, "{}: its config does not name as many layers as its manifest, 0."),
        (
            {"layers": [{"mediaType": f"{OCI}.layer.nondistributable.v1.tar"}]},
            f"{{}} has a layer of the type {OCI}.layer.nondistributable.v1.tar, which cannot be carried over.",
        ),
    ],
)
def test_what_cannot_be_built_on_is_refused(base: BaseFolder, change: dict[str, Any], message: str) -> None:
    entry = base.image()
    manifest = base.manifest(entry)
    match change:
        case {"config": dict(config)}:
            change = {"config": {**manifest["config"], **config}}
        case {"layers": [layer]}:
            change = {"layers": [{**manifest["layers"][0], **layer}]}
    digest = base.tag(base.document({**manifest, **change}, entry["mediaType"]), "slim")
    assert refused(base, ":slim")[0] == message.format(f"oci:{base.folder}:slim@{digest}")


def test_a_manifest_of_nothing_is_refused(base: BaseFolder) -> None:
    digest = base.tag(base.document({"fsLayers": []}, ""), "slim")
    name = f"oci:{base.folder}:slim@{digest}"
    assert refused(base, ":slim") == (f"{name} is no image, but something else.", "Name a container image.")


@pytest.mark.parametrize("rootfs", [None, {}, {"diff_ids": "x"}])
def test_a_config_without_diff_ids_is_refused(base: BaseFolder, rootfs: object) -> None:
    digest = base.tag(base.image(rootfs=rootfs), "slim")
    told = f"oci:{base.folder}:slim@{digest}: its config does not name as many layers as its manifest, 1."
    assert refused(base, ":slim")[0] == told


@pytest.mark.parametrize("config", [["x"], {"Env": "A=b"}, {"Labels": ["x"]}, {"ExposedPorts": [80]}])
def test_a_config_of_another_form_is_refused(base: BaseFolder, config: object) -> None:
    digest = base.tag(base.image(config=config), "slim")
    told = f"oci:{base.folder}:slim@{digest}: its config is not as the image specification says."
    assert refused(base, ":slim") == (told, "Name another base image.")


def test_what_is_no_json_is_refused(base: BaseFolder) -> None:
    digest = base.tag(base.blob(json.dumps([1]).encode(), f"{OCI}.manifest.v1+json"), "slim")
    assert refused(base, ":slim")[0] == f"oci:{base.folder}:slim@{digest} is not a JSON object."
