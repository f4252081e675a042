"""Images of built bundles: on a base that the lock pins, in layers, the same each time, pushed to a registry."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.build.prepare import Prepared, prepare
from lastmile_sls.build.push import push_images
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.build.projects import make_environ, make_folder, needing, train, write
from tests.lastmile_sls.bundle.oci.bases import BaseFolder
from tests.lastmile_sls.bundle.oci.registries import needs_registry, registry


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = make_folder(tmp_path / "work")
    base = BaseFolder(made / "base")
    base.tag(base.image())
    return made


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return make_environ(tmp_path)


def image(prepared: Prepared) -> tuple[dict[str, Any], dict[str, Any], list[tuple[str, set[str]]]]:
    """Return an image's manifest and config, and the files of each layer of ours with what its history calls it."""
    blobs = prepared.program.folder / prepared.packages["predict"] / "blobs/sha256"

    def blob(digest: str) -> Path:
        return blobs / digest.removeprefix("sha256:")

    index = json.loads((blobs.parents[1] / "index.json").read_text())
    manifest = json.loads(blob(index["manifests"][0]["digest"]).read_text())
    config = json.loads(blob(manifest["config"]["digest"]).read_text())
    layers = []
    for entry in manifest["layers"]:
        if blob(entry["digest"]).exists():  # the base's own are where the base is
            with tarfile.open(blob(entry["digest"])) as tar:
                layers.append((entry["digest"], {member.name for member in tar if member.isfile()}))
    return manifest, config, layers


def test_an_image_for_cloud_run(folder: Path, environ: dict[str, str]) -> None:
    spec = needing("abacus==1.0", targets={"gcp": {"base_image": "oci:base"}})
    prepared = prepare(write(folder, **spec), "gcp", environ)
    _, config, layers = image(prepared)
    assert config["config"]["Entrypoint"] == ["python3", "-m", "lastmile_runtime.adapters.gcp"]
    assert config["config"]["WorkingDir"] == "/app"
    assert (
        f"LASTMILE_MANIFEST_DIGEST={prepared.plan['functions'][0]['bundle']['digest']}"
        in config["config"]["Env"]
    )
    assert "LANG=C.UTF-8" in config["config"]["Env"]  # the base's stays
    packages, runtime, model = (names for _, names in layers)
    assert "app/libraries/abacus/__init__.py" in packages
    assert {name.split("/")[1] for name in runtime} == {"lastmile_runtime"}
    assert "app/manifest.json" in model
    there = {f"app/{path.relative_to(prepared.bundle('predict')).as_posix()}"
             for path in prepared.bundle("predict").rglob("*") if path.is_file()}  # fmt: skip
    assert packages | runtime | model == there
    assert '[[base]]\nreference = "oci:base"\ndigest = "sha256:' in (folder / "lastmile.lock").read_text()


def test_a_changed_model_changes_its_layer_alone(folder: Path, environ: dict[str, str]) -> None:
    spec = {"targets": {"gcp": {"base_image": "oci:base"}}}
    _, _, before = image(prepare(write(folder, **spec), "gcp", environ))
    train(folder, 2)
    _, _, after = image(prepare(write(folder, **spec), "gcp", environ))
    assert [one == other for (one, _), (other, _) in zip(before, after, strict=True)] == [True, False]


def test_lambda_starts_the_handler(folder: Path, environ: dict[str, str]) -> None:
    spec = {
        "targets": {"aws": {"package": "image", "base_image": "oci:base"}},
        "resources": {"processor": "x86_64"},
    }
    _, config, layers = image(prepare(write(folder, **spec), "aws", environ))
    assert config["config"]["Cmd"] == ["lastmile_runtime.adapters.aws.handler"]
    assert all(name.startswith("var/task/") for _, names in layers for name in names)


def test_the_base_is_the_one_that_was_locked(folder: Path, environ: dict[str, str]) -> None:
    spec = {"targets": {"gcp": {"base_image": "oci:base"}}}
    prepare(write(folder, **spec), "gcp", environ)
    locked = (folder / "lastmile.lock").read_text()
    shutil.rmtree(folder / "base")
    base = BaseFolder(folder / "base")
    base.tag(base.image(files={"etc/other": b"1"}))
    with pytest.raises(LastmileError, match="sha256:") as refused:
        prepare(write(folder, environment="prod", **spec), "gcp", environ)
    assert "oci:" in str(refused.value)
    assert (folder / "lastmile.lock").read_text() == locked


BUILD = """
import os
from pathlib import Path
from lastmile_sls.build.prepare import prepare
prepare(Path("lastmile.yaml"), "gcp", os.environ)
"""


def test_the_same_bytes_in_another_folder(folder: Path, environ: dict[str, str], tmp_path: Path) -> None:
    spec = needing("abacus==1.0", targets={"gcp": {"base_image": "oci:base"}})
    prepared = prepare(write(folder, **spec), "gcp", environ)
    other = tmp_path / "other"
    subprocess.run(["cp", "-r", str(folder), str(other)], check=True)
    subprocess.run(["rm", "-r", str(other / ".lastmile")], check=True)
    variables = {**environ, "LASTMILE_CACHE": str(tmp_path / "cache2")}
    subprocess.run([sys.executable, "-c", BUILD], cwd=other, env=variables, check=True, umask=0o077)
    found = [
        (root / ".lastmile/dev-gcp/bundles/predict.image/index.json").read_bytes() for root in (folder, other)
    ]
    assert found[0] == found[1]
    assert prepared.packages == {"predict": "bundles/predict.image"}


@needs_registry
def test_images_are_pushed(folder: Path, environ: dict[str, str], tmp_path: Path) -> None:
    spec = {"targets": {"gcp": {"base_image": "oci:base"}}}
    path = write(folder, **spec)
    prepared = prepare(path, "gcp", environ)
    manifest, _, _ = image(prepared)
    with registry(tmp_path / "registry") as server:
        pushed = push_images(prepared, path, f"{server.address}/models", environ)
        again = push_images(prepared, path, f"{server.address}/models", environ)
    digest = prepared.plan["functions"][0]["bundle"]["digest"]
    index = json.loads((prepared.program.folder / "bundles/predict.image/index.json").read_text())
    built = index["manifests"][0]["digest"]
    assert pushed == {"predict": f"{server.address}/models/predict:{digest[7:19]}@{built}"}
    assert again == pushed
    assert len(manifest["layers"]) >= 2


def test_without_its_base_nothing_is_built(folder: Path, environ: dict[str, str]) -> None:
    told: list[str] = []
    with pytest.raises(LastmileError, match=r"nowhere: there is no such folder\.") as refused:
        prepare(
            write(folder, targets={"gcp": {"base_image": "oci:nowhere"}}), "gcp", environ, tell=told.append
        )
    assert refused.value.hint == "Make it, or correct its name."
    assert told == ["looking for the base image oci:nowhere"]
    assert not (folder / ".lastmile/dev-gcp").exists()


def test_what_is_no_image_is_not_pushed(folder: Path, environ: dict[str, str]) -> None:
    path = write(folder)
    for target, told in (("aws", "aws takes zip"), ("local", "local takes a folder")):
        prepared = prepare(path, target, environ)  # type: ignore[arg-type]
        with pytest.raises(LastmileError, match=f"^there is no image to push: {told}"):
            push_images(prepared, path, "localhost:1/a", environ)
