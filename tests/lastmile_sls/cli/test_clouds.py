"""The commands on a cloud, as a user types them: previewed offline, and deployed with providers that play the cloud."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls import deploy
from lastmile_sls.cli.destroy import show_what_goes
from lastmile_sls.engine.interface import Standing
from lastmile_sls.errors import LastmileError
from tests.clouds.sdk_types import PACKAGES
from tests.clouds.world import VARIABLE
from tests.lastmile_sls.commands import Workspace

ROOT = Path(__file__).parents[3]
ONE = [{"id": "v1", "artifact": "doubler.py", "framework": "python", "entry": "Doubler"}]
CONTRACT = {
    "inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 2]}],
    "outputs": [{"name": "doubled", "datatype": "FP64", "shape": [-1, 2]}],
}
AWS = {"versions": ONE, "traffic": None, "contract": CONTRACT, "targets": {"aws": {"region": "eu-west-1"}}}


def test_a_preview_needs_no_cli_account_or_network(work: Workspace) -> None:
    work.write_spec(**AWS)
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(work.home)}
    run = work.run("preview", "--target", "aws", environ=environ)
    assert "+ create Function doubler-dev-predict" in run.stderr
    assert "previewed offline: nothing of this was asked of the cloud" in run.stderr
    document = json.loads(work.run("preview", "--target", "aws", "--json", environ=environ).stdout)
    (function,) = (step for step in document["steps"] if step["type"] == "aws:lambda/function:Function")
    assert (function["inputs"]["memorySize"], function["inputs"]["runtime"]) == (512, "python3.13")
    assert function["inputs"]["architectures"] == ["arm64"]
    assert document["outputs"]["key"] == "[secret]"
    assert document["outputs"]["url"] is None


def test_an_sdk_that_is_missing_is_told_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "find_spec", lambda name: None)
    with pytest.raises(LastmileError) as caught:
        deploy.require_sdk("gcp")
    assert caught.value.message == "pulumi_gcp is not installed, of which a deployment to gcp is made."
    assert caught.value.hint == "Install it: pip install 'lastmile-sls[gcp]', or in a checkout: make clouds"
    deploy.require_sdk("local")


def test_an_image_is_not_made_for_a_preview(work: Workspace) -> None:
    gcp = {"project": "acme-models", "region": "europe-west1", "base_image": "nowhere.test/python:3.13"}
    work.write_spec(**{**AWS, "targets": {"gcp": gcp}})
    document = work.json("preview", "--target", "gcp")
    assert any(step["type"] == "gcp:cloudrunv2/service:Service" for step in document["steps"])
    assert not (work.folder / ".lastmile" / "dev-gcp" / "bundles" / "predict.image").exists()


class Played:
    """The clouds' plugins on PATH, played."""

    def __init__(self, work: Workspace) -> None:
        self._work = work
        plugins, world = work.home / "plugins", work.home / "world"
        for folder in (plugins, world):
            folder.mkdir(parents=True)
        for package in PACKAGES:
            plugin = plugins / f"pulumi-resource-{package}"
            plugin.write_text(
                f"#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m tests.clouds.provider {package}\n"
            )
            plugin.chmod(0o755)
        self.environ = {"PATH": f"{plugins}{os.pathsep}{os.environ['PATH']}", VARIABLE: str(world)}

    def run(self, *words: str, check: bool = True) -> Any:
        return self._work.run(*words, check=check, environ=self.environ)

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json").stdout)


@pytest.mark.pulumi_cli
def test_the_life_of_a_deployment_on_a_cloud(work: Workspace) -> None:
    work.write_spec(**AWS)
    played = Played(work)
    made = played.run("up", "--target", "aws")
    assert "Function doubler-dev-predict created" in made.stderr
    assert "what it takes: curl -s https://" in made.stderr
    assert "lastmile key --target aws)" in made.stderr
    url = played.run("url", "--target", "aws").stdout.strip()
    key = played.run("key", "--target", "aws").stdout.strip()
    assert url.startswith("https://")
    assert len(key) >= 43
    assert key not in made.stdout + made.stderr
    told = played.run("traffic", "show", "--target", "aws", check=False)
    assert told.returncode == 1
    assert "doubler-dev has one version, so there is no traffic to move." in told.stderr

    assert set(played.json("up", "--target", "aws")["changes"]) == {"same"}
    assert played.run("key", "--target", "aws").stdout.strip() == key
    preview = played.json("preview", "--target", "aws")
    assert set(preview["changes"]) == {"same"}

    prod = played.json("up", "--target", "aws", "--environment", "prod", "--bundles-of", "dev")
    assert prod["outputs"]["deployment"] == "doubler-prod"
    assert played.run("url", "--target", "aws", "--environment", "prod").stdout.strip() != ""

    told = played.run("destroy", "--target", "aws", "--yes")
    assert "will be deleted: " in told.stderr
    assert "Function" in told.stderr
    assert "is kept" not in told.stderr
    gone = played.run("url", "--target", "aws", check=False)
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "doubler (dev-aws) is not deployed." in gone.stderr
    assert played.json("destroy", "--target", "aws", "--environment", "prod", "--yes")["kept"] == []


def test_what_is_kept_is_told_by_its_outermost_part(capsys: pytest.CaptureFixture[str]) -> None:
    kept = [
        Standing("aws:s3/bucket:Bucket", "state", "churn-dev-state-1", "urn:1"),
        Standing("aws:s3/bucketVersioning:BucketVersioning", "versions", "churn-dev-state-1", "urn:2"),
        Standing("lastmile:index:Document", "routing", "s3://churn-dev-state-1/routing.json", "urn:3"),
    ]
    lost = [Standing("aws:lambda/function:Function", name, name, name) for name in ("one", "two")]
    show_what_goes(lost, kept)
    assert capsys.readouterr().err.splitlines() == [
        "will be deleted: Function x2",
        "is kept: Bucket churn-dev-state-1",
        "is kept: Document s3://churn-dev-state-1/routing.json",
        "  with --data it is deleted too, with all that is in it",
    ]
