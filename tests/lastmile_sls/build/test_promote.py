"""What was built and tried in one environment goes to another as it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lastmile_sls.build.prepare import Prepared, prepare
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Target
from tests.lastmile_sls.build.projects import make_environ, make_folder, train, write

AWS = {"targets": {"aws": {"region": "eu-west-1"}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "work")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return make_environ(tmp_path)


def built(folder: Path, environ: dict[str, str], target: Target = "aws", **changes: object) -> Prepared:
    return prepare(write(folder, **{**AWS, **changes}), target, environ)


def promoted(folder: Path, environ: dict[str, str], target: Target = "aws") -> Prepared:
    path = folder / "lastmile.yaml"
    return prepare(path, target, environ, environment="prod", bundles_of="dev")


@pytest.mark.parametrize("target", ["local", "aws"])
def test_the_same_bytes_with_other_names_and_tags(
    folder: Path, environ: dict[str, str], target: Target
) -> None:
    dev = built(folder, environ, target)
    train(folder, 1)  # a build would now give other bytes
    told: list[str] = []
    path = folder / "lastmile.yaml"
    prod = prepare(path, target, environ, environment="prod", bundles_of="dev", tell=told.append)
    assert told == ["taking the bundles of dev"]
    assert prod.plan["stack"] == f"prod-{target}"
    assert prod.plan["deployment"] == "m-prod"
    assert prod.plan["tags"]["environment"] == "prod"
    assert prod.plan["functions"][0]["bundle"] == dev.plan["functions"][0]["bundle"]
    for name in ("bundles/predict/manifest.json", *dev.packages.values()):
        assert (prod.program.folder / name).read_bytes() == (dev.program.folder / name).read_bytes()
    documents = "bundles/predict.trust/provenance.json"
    assert (prod.program.folder / documents).read_bytes() == (dev.program.folder / documents).read_bytes()
    assert (prod.program.folder / "Pulumi.yaml").exists()
    assert json.loads((prod.program.folder / "plan.json").read_text()) == prod.plan


def test_promoting_again_is_the_same(folder: Path, environ: dict[str, str]) -> None:
    built(folder, environ)
    first = promoted(folder, environ)
    assert promoted(folder, environ).plan == first.plan


def test_without_promoting_the_environment_is_built(folder: Path, environ: dict[str, str]) -> None:
    dev = built(folder, environ)
    promoted(folder, environ)
    train(folder, 1)
    prod = prepare(folder / "lastmile.yaml", "aws", environ, environment="prod")
    assert prod.plan["functions"][0]["bundle"]["digest"] != dev.plan["functions"][0]["bundle"]["digest"]


def test_what_was_not_built_cannot_be_promoted(folder: Path, environ: dict[str, str]) -> None:
    write(folder, **AWS)
    with pytest.raises(LastmileError) as caught:
        promoted(folder, environ)
    record = folder / ".lastmile" / "dev-aws" / "build.json"
    assert caught.value.message == f"there is nothing to promote: {record} is not there."
    assert caught.value.hint == "Build it first: lastmile build --target aws"


@pytest.mark.parametrize("name", ["bundles/predict/manifest.json", "bundles/predict.zip"])
def test_a_changed_byte_is_not_promoted(folder: Path, environ: dict[str, str], name: str) -> None:
    dev = built(folder, environ)
    path = dev.program.folder / name
    content = path.read_bytes()
    path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    with pytest.raises(LastmileError, match=r"is not what was built: ") as caught:
        promoted(folder, environ)
    assert caught.value.hint == "Build and try it there again, then promote it."
    assert not (folder / ".lastmile" / "prod-aws" / "plan.json").exists()


def test_other_versions_are_not_promoted(folder: Path, environ: dict[str, str]) -> None:
    dev = built(folder, environ)
    shutil.copy(folder / "tree.joblib", folder / "other.joblib")
    versions = [
        {"id": id_, "artifact": f"{name}.joblib", "framework": "sklearn"}
        for id_, name in (("v1", "tree"), ("v2", "other"))
    ]
    write(folder, **AWS, versions=versions, traffic={"champion": "v1"})
    with pytest.raises(LastmileError) as caught:
        promoted(folder, environ)
    told = f"{dev.program.folder} was built from the versions v1, but the spec has v1, v2."
    assert caught.value.message == told
