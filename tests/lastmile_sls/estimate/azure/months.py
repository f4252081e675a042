"""Months of the examples on Azure: their plans, and what their golden files say would be made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, cast

from lastmile_sls.estimate.document import WHOLE, Component, FunctionLoad, Traffic, Work
from lastmile_sls.estimate.month import Formula, Month
from lastmile_sls.plan.document import Plan
from lastmile_sls.policy.resource import UNKNOWN, Resource
from lastmile_sls.prices import azure
from lastmile_sls.prices.book import PriceBook
from tests.examples.lives import GOLDEN
from tests.examples.projects import plan_for

D = Decimal
SHIPPED = Path(azure.__file__).parent / "lists" / "azure.json"


@cache
def book() -> PriceBook:
    """Return the shipped prices."""
    return PriceBook([json.loads(SHIPPED.read_text())])


@cache
def plan_of(example: str, region: str = "westeurope") -> Plan:
    """Return an example's plan, in a region."""
    plan = plan_for(example, "azure")
    return cast("Plan", {**plan, "place": {**(plan["place"] or {}), "region": region}})


@cache
def resources_of(example: str) -> tuple[Resource, ...]:
    """Return what an example would make."""
    records = json.loads((GOLDEN / f"{example}-azure.json").read_text())
    return tuple(Resource(one["type"], one["name"], "", _known(one["inputs"])) for one in records)


def resource_of(example: str, type_: str, **changes: Any) -> Resource:
    """Return the first resource of a type, with other inputs."""
    found = next(one for one in resources_of(example) if one.type.endswith(f":{type_}"))
    return Resource(found.type, found.name, found.urn, {**found.inputs, **changes})


def load(
    plan: Plan,
    *work: Work,
    cold_starts: int = 0,
    init_ms: int = 0,
    concurrency: Decimal = WHOLE,
    number: int = 0,
) -> FunctionLoad:
    """Return the load of one of a plan's functions."""
    return FunctionLoad(plan["functions"][number], work, D(cold_starts), D(init_ms), concurrency)


def month(
    example: str, one: FunctionLoad, traffic: Traffic | None = None, region: str = "westeurope"
) -> Month:
    """Return a month in which one function works."""
    plan = plan_of(example, region)
    loads = {one.function["name"]: one}
    return Month(plan, traffic or Traffic(D(0), {}), loads, resources_of(example), book(), region)


def priced(formula: Formula, resource: Resource, in_: Month) -> dict[str, Component]:
    """Return what a resource costs, by the components' names."""
    return {one.name: one for one in formula(resource, in_)}


def quantities(components: Mapping[str, Component]) -> dict[str, Decimal]:
    """Return how much of each there is."""
    return {name: one.quantity for name, one in components.items()}


def _known(value: Any) -> Any:
    match value:
        case "[unknown]":
            return UNKNOWN
        case dict():
            return {name: _known(one) for name, one in value.items()}
        case list():
            return [_known(one) for one in value]
    return value
