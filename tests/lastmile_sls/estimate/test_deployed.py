"""What stands, as a stack's state tells it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.engine.properties import secret, to_state
from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.deployed import (
    deployed_plan,
    resources_of_state,
    restricted,
    versions_of_state,
)
from lastmile_sls.plan.document import Plan, Target
from lastmile_sls.policy.resource import Resource
from tests.examples.projects import CLOUDS, plan_for
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions

GOLDEN = Path(__file__).parents[2] / "examples" / "golden"


def golden(example: str, cloud: Target) -> list[Resource]:
    """Return what an example's providers were told: what its state would have as inputs."""
    records = json.loads((GOLDEN / f"{example}-{cloud}.json").read_text())
    return [Resource(one["type"], one["name"], f"urn:{one['name']}", one["inputs"]) for one in records]


@pytest.mark.parametrize("example", ["conflicting-versions", "overnight", "image-sized"])
def test_what_stands_as_planned_is_the_plan(example: str) -> None:
    for cloud in CLOUDS:
        plan = plan_for(example, cloud)
        assert deployed_plan(plan, golden(example, cloud)) == plan


def stack(resources: list[Resource], **outputs: Any) -> dict[str, Any]:
    told = [
        {
            "type": one.type,
            "urn": f"urn:pulumi:dev::churn::{one.type}::{one.name}",
            "inputs": to_state(dict(one.inputs)),
        }
        for one in resources
    ]
    root = {
        "type": "pulumi:pulumi:Stack",
        "urn": "urn:pulumi:dev::churn::pulumi:pulumi:Stack::churn",
        "outputs": outputs,
    }
    return {"version": 3, "deployment": {"resources": [root, *told]}}


def test_a_state_is_read_with_its_secrets_and_without_what_is_to_be_deleted() -> None:
    resources = [
        Resource("azure-native:web/v20240401:WebApp", "b", "", {"setting": secret({"x": 1})}),
        Resource("aws:s3/bucket:Bucket", "a", "", {}),
        Resource("pulumi:providers:lastmile", "default_0_1_0", "", {}),
    ]
    state = stack(resources, versions=["v1", "v2"])
    state["deployment"]["resources"].append(
        {"type": "aws:s3/bucket:Bucket", "urn": "urn:pulumi:x::y::t::old", "delete": True}
    )
    found = resources_of_state(state)
    assert [(one.type, one.name) for one in found] == [
        ("aws:s3/bucket:Bucket", "a"),
        ("azure-native:web:WebApp", "b"),
        ("pulumi:pulumi:Stack", "churn"),
    ]
    assert found[1].inputs == {"setting": {"x": 1}}
    assert versions_of_state(state) == ["v1", "v2"]
    assert versions_of_state({"deployment": {}}) == []


def test_the_room_is_what_stands() -> None:
    memory: dict[str, tuple[str, dict[str, Any]]] = {
        "aws": (
            "aws:lambda/function:Function",
            {"memorySize": 3008, "architectures": ["x86_64"], "snapStart": {"applyOn": "PublishedVersions"}},
        ),
        "gcp": (
            "gcp:cloudrunv2/service:Service",
            {
                "template": {
                    "containers": [{"resources": {"limits": {"memory": "2Gi", "cpu": "2"}}}],
                    "scaling": {"minInstanceCount": 3},
                    "maxInstanceRequestConcurrency": 40,
                }
            },
        ),
    }
    plan = plan_of(spec_of(), "aws")
    type_, inputs = memory["aws"]
    warm = {"functionName": "churn-dev-predict", "provisionedConcurrentExecutions": 5}
    stands = [
        Resource(type_, "churn-dev-predict", "", {"name": "churn-dev-predict", **inputs}),
        Resource("aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig", "warm", "", warm),
    ]
    (function,) = deployed_plan(plan, stands)["functions"]
    assert (
        function["memory_mb"],
        function["processor"],
        function["min_instances"],
        function["snapshot"],
    ) == (*(3008, "x86_64", 5, True),)
    type_, inputs = memory["gcp"]
    stands = [Resource(type_, "churn-dev-predict", "", {"name": "churn-dev-predict", **inputs})]
    (function,) = deployed_plan(plan_of(spec_of(), "gcp"), stands)["functions"]
    assert (function["memory_mb"], function["cpu"], function["min_instances"], function["concurrency"]) == (
        *(2048, 2.0, 3, 40),
    )


def planned(**changes: Any) -> Plan:
    return plan_of(spec_of(**changes), "aws")


FUNCTION = "aws:lambda/function:Function"


def test_what_is_new_does_not_stand_and_what_only_stands_is_refused() -> None:
    router = Resource(FUNCTION, "churn-dev-predict", "", {"name": "churn-dev-predict", "memorySize": 512})
    apart = planned(
        **two_versions(apart=True), queue={}, schedule={"cron": "* * * * *", "input": "a", "output": "b"}
    )
    found = deployed_plan(apart, [router])
    assert [function["name"] for function in found["functions"]] == ["predict"]
    assert (found["functions"][0]["calls"], found["functions"][0]["jobs"]) == ({}, None)
    assert (found["queue"], found["schedule"]) == (None, None)
    other = Resource(FUNCTION, "churn-dev-predict-v9", "", {"name": "churn-dev-predict-v9"})
    with pytest.raises(LastmileError) as caught:
        deployed_plan(apart, [router, other])
    assert caught.value.message.startswith(
        "the function churn-dev-predict-v9 stands, but the spec has it no more"
    )
    assert "--against before.json" in caught.value.hint
    with pytest.raises(LastmileError, match="the stack has no function churn-dev-predict"):
        deployed_plan(apart, [])
    with pytest.raises(LastmileError, match="the stack has a queue, but the spec has none any more"):
        deployed_plan(planned(), [router, Resource("aws:sqs/queue:Queue", "jobs", "", {})])


def test_the_largest_version_has_what_is_not_deployed_yet() -> None:
    shares = {"v1": Decimal("0.5"), "v2": Decimal("0.2"), "v3": Decimal("0.3")}
    assert restricted(shares, ["v1", "v2"]) == {"v1": Decimal("0.8"), "v2": Decimal("0.2")}
    assert restricted(shares, ["v9"]) == shares
