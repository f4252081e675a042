from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from lastmile_sls.bootstrap.costs import PRICED_IN, costs_of, monthly_usd
from lastmile_sls.bootstrap.document import Cloud
from tests.lastmile_sls.bootstrap.plans import EVERYTHING, bootstrap_plan

PAGES: dict[Cloud, tuple[str, ...]] = {
    "aws": ("https://aws.amazon.com/", "https://docs.aws.amazon.com/"),
    "gcp": ("https://cloud.google.com/",),
    "azure": ("https://azure.microsoft.com/pricing/", "https://learn.microsoft.com/azure/"),
}


@pytest.mark.parametrize("target", ["aws", "gcp", "azure"])
def test_every_part_has_a_price_with_the_clouds_own_page_and_a_day(target: Cloud) -> None:
    plan = bootstrap_plan(target, **EVERYTHING[target])
    costs = costs_of(plan)
    parts = {cost.part for cost in costs}
    assert parts >= {"state", "billing", "registry", "key"}
    assert ("cost tags" in parts, "tag inheritance" in parts, "APIs" in parts) == (
        target == "aws",
        target == "azure",
        target == "gcp",
    )
    for cost in costs:
        assert cost.source.startswith(PAGES[target])
        assert not cost.read or date.fromisoformat(cost.read) <= date(2026, 11, 29)
        assert cost.stated == f"{cost.source} ({cost.read or 'unverified'})"
        assert cost.price
    assert PRICED_IN[target]


def test_what_costs_while_nobody_uses_it_is_added_up() -> None:
    assert monthly_usd(costs_of(bootstrap_plan("aws"))) == 0
    aws = costs_of(bootstrap_plan("aws", **EVERYTHING["aws"]))
    assert monthly_usd(aws) == Decimal("1.00")
    (key,) = (cost for cost in aws if cost.part == "key")
    assert key.price.startswith("$1.00 a month, and $1.00 more for the first and the second yearly rotation")
    (tags,) = (cost for cost in aws if cost.part == "cost tags")
    assert tags.price == "free"
    assert monthly_usd(costs_of(bootstrap_plan("azure", registry=True))) == Decimal("5.08")
    assert monthly_usd(costs_of(bootstrap_plan("gcp", kms=True))) == Decimal("0.06")


def test_what_is_not_made_costs_nothing() -> None:
    plan = bootstrap_plan("azure", billing=False, inherit_tags=False)
    assert [cost.part for cost in costs_of(plan)] == ["state"]
