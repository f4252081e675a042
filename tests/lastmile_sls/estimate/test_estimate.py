"""A line for every resource; tiers and free units once for the account."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.document import Component
from lastmile_sls.estimate.estimate import costs_of, estimate
from lastmile_sls.estimate.month import CloudCosts, Month
from lastmile_sls.policy.resource import Resource
from lastmile_sls.prices.book import PriceBook, UnpricedError
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions
from tests.lastmile_sls.estimate.priced import (
    BOOK,
    BUCKET,
    COSTS,
    FUNCTION,
    LIST,
    QUEUE,
    both,
    by_name,
    estimated,
    plan,
    resource,
    resources_of,
    traffic,
)


def test_every_resource_has_a_line_in_the_programs_order() -> None:
    resources = [
        resource("pulumi:pulumi:Stack", "churn-dev-aws"),
        resource("pulumi:providers:aws", "churn-dev-aws"),
        resource("lastmile:index:Key", "churn-dev-key"),
        *resources_of(plan()),
        resource(QUEUE, "churn-dev-jobs"),
        resource("x:a:Surprise", "churn-dev-surprise"),
    ]
    found = estimated(resources=resources)
    assert [(line.name, line.status) for line in found.lines] == [
        ("churn-dev-aws", "free"),
        ("churn-dev-aws", "free"),
        ("churn-dev-key", "free"),
        ("churn-dev-role", "free"),
        ("churn-dev-predict", "priced"),
        ("churn-dev-state", "priced"),
        ("churn-dev-jobs", "free"),
        ("churn-dev-surprise", "unpriced"),
    ]
    told = {line.name: line.why for line in found.lines}
    assert told["churn-dev-role"] == "It says who may."
    assert told["churn-dev-jobs"] == "Nothing of it is used in this month."
    assert told["churn-dev-surprise"] == "No formula is known for x:a:Surprise."
    assert by_name(found)["churn-dev-predict"].tags == {"model": "churn", "owner": "a|b<i>"}


def test_baseline_and_usage_are_apart_and_each_version_has_its_part() -> None:
    found = estimated()
    # 1e6 requests at 1e-6; 900 000 x 10 ms + 100 000 x 20 ms = 11 000 s: 10 000 at 0.001, 1 000 at 0.0005
    assert both(found.baseline, found.usage, found.monthly) == (2, Decimal("11.5"), Decimal("13.5"))
    assert found.per_1000 == Decimal("0.0135")
    assert (found.currency, found.region, found.free_tier) == ("USD", "eu-west-1", False)
    one, two = found.by_version()
    assert both(one.version, one.share, one.requests) == ("v1", Decimal("0.9"), 900_000)
    assert both(two.own.quantize(Decimal("1e-9")), two.shared) == (
        (Decimal("10.5") * 2 / 11).quantize(Decimal("1e-9")),
        Decimal("0.3"),
    )
    assert one.monthly + two.monthly == found.monthly
    assert two.per_1000 == two.monthly / 100


def test_nobody_calls() -> None:
    found = estimated(traffic(requests=Decimal(0)))
    assert both(found.monthly, found.usage, found.per_1000) == (2, 0, None)
    assert [one.per_1000 for one in found.by_version()] == [None, None]


def test_tiers_and_free_units_are_the_accounts() -> None:
    apart = plan_of(spec_of(**two_versions(apart=True)), "aws")
    found = estimated(given=apart)
    # the router 11 000 s, the other function 2 000 s: 13 000 s, of which 3 000 are in the second tier
    times = [c for line in found.lines for c in line.components if c.price.meter == "aws.x.seconds"]
    assert sum(one.cost for one in times) == Decimal("11.5")
    assert times[1].cost == Decimal("11.5") * 2000 / 13000
    assert times[1].by_version == {"v2": times[1].cost}
    free = estimated(given=apart, free_tier=True)
    asked = [c for line in free.lines for c in line.components if c.price.meter == "aws.x.requests"]
    assert sum(one.quantity for one in asked) == 1_100_000
    assert sum(one.cost for one in asked) == Decimal("0.1")


def test_a_cost_of_its_own_is_left_as_it_is() -> None:
    def dearer(given: Resource, month: Month) -> list[Component]:
        component = month.component("Time", "aws.x.seconds", Decimal(20_000), usage_based=True)
        return [replace(component, cost=Decimal(7))]

    costs = CloudCosts({**COSTS.priced, BUCKET: dearer}, COSTS.free)
    found = estimate(plan(), resources_of(plan()), traffic(), BOOK, costs=costs)
    assert by_name(found)["churn-dev-state"].cost == 7
    assert by_name(found)["churn-dev-predict"].cost == Decimal("11.5")


def test_a_meter_without_a_price_is_refused_by_name() -> None:
    meters = {name: entry for name, entry in LIST["meters"].items() if name != "aws.x.seconds"}
    with pytest.raises(UnpricedError) as caught:
        estimate(
            plan(), resources_of(plan()), traffic(), PriceBook([{**LIST, "meters": meters}]), costs=COSTS
        )
    assert caught.value.message == "there is no price of aws.x.seconds in eu-west-1."
    assert caught.value.hint.endswith("lastmile prices refresh --target aws --region eu-west-1")


def test_currencies_are_never_added() -> None:
    kept = {"aws.x.kept": LIST["meters"]["aws.x.kept"]}
    euros = {**LIST, "currency": "EUR", "meters": kept}
    with pytest.raises(LastmileError, match="the prices are in EUR and USD, which cannot be added"):
        estimate(plan(), resources_of(plan()), traffic(), PriceBook([LIST, euros]), costs=COSTS)


def test_this_machine_has_no_meter() -> None:
    with pytest.raises(LastmileError, match="target is local, and this machine has no meter"):
        costs_of("local")
    assert {
        costs_of(cloud).region(plan_of(spec_of(resources={"memory_mb": 512}), cloud))
        for cloud in ("aws", "gcp")
    } == {
        "eu-west-1",
        "europe-west1",
    }
    assert FUNCTION not in costs_of("aws").priced
