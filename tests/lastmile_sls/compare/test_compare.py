"""Prices side by side, where they cross, what to take, and what stands in the way, with made-up prices."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from lastmile_sls.compare.compare import compare, shape_of
from lastmile_sls.compare.document import Here
from lastmile_sls.compare.sizes import sizes
from lastmile_sls.estimate.document import Traffic
from lastmile_sls.plan.document import Plan
from tests.lastmile_sls.compare import priced

SPEC = priced.spec()


def test_the_cheapest_by_volume_and_the_very_request_at_which_it_changes() -> None:
    """A request of 100 ms takes 0.05 GB-seconds with 512 MB, and half of that with 256 MB, which aws and gcp have.

    aws 4 + 0.00000125 n, gcp 1 + 0.0000035 n, azure 0.0000115 n: azure and gcp cross at 125 000, azure and aws at
    390 243.9, gcp and aws at 1 333 333.3.
    """
    found = compare(priced.offers(SPEC), priced.question(SPEC, priced.shape()), ())
    assert [(lead.target, lead.first, lead.last) for lead in found.leads] == [
        ("azure", 1_000, 124_999),
        ("gcp", 125_000, 1_333_333),
        ("aws", 1_333_334, 10**10),
    ]
    assert [(one.requests, one.before, one.after, one.of_cheapest) for one in found.crossings] == [
        (125_000, "azure", "gcp", True),
        (390_244, "azure", "aws", False),
        (1_333_334, "gcp", "aws", True),
    ]
    assert found.crossings[0].monthly == Decimal("1.4375")
    assert found.best is not None
    assert found.best.name == "gcp with 256 MB"
    assert found.best.monthly == Decimal("4.5")
    assert [(one.points[0].requests, one.points[-1].requests) for one in found.curves] == [
        (1_000, 10**10)
    ] * 3
    aws = found.curves[0].points[-1]
    assert (aws.monthly, aws.memory_mb) == (Decimal(12504), 256)


def test_every_size_has_its_price_and_the_specs_own_is_preferred_among_equals() -> None:
    found = compare(priced.offers(SPEC), priced.question(SPEC, priced.shape(1_000)), ())
    prices = [[(one.size.memory_mb, one.monthly) for one in column.candidates] for column in found.columns]
    assert prices[0] == [
        (256, Decimal("4.00125")),
        (512, Decimal("4.0015")),
        (1024, Decimal("4.002")),
        (2048, Decimal("4.003")),
    ]
    assert prices[2] == [(512, Decimal("0.0115")), (2048, Decimal("0.016")), (4096, Decimal("0.022"))]
    assert [column.best and column.best.size.memory_mb for column in found.columns] == [512, 512, 512]


def test_what_was_measured_takes_longer_with_less_than_a_processor() -> None:
    """On aws the memory costs the same up to 1769 MB, so that the quicker size is the better one."""
    shape = priced.shape(duration={})
    found = compare(priced.offers(SPEC), priced.question(SPEC, shape), ())
    aws, gcp, azure = found.columns
    took = [[round(one.duration_ms or 0, 1) for one in column.candidates] for column in found.columns]
    assert took == [
        [Decimal("691.0"), Decimal("345.5"), Decimal("172.8"), 100],
        [100, 100, 100, 100],
        [400, 100, 100],
    ]
    assert aws.best is not None
    assert aws.best.size.memory_mb == 2048  # it costs 4 % more than 1024 MB, and takes 100 ms instead of 173
    assert gcp.best is not None
    assert gcp.best.size.memory_mb == 256
    assert azure.best is not None
    assert azure.best.size.memory_mb == 2048  # it costs the same, and is four times as quick
    assert found.is_measured


def test_measured_requests_share_no_more_than_the_processors() -> None:
    """Four at once on gcp's one processor cost as much as one after the other; given ones share the time."""
    spec, busy = priced.spec(resources={"memory_mb": 512, "concurrency": 4}), 10**9
    measured = compare(priced.offers(spec), priced.question(spec, priced.shape(busy, duration={})), ())
    given = compare(priced.offers(spec), priced.question(spec, priced.shape(busy)), ())
    costs = [found.columns[1].candidates[1].monthly for found in (measured, given)]
    assert costs == [Decimal(1 + 3000 + 1000), Decimal(1 + 3000 + 250)]


def test_the_peak_grows_with_the_requests() -> None:
    shape = priced.shape(1_000_000, peak=Decimal(20))
    assert shape_of(shape, Decimal(10_000_000)).peak == 200
    assert shape_of(shape, Decimal(1_000)).peak == 1
    assert shape_of(priced.shape(), Decimal(5)).peak is None


def test_what_cannot_be_taken_says_why_and_the_rest_goes_on() -> None:
    offers = priced.offers(SPEC, [128, 512, 1000])
    offers[1] = replace(offers[1], plan=None, why="pulumi_gcp is not installed.")
    found = compare(offers, priced.question(SPEC, priced.shape()), ())
    whys = [[one.why for one in column.candidates] for column in found.columns]
    assert whys[0] == ["A process held 200 MB here until its first answer.", "", ""]
    assert whys[2][0] == "azure has no 128 MB; the nearest is 512 MB."
    assert whys[2][2] == "azure has no 1000 MB; the nearest is 512 MB."
    assert [column.why for column in found.columns] == ["", "pulumi_gcp is not installed.", ""]
    assert [curve.target for curve in found.curves] == ["aws", "azure"]
    assert "gcp is not compared: pulumi_gcp is not installed." in found.advice


def test_a_region_without_a_price_is_a_column_that_says_so() -> None:
    question = priced.question(SPEC, priced.shape(), priced.unpriced_on("aws"))
    found = compare(priced.offers(SPEC), question, ())
    assert found.columns[0].best is None
    assert found.columns[0].why == (
        "there is no price of aws.requests in somewhere.\n"
        "Read the cloud's own: lastmile prices refresh --target aws --region somewhere"
    )
    assert found.best is not None
    nothing = compare(
        priced.offers(SPEC), replace(question, price=priced.unpriced_on("aws", "gcp", "azure")), ()
    )
    assert (nothing.best, nothing.curves, nothing.leads, nothing.crossings) == (None, (), (), ())
    assert nothing.advice[0] == "No target can be recommended: none that carries this spec has a price."


def test_a_spec_that_does_not_fit_says_which_field_to_change() -> None:
    spec = priced.spec(targets={})
    gcp = replace(priced.offer("aws", SPEC), target="gcp", sizes=tuple(sizes("gcp", spec)), plan=None)
    found = compare([priced.offer("aws", spec), gcp], priced.question(spec, priced.shape()), ())
    assert found.columns[1].why.startswith("targets.gcp.base_image is missing: ")
    assert "Name one, such as docker.io/library/python:3.13-slim" in found.columns[1].why


def test_other_currencies_are_not_compared() -> None:
    def in_euro(plan: Plan, resources: object, traffic: Traffic) -> object:
        currency = "EUR" if plan["target"] == "azure" else "USD"
        return priced.price(plan, resources, traffic, currency)  # type: ignore[arg-type]  # as Pricing has it

    found = compare(priced.offers(SPEC), priced.question(SPEC, priced.shape(), in_euro), ())
    assert found.currency == "USD"
    assert found.columns[2].why == (
        "its prices are in EUR, the others' in USD. lastmile prices refresh --target azure"
    )
    assert [curve.target for curve in found.curves] == ["aws", "gcp"]


def test_less_memory_than_the_spec_asks_for_is_taken_only_where_it_was_measured() -> None:
    unknown = Here("a machine", {"v1": "no", "v2": "no"})
    found = compare(priced.offers(SPEC), priced.question(SPEC, priced.shape(), here=unknown), ())
    assert [column.best and column.best.size.memory_mb for column in found.columns] == [512, 512, 512]
    assert {point.memory_mb for curve in found.curves for point in curve.points} == {512}
