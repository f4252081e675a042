"""What `lastmile build` wrote is read back: its own layers there, its base's where the manifest or we say."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.bundle.oci.image import assemble
from lastmile_sls.bundle.oci.image_config import ImageConfig
from lastmile_sls.bundle.oci.reference import LayoutReference, RegistryReference
from lastmile_sls.delivery.stored_image import bundle_of, read_image
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.oci.bases import no_credentials
from tests.lastmile_sls.bundle.oci.images import folder_base
from tests.lastmile_sls.bundle.oci.registries import RegistryProcess, needs_registry
from tests.lastmile_sls.delivery.built import build_image, registry_base


@needs_registry
def test_a_base_in_a_registry_is_found_by_the_manifest(shared: RegistryProcess, tmp_path: Path) -> None:
    base = registry_base(tmp_path / "base", shared.address, tmp_path / "cache", "stored/base")
    built = build_image(tmp_path, base, "stored")
    lines: list[str] = []
    image = read_image(Path(built["source"]), tmp_path / "cache", no_credentials, tell=lines.append)
    assert bundle_of(image) == built["digest"]
    expected = RegistryReference(shared.address, "stored/base", "1", base.manifest.digest)
    assert image.base.reference == expected
    assert image.names == (*("base" for _ in base.layers), "own")
    for layer in image.layers:
        assert image.fetch(layer).stat().st_size == layer.size
    assert len(lines) == len(base.layers)
    assert all(line.endswith(f"of {expected.name}") for line in lines)


def test_a_base_in_a_folder_is_found_by_what_we_say(tmp_path: Path) -> None:
    base = folder_base(tmp_path)
    built = build_image(tmp_path, base, "stored")
    image = read_image(Path(built["source"]), tmp_path / "cache", no_credentials, base.pinned)
    assert isinstance(image.base.reference, LayoutReference)
    assert [image.fetch(layer).stat().st_size for layer in image.layers] == [
        layer.size for layer in image.layers
    ]


def test_an_image_that_is_whole_needs_no_base(tmp_path: Path) -> None:
    base = folder_base(tmp_path)
    made = assemble(base, [], ImageConfig(), tmp_path / "whole", complete=True)
    image = read_image(tmp_path / "whole", tmp_path / "cache", no_credentials)
    assert (image.manifest.digest, image.config.digest) == (made.digest, made.config.digest)
    assert image.base.layers == ()
    assert bundle_of(image) is None


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(LastmileError) as caught:
        read_image(tmp_path / "none", tmp_path / "cache", no_credentials)
    assert caught.value.message == f"{tmp_path / 'none'}: there is no such folder."


def test_a_config_that_was_changed_is_told(tmp_path: Path) -> None:
    made = assemble(folder_base(tmp_path), [], ImageConfig(), tmp_path / "whole", complete=True)
    made.fetch(made.config).write_text("{}")
    with pytest.raises(LastmileError) as caught:
        read_image(tmp_path / "whole", tmp_path / "cache", no_credentials)
    assert f"{made.config.digest} has 2 bytes" in caught.value.message
