"""Where settings change before the code does, each bundle runs under its own; another one does not run at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from lastmile_runtime.adapters.azure import create
from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import FILE
from lastmile_runtime.releases import with_release
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log
from tests.lastmile_runtime import test_boundary
from tests.lastmile_runtime.bundles import matrix, python_bundle, python_version, routing, write_bundle

CONTEXT: Any = SimpleNamespace(invocation_id="invocation-1")
DOUBLER = "class Model:\n    def predict(self, inputs):\n        return {'doubled': [[FACTOR * inputs['x'][0][0]]]}\n"
OTHER = "sha256:" + "0" * 64


class Deployed:
    """An app between two releases: the older one has v1 alone, the newer one v2."""

    def __init__(self, folder: Path) -> None:
        self.old, self.new = folder / "old", folder / "new"
        self.old_digest = python_bundle(self.old, DOUBLER.replace("FACTOR", "2"), ids=("v1",))
        self.new_digest = python_bundle(self.new, DOUBLER.replace("FACTOR", "3"), ids=("v2",))
        self.releases = {
            self.old_digest: {"LASTMILE_ROUTING": json.dumps(routing(v1=10_000)), "LASTMILE_TIMEOUT_S": "30"},
            self.new_digest: {"LASTMILE_ROUTING": json.dumps(routing(v2=10_000)), "LASTMILE_TIMEOUT_S": "60"},
        }

    def environ(self, bundle: Path) -> dict[str, str]:
        """Return what the app's settings say, whichever bundle is there."""
        return {
            "WEBSITE_SITE_NAME": "churn",
            "LASTMILE_BUNDLE": str(bundle),
            "LASTMILE_RELEASES": json.dumps(self.releases),
        }


@pytest.fixture
def deployed(tmp_path: Path) -> Deployed:
    return Deployed(tmp_path)


def ask(environ: Mapping[str, str]) -> func.HttpResponse:
    (predict,) = create(environ).get_functions()
    body = json.dumps({"inputs": [matrix([[5, 1]])]}).encode()
    url = "https://churn/v2/models/breast-cancer/infer"
    answered: func.HttpResponse = predict.get_user_function()(
        func.HttpRequest("POST", url, body=body), CONTEXT
    )
    return answered


def answer(environ: Mapping[str, str]) -> tuple[str, list[float]]:
    """Return which version answers one request, and what."""
    answered = ask(environ)
    assert answered.status_code == 200, answered.get_body()
    return answered.headers["x-model-version"], json.loads(answered.get_body())["outputs"][0]["data"]


def test_the_old_code_answers_under_its_own_settings_until_the_new_is_there(deployed: Deployed) -> None:
    assert answer(deployed.environ(deployed.old)) == ("v1", [10])
    assert answer(deployed.environ(deployed.new)) == ("v2", [15])


def test_settings_of_the_new_release_alone_are_refused_by_the_old_code(deployed: Deployed) -> None:
    """What the releases are for: this is how an app's settings were before."""
    settings = {**deployed.environ(deployed.old), **deployed.releases[deployed.new_digest]}
    del settings["LASTMILE_RELEASES"]
    with pytest.raises(BundleError) as caught:
        create({**settings, "LASTMILE_MANIFEST_DIGEST": deployed.new_digest})
    told = f"{FILE} has the digest {deployed.old_digest}, but {deployed.new_digest} was deployed."
    assert str(caught.value) == told


def test_a_bundle_of_neither_release_is_refused(deployed: Deployed, tmp_path: Path) -> None:
    other = python_bundle(tmp_path / "other", ids=("v3",))
    with pytest.raises(BundleError) as caught:
        create(deployed.environ(tmp_path / "other"))
    first, second = sorted(deployed.releases)
    told = f"{FILE} has the digest {other}, but LASTMILE_RELEASES has {first} and {second}."
    assert str(caught.value) == told


def test_what_is_changed_in_a_package_is_refused(deployed: Deployed) -> None:
    """The pin is outside of it, for the manifest as for the files."""
    model = deployed.old / "models" / "v1" / "model.py"
    model.write_text(DOUBLER.replace("FACTOR", "9"))
    answered = ask(deployed.environ(deployed.old))
    assert answered.status_code == 500
    assert "models/v1/model.py has the SHA-256" in answered.get_body().decode()
    changed = write_bundle(deployed.old, [python_version("v1")], {"models/v1/model.py": model.read_text()})
    with pytest.raises(BundleError, match=f"has the digest {changed}, but LASTMILE_RELEASES has"):
        create(deployed.environ(deployed.old))


def test_a_release_is_as_if_its_settings_had_been_set(deployed: Deployed) -> None:
    own = deployed.releases[deployed.old_digest]
    environ = {**deployed.environ(deployed.old), "AZURE_CLIENT_ID": "id", "LASTMILE_TIMEOUT_S": "1"}
    expected = {**environ, **own, "LASTMILE_MANIFEST_DIGEST": deployed.old_digest}
    assert with_release(environ, str(deployed.old)) == expected


def test_a_release_cannot_say_another_digest(deployed: Deployed) -> None:
    releases = json.dumps({deployed.old_digest: {"LASTMILE_MANIFEST_DIGEST": OTHER}})
    found = with_release({"LASTMILE_RELEASES": releases}, str(deployed.old))
    assert found["LASTMILE_MANIFEST_DIGEST"] == deployed.old_digest


@pytest.mark.parametrize(
    ("releases", "reason"),
    [
        ("", "LASTMILE_RELEASES is not JSON: Expecting value: line 1 column 1 (char 0)."),
        (
            "{",
            "LASTMILE_RELEASES is not JSON: Expecting property name enclosed in double quotes: line 1 column 2",
        ),
        ("[]", "LASTMILE_RELEASES must be an object: a bundle's settings by its digest."),
        ("{}", f"{FILE} has the digest DIGEST, but LASTMILE_RELEASES has no release."),
        (f'{{"{OTHER}": {{}}}}', f"{FILE} has the digest DIGEST, but LASTMILE_RELEASES has {OTHER}."),
        ('{"DIGEST": []}', "LASTMILE_RELEASES must have texts by their names for DIGEST."),
        ('{"DIGEST": {"A": 1}}', "LASTMILE_RELEASES must have texts by their names for DIGEST."),
        ('{"DIGEST": {}}', "LASTMILE_ROUTING is not set."),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, releases: str, reason: str) -> None:
    own = python_bundle(tmp_path)
    environ = {"LASTMILE_BUNDLE": str(tmp_path), "LASTMILE_RELEASES": releases.replace("DIGEST", own)}
    with pytest.raises(BundleError) as caught:
        start(environ, Log("churn", lambda line: None), keeps_running=False)
    assert str(caught.value).startswith(reason.replace("DIGEST", own))


def test_a_bundle_without_a_manifest_is_refused(tmp_path: Path) -> None:
    environ = {"LASTMILE_BUNDLE": str(tmp_path), "LASTMILE_RELEASES": "{}"}
    with pytest.raises(BundleError) as caught:
        start(environ, Log("churn", lambda line: None), keeps_running=False)
    assert str(caught.value) == f"{FILE} cannot be read: No such file or directory."


def test_it_costs_nothing_where_settings_and_code_change_at_once(tmp_path: Path) -> None:
    loaded = test_boundary.answer(tmp_path, python_bundle(tmp_path))["loaded"]
    assert "lastmile_runtime.startup" in loaded
    assert "lastmile_runtime.releases" not in loaded
