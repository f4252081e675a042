"""Months of deployments on AWS, for formulas that are looked at one by one."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

from lastmile_sls.estimate.document import Component, Traffic
from lastmile_sls.estimate.load import loads
from lastmile_sls.estimate.month import Month
from lastmile_sls.policy.resource import Resource
from lastmile_sls.prices.book import PriceBook
from lastmile_sls.prices.shelf import open_book
from tests.lastmile_infra.plans import plan_of, spec_of
from tests.lastmile_sls.policy.judged import made

FUNCTION = "aws:lambda/function:Function"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
NAME = "churn-dev-predict"
"""Of the only function, as it is called on AWS."""
D = Decimal


@cache
def book() -> PriceBook:
    """Return the shipped prices."""
    return open_book({"LASTMILE_HOME": "/nowhere"}, ["aws"])


def month(
    requests: int | str = 0,
    ms: int | str = 10,
    *,
    spec: dict[str, Any] | None = None,
    resources: tuple[Resource, ...] = (),
    free_tier: bool = False,
    region: str = "us-east-1",
    init_ms: int = 0,
    **traffic: Any,
) -> Month:
    """Return a month of one version, or of v1 and v2, that take as long; numbers of the traffic are texts or whole."""
    plan = plan_of(spec_of(**(spec or {})), "aws")
    numbers: dict[str, Any] = {name: D(number) for name, number in traffic.items()}
    times = {version: D(ms) for version in ("v1", "v2")}
    starts = {function["name"]: D(init_ms) for function in plan["functions"]}
    asked = Traffic(D(requests), times, starts, **numbers)
    return Month(plan, asked, loads(plan, asked), resources, book(), region, free_tier)


def function(**inputs: Any) -> Resource:
    """Return the only function's resource."""
    return made(FUNCTION, name=NAME, **inputs)


def quantities(components: list[Component]) -> dict[str, Decimal]:
    """Return each component's units, and that they have names of their own."""
    found = {one.name: one.quantity for one in components}
    assert len(found) == len(components)
    return found


def costs(components: list[Component]) -> dict[str, Decimal]:
    """Return what each component costs, in whole cents as AWS's pages write it."""
    return {one.name: one.cost.quantize(D("0.01")) for one in components}
