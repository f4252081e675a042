"""What a stack says of itself: the same names with the same meaning on the three clouds."""

from __future__ import annotations

import pytest

from lastmile_sls.engine.interface import Secret
from lastmile_sls.plan.document import Target
from tests.clouds.played import KEY
from tests.examples.conftest import Lived
from tests.examples.projects import CLOUDS, EXAMPLES

STORES: dict[Target, str] = {"aws": "s3://", "gcp": "gs://", "azure": "az://"}
"""How the URL of a bucket begins (see `lastmile_runtime.stores`)."""
IDS: dict[Target, str] = {
    "aws": "arn:aws:lambda:",
    "gcp": "projects/acme-models/",
    "azure": "/subscriptions/",
}
"""How a cloud's ids of functions begin."""


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_names_are_the_same(lived: Lived, example: str) -> None:
    names = [set(lived(example, cloud).up.result.outputs) for cloud in CLOUDS]
    assert names[0] == names[1] == names[2]
    plan = lived(example, "aws").plan
    expected = {"deployment", "versions", "target", "region", "account", "auth", "url", "functions", "logs"}
    expected |= {"key"} if plan["endpoint"]["auth"] == "key" else set()
    expected |= {"bucket"} if plan["storage"] else set()
    expected |= {"routing"} if plan["routing"] else set()
    expected |= {"queue"} if plan["queue"] else set()
    expected |= {"schedule"} if plan["schedule"] else set()
    expected |= {"alarms", "dashboard"} if plan["operations"] else set()
    assert names[0] == expected


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_the_meaning_is_the_same(lived: Lived, example: str, cloud: Target) -> None:
    life = lived(example, cloud)
    outputs, plan = life.up.result.outputs, life.plan
    assert outputs["deployment"] == plan["deployment"]
    assert outputs["versions"] == [id_ for function in plan["functions"] for id_ in function["versions"]]
    assert outputs["url"].startswith("https://")
    assert not outputs["url"].endswith("/")
    domain = plan["endpoint"]["domain"]
    if domain:
        assert outputs["url"] == f"https://{domain['name']}"
    assert set(outputs["functions"]) == {function["name"] for function in plan["functions"]}
    assert all(id_.startswith(IDS[cloud]) for id_ in outputs["functions"].values())
    assert (outputs["target"], outputs["auth"]) == (cloud, plan["endpoint"]["auth"])
    assert plan["place"] is not None
    assert outputs["region"] == plan["place"]["region"]
    assert set(outputs["logs"]) == set(outputs["functions"])
    if plan["operations"]:
        assert set(outputs["alarms"]) == {alarm["signal"] for alarm in plan["operations"]["alarms"]}
        assert outputs["dashboard"].startswith("https://")
    if "key" in outputs:
        assert isinstance(outputs["key"], Secret)
        assert outputs["key"].reveal() == KEY
    if "bucket" in outputs:
        assert outputs["bucket"].startswith(STORES[cloud])
    if plan["routing"]:
        assert outputs["routing"] == f"{outputs['bucket']}/{plan['routing']['path']}"


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_a_change_of_models_and_memory_keeps_them(lived: Lived, example: str, cloud: Target) -> None:
    life = lived(example, cloud)
    before, after = life.up.result.outputs, life.update.result.outputs
    assert {k: v for k, v in after.items() if k != "key"} == {k: v for k, v in before.items() if k != "key"}
