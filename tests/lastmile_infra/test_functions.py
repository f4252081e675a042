from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from lastmile_infra.functions import called_first, variables_of
from lastmile_sls.plan.document import FunctionPlan, Plan, Target
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions

ROUTING = "s3://state/churn/routing.json"
OTHER = "run+https://other.example"
CLOUDS: tuple[Target, ...] = ("aws", "gcp", "azure")


def plan_apart(target: Target = "aws") -> Plan:
    return plan_of(spec_of(**two_versions(apart=True)), target)


def variables(plan: FunctionPlan, routing: str | None, digests: list[str], url: str | None) -> dict[str, Any]:
    """Return a function's variables as they are told, made as infra makes them."""

    async def made() -> dict[str, Any]:
        found: Mapping[str, pulumi.Input[str]] = variables_of(
            plan,
            routing=pulumi.Output.from_input(routing) if routing else None,
            key_digests=[pulumi.Output.from_input(digest) for digest in digests],
            urls={"predict-v2": pulumi.Output.from_input(url)} if url else {},
        )
        values = await pulumi.Output.all(**found).future()
        assert values is not None
        return dict(values)

    return asyncio.run(made())


@pytest.mark.parametrize("target", CLOUDS)
def test_the_called_come_first(target: Target) -> None:
    plan = plan_apart(target)
    assert plan["functions"][0]["name"] == "predict"
    found = [(function["name"], called) for function, called in called_first(plan)]
    assert found == [("predict-v2", []), ("predict", ["predict-v2"])]


def test_a_function_of_several_versions_is_called_once() -> None:
    plan = plan_apart()
    router, other = plan["functions"]
    several: Plan = {**plan, "functions": [{**router, "calls": {"v2": "b", "v3": "a", "v4": "b"}}, other]}
    assert [called for _, called in called_first(several)] == [[], ["a", "b"]]


def test_variables_of_a_function_with_neighbours() -> None:
    router, _ = plan_apart()["functions"]
    assert variables(router, ROUTING, ["sha256:1", "sha256:2"], OTHER) == {
        **router["environment"],
        "LASTMILE_ROUTING_URL": ROUTING,
        "LASTMILE_AUTH": '{"keys": ["sha256:1", "sha256:2"]}',
        "LASTMILE_FUNCTIONS": '{"predict-v2": "run+https://other.example"}',
    }


def test_variables_of_a_function_with_none() -> None:
    router, _ = plan_apart()["functions"]
    assert variables(router, None, [], None) == router["environment"]


def test_the_document_is_for_the_function_that_routes() -> None:
    _, other = plan_apart()["functions"]
    assert variables(other, ROUTING, [], None) == other["environment"]
