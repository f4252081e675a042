"""What an image says of itself: the base's settings with ours on top, and nothing of the day or the place."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from lastmile_sls.bundle.oci.base_image import BaseImage, resolve_base
from lastmile_sls.bundle.oci.descriptor import Descriptor
from lastmile_sls.bundle.oci.image_config import ImageConfig, config_document, manifest_document
from lastmile_sls.bundle.oci.layer import Layer, make_layer
from tests.lastmile_sls.bundle.oci.bases import RUN, BaseFolder, no_credentials


def make_base(folder: Path, kind: str = "oci", architecture: str = "amd64", **config: Any) -> BaseImage:
    base = BaseFolder(folder / "base", kind)
    base.tag(base.image(architecture, **config))
    processor = "x86_64" if architecture == "amd64" else "arm64"
    return resolve_base(f"oci:{base.folder}", processor, folder / "cache", no_credentials)  # type: ignore[arg-type]


@pytest.fixture
def layer(tmp_path: Path) -> Layer:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "model").write_text("model")
    return make_layer(tmp_path / "source", PurePosixPath("/opt/app"), tmp_path / "layers", name="model")


def test_the_base_is_kept_and_ours_wins(tmp_path: Path, layer: Layer) -> None:
    base = make_base(tmp_path, config={**RUN, "ExposedPorts": {"53/udp": {}}, "StopSignal": "SIGINT"})
    config = ImageConfig(
        entrypoint=["python", "-m", "x"],
        environment={"PORT": "8080", "LANG": "C", "A": "=1"},
        working_directory="/opt/app",
        labels={"mine": "1"},
        ports=[8080],
    )
    found = config_document(base, [layer], config)
    assert found == {
        "created": "1970-01-01T00:00:00Z",
        "os": "linux",
        "architecture": "amd64",
        "config": {
            "Entrypoint": ["python", "-m", "x"],
            "Env": ["PATH=/usr/bin:/bin", "LANG=C", "A==1", "PORT=8080"],
            "ExposedPorts": {"53/udp": {}, "8080/tcp": {}},
            "Labels": {"made": "by hand", "mine": "1"},
            "StopSignal": "SIGINT",
            "User": "65532:65532",
            "WorkingDir": "/opt/app",
        },
        "rootfs": {"type": "layers", "diff_ids": [*base.config["rootfs"]["diff_ids"], layer.diff_id]},
        "history": [
            {"created_by": "ADD rootfs"},
            {"created_by": "CMD sh", "empty_layer": True},
            {"created": "1970-01-01T00:00:00Z", "created_by": "lastmile", "comment": "model"},
        ],
    }


def test_what_is_not_given_is_the_bases(tmp_path: Path, layer: Layer) -> None:
    base = make_base(tmp_path, config={"User": "web", "Entrypoint": ["/run"], "Cmd": ["a"]})
    found = config_document(base, [layer], ImageConfig(user=None))["config"]
    assert found == {"User": "web", "Entrypoint": ["/run"], "Cmd": ["a"]}
    found = config_document(base, [layer], ImageConfig(command=["b"]))["config"]
    assert found == {"User": "65532:65532", "Entrypoint": ["/run"], "Cmd": ["b"]}
    found = config_document(base, [layer], ImageConfig(entrypoint=["/other"], command=["c"]))["config"]
    assert found == {"User": "65532:65532", "Entrypoint": ["/other"], "Cmd": ["c"]}


@pytest.mark.parametrize("config", [None, {}, {"Env": None, "Labels": None, "ExposedPorts": None}])
def test_a_base_that_says_nothing(tmp_path: Path, layer: Layer, config: dict[str, Any] | None) -> None:
    found = config_document(make_base(tmp_path, config=config), [layer], ImageConfig())
    assert found["config"] == {"User": "65532:65532"}


def test_the_variant_of_the_processor_is_kept(tmp_path: Path, layer: Layer) -> None:
    found = config_document(make_base(tmp_path, architecture="arm64", variant="v8"), [layer], ImageConfig())
    assert (found["architecture"], found["variant"]) == ("arm64", "v8")


@pytest.mark.parametrize("history", [None, [], [{"empty_layer": True}], [{}, {}]])
def test_a_history_that_does_not_go_with_the_layers_is_replaced(
    tmp_path: Path, layer: Layer, history: object
) -> None:
    found = config_document(make_base(tmp_path, history=history), [layer], ImageConfig())["history"]
    assert [entry["comment"] for entry in found] == ["base", "model"]


@pytest.mark.parametrize("name", ["", "A=B"])
def test_a_name_that_is_none_is_a_bug_of_the_callers(tmp_path: Path, layer: Layer, name: str) -> None:
    with pytest.raises(ValueError, match="is no name of an environment variable"):
        config_document(make_base(tmp_path), [layer], ImageConfig(environment={name: "x"}))


def test_dockers_layers_are_ocis_in_the_manifest(tmp_path: Path, layer: Layer) -> None:
    base = make_base(tmp_path, "docker")
    config = Descriptor("application/vnd.oci.image.config.v1+json", "sha256:" + "0" * 64, 2)
    found = manifest_document(base, [layer], config)
    gzip_type = "application/vnd.oci.image.layer.v1.tar+gzip"
    assert found == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config.document,
        "layers": [{**base.layers[0].document, "mediaType": gzip_type}, layer.descriptor.document],
        "annotations": {"org.opencontainers.image.base.digest": base.manifest.digest},
    }
