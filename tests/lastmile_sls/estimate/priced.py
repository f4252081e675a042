"""A small cloud for tests: a price book, formulas and resources of which every figure can be done in one's head."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lastmile_sls.estimate.document import NOTHING, Component, Estimate, Traffic
from lastmile_sls.estimate.estimate import estimate
from lastmile_sls.estimate.month import CloudCosts, Month
from lastmile_sls.plan.document import Plan
from lastmile_sls.policy.resource import Resource
from lastmile_sls.prices.book import FORMAT, PriceBook
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions

REGION = "eu-west-1"
FUNCTION, BUCKET, QUEUE, ROLE = "x:a:Function", "x:a:Bucket", "x:a:Queue", "x:a:Role"


def both(*values: Any) -> tuple[Any, ...]:
    """Return values to compare with whole numbers, which type checkers take for never equal to a tuple's decimals."""
    return values


def listed(
    tiers: list[list[str]], unit: str, *, free: str = "0", name: str = "", **more: Any
) -> dict[str, Any]:
    price = {"regions": [REGION], "tiers": tiers, "source": "https://prices.example", "read": "2026-11-01"}
    return {"name": name or unit, "unit": unit, "free": free, "prices": [{**price, **more}]}


LIST: dict[str, Any] = {
    "format": FORMAT,
    "cloud": "aws",
    "currency": "USD",
    "meters": {
        "aws.x.requests": listed([["0", "0.000001"]], "request", free="1000000", name="Requests"),
        "aws.x.seconds": listed([["0", "0.001"], ["10000", "0.0005"]], "second", name="Seconds"),
        "aws.x.kept": listed([["0", "2"]], "month", name="Keeping", verified=False),
    },
}
BOOK = PriceBook([LIST])


def function(resource: Resource, month: Month) -> list[Component]:
    load = month.load_of(resource.inputs["name"])
    seconds: dict[str, Decimal] = {}
    for one in load.work:
        seconds[one.version] = seconds.get(one.version, NOTHING) + one.count * one.duration_ms / 1000
    count = sum((one.count for one in load.work), NOTHING)
    return [
        month.component("Requests", "aws.x.requests", count, usage_based=True),
        month.component(
            "Time", "aws.x.seconds", sum(seconds.values(), NOTHING), usage_based=True, by_version=seconds
        ),
    ]


def bucket(resource: Resource, month: Month) -> list[Component]:
    return [month.component("Keeping", "aws.x.kept", Decimal(1), usage_based=False)]


def queue(resource: Resource, month: Month) -> list[Component]:
    return []


COSTS = CloudCosts(priced={FUNCTION: function, BUCKET: bucket, QUEUE: queue}, free={ROLE: "It says who may."})


def resource(type_: str, called: str, **inputs: Any) -> Resource:
    return Resource(type_, called, f"urn:{called}", inputs)


def resources_of(plan: Plan) -> list[Resource]:
    functions = [
        resource(FUNCTION, one["resource"], name=one["resource"], tags={"model": "churn", "owner": "a|b<i>"})
        for one in plan["functions"]
    ]
    return [resource(ROLE, "churn-dev-role"), *functions, resource(BUCKET, "churn-dev-state")]


def traffic(**changes: Any) -> Traffic:
    said: dict[str, Any] = {
        "requests": Decimal(1_000_000),
        "duration_ms": {"v1": Decimal(10), "v2": Decimal(20)},
        **changes,
    }
    return Traffic(**said)


def plan(**changes: Any) -> Plan:
    return plan_of(spec_of(**{**two_versions(), **changes}), "aws")


def estimated(
    month: Traffic | None = None, given: Plan | None = None, *, free_tier: bool = False, **more: Any
) -> Estimate:
    found = given or plan()
    resources = more.pop("resources", None) or resources_of(found)
    return estimate(found, resources, month or traffic(), BOOK, free_tier=free_tier, costs=COSTS, **more)


def by_name(found: Estimate) -> Mapping[str, Any]:
    return {line.name: line for line in found.lines}
