"""On Azure Functions settings change before the code does: at that moment an app's settings have both releases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.clouds.world import Call
from tests.examples.conftest import Lived
from tests.examples.projects import NEW_DIGEST
from tests.lastmile_infra.plans import DIGEST

ROUTER, OTHER = "delivery-time-d-64f475fe", "delivery-time-d-659e33c2"


def releases(app: Call) -> dict[str, Any]:
    """Return the settings of each bundle that an app may have, by its digest."""
    settings = {setting["name"]: setting["value"] for setting in app.inputs["siteConfig"]["appSettings"]}
    found: dict[str, Any] = json.loads(settings["LASTMILE_RELEASES"])
    return found


def calls(told: list[Call], type_: str) -> dict[str, int]:
    """Return when each resource of a type was called, by its name."""
    return {call.name: at for at, call in enumerate(told) if call.type.endswith(f":{type_}")}


@pytest.mark.parametrize(
    ("example", "packages"),
    [
        ("public", {"daylight-dev-predict": "daylight-dev-predict-package"}),
        (
            "conflicting-versions",
            {ROUTER: "delivery-time-dev-predict-v2-package", OTHER: "delivery-time-dev-predict-package"},
        ),
    ],
)
def test_settings_change_before_the_code_and_know_both(
    lived: Lived, example: str, packages: dict[str, str]
) -> None:
    life = lived(example, "azure")
    made = {call.name: releases(call) for call in life.up.calls if call.type.endswith(":WebApp")}
    updated = life.update.calls
    apps, sent = calls(updated, "WebApp"), calls(updated, "Package")
    assert set(apps) == set(made) == set(packages)
    for app, package in packages.items():
        assert apps[app] < sent[package]
        before, during = made[app], releases(updated[apps[app]])
        assert list(before) == [DIGEST]
        assert during == {DIGEST: before[DIGEST], NEW_DIGEST: before[DIGEST]}


def test_a_container_app_has_revisions_and_needs_none(lived: Lived) -> None:
    life = lived("image-sized", "azure")
    (app,) = (call for call in life.up.calls if call.type.endswith(":ContainerApp"))
    (container,) = app.inputs["template"]["containers"]
    variables = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert variables["LASTMILE_MANIFEST_DIGEST"] == DIGEST
    assert "LASTMILE_RELEASES" not in variables
    assert not calls(life.up.calls, "Release")
