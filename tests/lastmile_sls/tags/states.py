"""Stacks in Pulumi's deployment format, and what they are estimated at, written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from lastmile_sls.estimate.document import Component, Estimate, Line, Traffic
from lastmile_sls.prices.book import Price, Tier

TAGS = {
    "model": "churn",
    "environment": "dev",
    "owner": "growth-team",
    "cost-center": "cc-1",
    "managed-by": "lastmile",
}
"""Of `tests.lastmile_infra.plans.spec_of`."""


def entry(
    type_: str,
    name: str,
    id_: str,
    inputs: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Return a resource that stands."""
    urn = f"urn:pulumi:dev::churn::{type_}::{name}"
    made = {"urn": urn, "custom": True, "type": type_, "id": id_, "inputs": dict(inputs or {})}
    return {**made, "outputs": {**(inputs or {}), **(outputs or {})}, **changes}


def state_of(entries: Sequence[Mapping[str, Any]], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stack's state."""
    urn = "urn:pulumi:dev::churn::pulumi:pulumi:Stack::churn-dev"
    stack = {"urn": urn, "custom": False, "type": "pulumi:pulumi:Stack", "outputs": dict(outputs)}
    return {"version": 3, "deployment": {"resources": [stack, *entries]}}


def estimate_of(costs: Mapping[str, str], type_: str, deployment: str = "churn-dev") -> Estimate:
    """Return an estimate of resources of a type, in USD a month by name."""
    read, tiers = date(2026, 11, 1), (Tier(Decimal(0), Decimal(1)),)
    price = Price("aws.x", "x", "eu-west-1", "hour", "USD", tiers, Decimal(0), "page", read, verified=True)
    lines = tuple(
        Line(type_, name, "priced", (Component("x", Decimal(cost), price, Decimal(cost), usage_based=False),))
        for name, cost in costs.items()
    )
    traffic = Traffic(Decimal(0), {})
    return Estimate(deployment, "aws", "eu-west-1", "USD", traffic, {}, lines, free_tier=False)
