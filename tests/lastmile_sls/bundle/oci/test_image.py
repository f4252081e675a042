"""An image on disk: the same bytes from the same inputs, whole or not there."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from lastmile_sls.bundle.oci.base_image import BaseImage, resolve_base
from lastmile_sls.bundle.oci.image import Image, assemble
from lastmile_sls.bundle.oci.image_config import ImageConfig
from lastmile_sls.bundle.oci.layer import Layer, make_layer
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.oci.bases import BaseFolder, no_credentials

CONFIG = ImageConfig(command=["serve"], environment={"B": "2", "A": "1"}, labels={"b": "2", "a": "1"})


@pytest.fixture
def base(tmp_path: Path) -> BaseImage:
    folder = BaseFolder(tmp_path / "base")
    folder.tag(folder.image())
    return resolve_base(f"oci:{folder.folder}", "x86_64", tmp_path / "cache", no_credentials)


@pytest.fixture
def layers(tmp_path: Path) -> list[Layer]:
    (tmp_path / "source").mkdir()
    for name in ("runtime", "model"):
        (tmp_path / "source" / name).write_text(name)
    return [
        make_layer(
            tmp_path / "source", PurePosixPath("/opt/app"), tmp_path / "layers", files=[name], name=name
        )
        for name in ("runtime", "model")
    ]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_folder_is_a_layout(base: BaseImage, layers: list[Layer], tmp_path: Path) -> None:
    image = assemble(base, layers, CONFIG, tmp_path / "a" / "image", tag="v1")
    found = contents(image.folder)
    assert json.loads(found.pop("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
    assert json.loads(found.pop("index.json")) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                **image.manifest.document,
                "platform": {"os": "linux", "architecture": "amd64"},
                "annotations": {"org.opencontainers.image.ref.name": "v1"},
            }
        ],
    }
    for path, content in found.items():
        assert path == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    ours = {image.manifest.digest, image.config.digest, *(layer.digest for layer in layers)}
    assert {f"sha256:{path.rpartition('/')[2]}" for path in found} == ours
    manifest = json.loads(image.fetch(image.manifest).read_bytes())
    assert manifest["config"] == image.config.document
    assert [layer["digest"] for layer in manifest["layers"]] == [layer.digest for layer in image.layers]
    assert image.names == ("base", "runtime", "model")
    assert image.digest == image.manifest.digest


def test_blobs_of_the_base_are_where_the_base_is_unless_it_is_complete(
    base: BaseImage, layers: list[Layer], tmp_path: Path
) -> None:
    light, whole = (
        assemble(base, layers, CONFIG, tmp_path / name, complete=name == "whole")
        for name in ("light", "whole")
    )
    for image in (light, whole):
        for descriptor in (*image.layers, image.config, image.manifest):
            path = image.fetch(descriptor)
            assert f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" == descriptor.digest
            inside = path.is_relative_to(image.folder)
            assert inside == (image is whole or descriptor not in base.layers)
    assert light.digest == whole.digest


def test_a_whole_image_is_a_base_itself(base: BaseImage, layers: list[Layer], tmp_path: Path) -> None:
    first = assemble(base, layers, CONFIG, tmp_path / "first", complete=True)
    found = resolve_base(f"oci:{tmp_path / 'first'}", "x86_64", tmp_path / "cache", no_credentials)
    assert (found.manifest, found.layers) == (first.manifest, first.layers)
    second = assemble(found, layers[1:], ImageConfig(), tmp_path / "second", complete=True)
    expected = [*first.layers, layers[1].descriptor]
    assert list(second.layers) == expected


def build(base: BaseImage, layers: list[Layer], folder: Path, config: ImageConfig = CONFIG) -> Image:
    return assemble(base, layers, config, folder)


def test_the_same_inputs_give_the_same_bytes(base: BaseImage, layers: list[Layer], tmp_path: Path) -> None:
    first = build(base, layers, tmp_path / "first")
    before = os.umask(0o077)
    try:
        turned = ImageConfig(command=["serve"], environment={"A": "1", "B": "2"}, labels={"a": "1", "b": "2"})
        second = build(base, layers, tmp_path / "second", turned)
    finally:
        os.umask(before)
    assert contents(first.folder) == contents(second.folder)
    assert build(base, layers[::-1], tmp_path / "third").digest != first.digest


def test_a_base_elsewhere_is_the_same_base(base: BaseImage, layers: list[Layer], tmp_path: Path) -> None:
    first = build(base, layers, tmp_path / "first")
    (tmp_path / "base").rename(tmp_path / "moved")
    moved = resolve_base(f"oci:{tmp_path / 'moved'}", "x86_64", tmp_path / "cache", no_credentials)
    assert build(moved, layers, tmp_path / "second").digest == first.digest


def test_a_folder_that_exists_is_not_touched(base: BaseImage, layers: list[Layer], tmp_path: Path) -> None:
    (tmp_path / "image").mkdir()
    with pytest.raises(LastmileError) as caught:
        build(base, layers, tmp_path / "image")
    told = f"{tmp_path / 'image'} exists.", "Remove it, or name another folder."
    assert (caught.value.message, caught.value.hint) == told


def test_what_cannot_be_written_is_told_and_leaves_nothing(
    base: BaseImage, layers: list[Layer], tmp_path: Path
) -> None:
    layers[0].path.unlink()
    before = set(tmp_path.iterdir())
    with pytest.raises(LastmileError) as caught:
        build(base, layers, tmp_path / "image")
    assert caught.value.message == f"{tmp_path / 'image'} could not be written: No such file or directory."
    assert set(tmp_path.iterdir()) == before


def test_building_needs_no_network_code(tmp_path: Path) -> None:
    """Importing HTTP and TLS takes longer than packing a small model."""
    script = """
import sys
import lastmile_sls.bundle.oci.base_image, lastmile_sls.bundle.oci.image, lastmile_sls.bundle.oci.layer
print(sorted({"http.client", "ssl", "urllib.request"} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
