"""The Pulumi project on disk: complete, constant, and nothing in it that is not needed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import yaml

from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.cloud import Built
from lastmile_sls.plan.document import read
from lastmile_sls.plan.grouping import ROUTER, group_versions
from lastmile_sls.plan.make import bundle_path, make_plan
from lastmile_sls.program.write import write_bootstrap, write_program
from tests.lastmile_sls.bootstrap.plans import bootstrap_plan
from tests.lastmile_sls.specs import make_spec

PLAN = make_plan(
    make_spec(), "local", group_versions(make_spec(), {}), {ROUTER: Built("sha256:" + "ab" * 32)}
)
BUNDLE_PATH = bundle_path(ROUTER)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "bundle")


def make_bundle(folder: Path) -> Path:
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    (folder / "model").write_text("weights")
    return folder


def test_the_whole_project(tmp_path: Path, bundle: Path) -> None:
    folder = tmp_path / "project"
    program = write_program(PLAN, {BUNDLE_PATH: bundle}, folder)
    assert (program.folder, program.project, program.stack) == (folder, "churn", "dev-local")
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert files == [
        "Pulumi.yaml",
        "__main__.py",
        "bundles/predict/manifest.json",
        "bundles/predict/model",
        "plan.json",
    ]
    assert read(folder / "plan.json") == PLAN
    settings = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    scripts = Path(sys.executable).parent
    assert settings == {
        "name": "churn",
        "description": "churn on local, written by lastmile",
        "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}},
        "plugins": {"providers": [{"name": "lastmile", "path": str(scripts)}]},
    }


def test_a_project_beside_its_virtual_environment_has_no_absolute_path(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    folder = tmp_path / "a" / "project"
    write_program(PLAN, {BUNDLE_PATH: bundle}, folder)
    settings = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    assert settings["runtime"]["options"] == {"virtualenv": "../../.venv"}
    assert settings["plugins"]["providers"] == [{"name": "lastmile", "path": "../../.venv/bin"}]


def test_writing_again_touches_nothing(tmp_path: Path, bundle: Path) -> None:
    folder = tmp_path / "project"
    write_program(PLAN, {BUNDLE_PATH: bundle}, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    write_program(PLAN, {BUNDLE_PATH: make_bundle(tmp_path / "again")}, folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_changed_bundle_replaces_the_old_one(tmp_path: Path, bundle: Path) -> None:
    folder = tmp_path / "project"
    write_program(PLAN, {BUNDLE_PATH: bundle}, folder)
    other = make_bundle(tmp_path / "other")
    (other / "manifest.json").write_text('{"other": 1}')
    (other / "model").rename(other / "other")
    write_program(PLAN, {BUNDLE_PATH: other}, folder)
    assert sorted(path.name for path in (folder / BUNDLE_PATH).iterdir()) == ["manifest.json", "other"]
    assert [path.name for path in (folder / BUNDLE_PATH).parent.iterdir()] == [Path(BUNDLE_PATH).name]


def test_a_bundle_that_lost_a_file_is_put_in_its_place_again(tmp_path: Path, bundle: Path) -> None:
    folder = tmp_path / "project"
    write_program(PLAN, {BUNDLE_PATH: bundle}, folder)
    (folder / BUNDLE_PATH / "model").unlink()
    write_program(PLAN, {BUNDLE_PATH: make_bundle(tmp_path / "again")}, folder)
    assert (folder / BUNDLE_PATH / "model").read_text() == "weights"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path, bundle: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(LastmileError, match="could not be written: Permission denied"):
        write_program(PLAN, {BUNDLE_PATH: bundle}, tmp_path / "project")


def test_a_file_in_the_way(tmp_path: Path, bundle: Path) -> None:
    (tmp_path / "project").write_text("")
    with pytest.raises(
        LastmileError, match=r"the Pulumi project in .*project could not be written: File exists\."
    ):
        write_program(PLAN, {BUNDLE_PATH: bundle}, tmp_path / "project")


def test_the_project_of_an_account(tmp_path: Path) -> None:
    plan = bootstrap_plan("gcp")
    folder = tmp_path / "project"
    program = write_bootstrap(plan, folder)
    assert (program.project, program.stack) == ("lastmile-bootstrap", "gcp-a-project")
    assert sorted(path.name for path in folder.iterdir()) == ["Pulumi.yaml", "__main__.py", "plan.json"]
    settings = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    assert settings == {
        "name": "lastmile-bootstrap",
        "description": "what the models in a-project on gcp share, written by lastmile",
        "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}},
    }
    write_bootstrap({**plan, "backend": "gs://state"}, folder)
    assert yaml.safe_load((folder / "Pulumi.yaml").read_text())["backend"] == {"url": "gs://state"}
    (tmp_path / "file").write_text("")
    with pytest.raises(LastmileError, match=r"could not be written: File exists\."):
        write_bootstrap(plan, tmp_path / "file")
