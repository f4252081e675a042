"""Months of the examples on Google Cloud, with the resources that a preview makes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from lastmile_sls.estimate.document import Component, Estimate, FunctionLoad, Traffic, Work
from lastmile_sls.estimate.estimate import estimate
from lastmile_sls.estimate.month import Month
from lastmile_sls.plan.document import Plan
from lastmile_sls.policy.resource import UNKNOWN, Resource
from lastmile_sls.prices.book import PriceBook
from lastmile_sls.prices.shelf import read_list
from tests.clouds.wire import SHOWN_UNKNOWN
from tests.examples.projects import plan_for

_ROOT = Path(__file__).parents[4]
SHIPPED = _ROOT / "lastmile_sls" / "prices" / "lists" / "gcp.json"
BOOK = PriceBook([read_list(SHIPPED, "gcp")])


def resources_of(path: Path) -> list[Resource]:
    """Return a golden file's records as resources."""
    records = json.loads(path.read_text(encoding="utf-8"))
    return [Resource(record["type"], record["name"], "", _known(record["inputs"])) for record in records]


def example(name: str) -> tuple[Plan, list[Resource]]:
    """Return an example's plan, and what would be made."""
    return plan_for(name, "gcp"), resources_of(_ROOT / "tests" / "examples" / "golden" / f"{name}-gcp.json")


def estimate_of(name: str, month: Traffic, **changes: Any) -> Estimate:
    plan, resources = example(name)
    return estimate(plan, resources, month, BOOK, **changes)


def traffic(requests: int | str, duration_ms: Mapping[str, int], **more: Any) -> Traffic:
    durations = {version: Decimal(ms) for version, ms in duration_ms.items()}
    return Traffic(Decimal(requests), durations, **more)


def month_of(name: str, works: Mapping[str, list[Work]], month: Traffic, **load: Any) -> Month:
    """Return an example's month with the work of its functions as it is given."""
    plan, resources = example(name)
    given = {"cold_starts": Decimal(0), "init_ms": Decimal(0), "effective_concurrency": Decimal(1), **load}
    loads = {
        function["name"]: FunctionLoad(function, tuple(works.get(function["name"], ())), **given)
        for function in plan["functions"]
    }
    assert plan["place"]
    return Month(plan, month, loads, resources, BOOK, plan["place"]["region"])


def find(resources: list[Resource], type_: str) -> Resource:
    """Return the first resource whose type ends so."""
    return next(one for one in resources if one.type.endswith(f":{type_}"))


def costs(components: list[Component]) -> dict[str, str]:
    """Return each component's cost to a millionth of a dollar."""
    return {one.name: f"{one.cost:.6f}" for one in components}


def _known(value: Any) -> Any:
    if value == SHOWN_UNKNOWN:
        return UNKNOWN
    if isinstance(value, dict):
        return {name: _known(item) for name, item in value.items()}
    return [_known(item) for item in value] if isinstance(value, list) else value
