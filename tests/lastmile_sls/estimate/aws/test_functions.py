"""Lambda's prices: AWS's own worked examples, and what they leave out.

aws.amazon.com/lambda/pricing, copy of 2026-09-20; all in us-east-1, on x86.
"""

from __future__ import annotations

import pytest

from lastmile_sls.estimate.aws.functions import function as price
from lastmile_sls.estimate.aws.functions import provisioned_concurrency
from lastmile_sls.policy.resource import UNKNOWN
from lastmile_sls.prices.book import UnpricedError
from tests.lastmile_infra.plans import two_versions
from tests.lastmile_sls.estimate.aws.months import NAME, D, costs, function, month, quantities
from tests.lastmile_sls.policy.judged import made

_KEPT = made("aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig", functionName=NAME)


def _x86(memory_mb: int, **more: int) -> dict[str, object]:
    return {"resources": {"memory_mb": memory_mb, "processor": "x86_64", **more}}


def test_the_pages_mobile_backend() -> None:
    """Three million requests of 120 ms and 1 536 MB: 540 000 GB-s, of which 400 000 are free: 2.33 + 0.40 USD."""
    found = price(function(), month(3_000_000, 120, spec=_x86(1536), free_tier=True))
    assert quantities(found) == {"Requests": 3_000_000, "Duration": 540_000}
    assert costs(found) == {"Requests": D("0.40"), "Duration": D("2.33")}


def test_the_pages_messages_of_devices() -> None:
    """7.44 million of 2 s and 1 024 MB, nothing free: 1.49 + 248.00 USD."""
    found = price(function(), month(7_440_000, 2000, spec=_x86(1024)))
    assert quantities(found) == {"Requests": 7_440_000, "Duration": 14_880_000}
    assert costs(found) == {"Requests": D("1.49"), "Duration": D("248.00")}


def test_the_pages_temporary_files() -> None:
    """Six million of 280 ms, 4 096 MB, 2 048 MB in /tmp: 1 + 105.33 + 0.08 USD."""
    resource = function(memorySize=4096, architectures=["x86_64"], ephemeralStorage={"size": 2048})
    found = price(resource, month(6_000_000, 280, free_tier=True))
    assert quantities(found) == {
        "Requests": 6_000_000,
        "Duration": 6_720_000,
        "Temporary files above 512 MB": 2_520_000,
    }
    assert list(costs(found).values()) == [D("1.00"), D("105.33"), D("0.08")]


def test_the_pages_warm_instances() -> None:
    """A hundred of 1 536 MB for 8 hours and half a million calls of 100 ms: 18 + 0.73 USD; ours are warm all month."""
    here = month(500_000, 100, spec=_x86(1536, min_instances=100), peak_concurrency=100)
    kept, duration = provisioned_concurrency(_KEPT, here)
    assert kept.quantity * 8 / 730 == 4_320_000
    assert (kept.cost * 8 / 730).quantize(D("0.01")) == D("18.00")
    assert (kept.name, kept.usage_based, duration.usage_based) == ("Kept warm", False, True)
    assert (duration.quantity, duration.cost.quantize(D("0.01"))) == (D(75_000), D("0.73"))
    assert quantities(price(function(), here)) == {"Requests": 500_000}


def test_the_pages_second_example_of_warm_instances() -> None:
    """Seven of 4 096 MB for a day, two million calls of 280 ms: 10.08 + 21.78 + 0.40 USD, which the page makes 32.26."""
    here = month(2_000_000, 280, spec=_x86(4096, min_instances=7), peak_concurrency=7)
    kept, duration = provisioned_concurrency(_KEPT, here)
    (requests,) = price(function(), here)
    assert kept.quantity * 24 / 730 == D(2_419_200)
    total = kept.cost * 24 / 730 + duration.cost + requests.cost
    assert (duration.quantity, total.quantize(D("0.01"))) == (D(2_240_000), D("32.26"))


def test_what_comes_beyond_the_warm_instances_has_the_usual_price() -> None:
    """Of four at once one is warm: a quarter of 10 000 GB-s has the lower price."""
    here = month(10_000, 1000, spec=_x86(1024, min_instances=1), peak_concurrency=4)
    kept, duration = provisioned_concurrency(_KEPT, here)
    assert quantities(price(function(), here)) == {"Requests": 10_000, "Duration": 7500}
    assert (kept.quantity, duration.quantity) == (D(2_628_000), D(2500))
    assert (kept.by_version, duration.by_version) == ({"v1": kept.cost}, {"v1": duration.cost})
    idle = month(0, spec=_x86(1024, min_instances=1))
    assert quantities(provisioned_concurrency(_KEPT, idle)) == {"Kept warm": 2_628_000}


def test_the_pages_snapshots() -> None:
    """7.44 million of 2 s and 1 024 MB, one in a hundred restored: 1.49 + 248.00 + 10.40 USD; and the cache, 4.03 in
    the page's month of 744 hours."""
    spec = {**_x86(1024), "targets": {"aws": {"snap_start": True}}}
    found = price(function(), month(7_440_000, 2000, spec=spec, cold_share="0.01", init_ms=500))
    assert quantities(found) == {
        "Requests": 7_440_000,
        "Duration": 14_880_000,
        "Snapshot of one version": 2_678_400 * D(730) / 744,
        "Snapshots restored": 74_400,
    }
    cache = found[2]
    assert list(costs(found).values()) == [D("1.49"), D("248.00"), D("3.95"), D("10.40")]
    assert (cache.cost * 744 / 730).quantize(D("0.01")) == D("4.03")
    assert [one.usage_based for one in found] == [True, True, False, True]
    idle = price(function(), month(0, spec=spec))
    assert quantities(idle) == {"Snapshot of one version": 2_628_000}


def test_each_started_millisecond_is_billed_and_a_cold_start_s_initialization() -> None:
    """aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase (2025-08-01); 12.3 ms count as 13."""
    here = month(1_000_000, "12.3", spec=_x86(512), cold_share="0.01", init_ms=400)
    assert quantities(price(function(), here)) == {
        "Requests": 1_000_000,
        "Duration": 1_000_000 * D("0.013") / 2,
        "Initialization": 10_000 * D("0.4") / 2,
    }


def test_duration_beyond_six_billion_has_the_next_price() -> None:
    """The page: the first 6 billion GB-s a month at 0.0000166667 USD, the next 9 at 0.000015, above at 0.0000133334."""
    (_, duration) = price(function(), month(1_600_000_000, 10_000, spec=_x86(1024)))
    assert duration.quantity == 16_000_000_000
    assert duration.cost == D("100000.2") + D(135_000) + D("13333.4")


def test_each_version_s_part_is_its_billed_time() -> None:
    found = price(
        function(), month(1000, 100, spec={**two_versions(), **_x86(1024)}, init_ms=100, cold_share="0.1")
    )
    requests, duration, initialization = found
    assert requests.by_version == {"v1": requests.cost * 9 / 10, "v2": requests.cost / 10}
    assert duration.by_version == {"v1": duration.cost * 9 / 10, "v2": duration.cost / 10}
    assert initialization.by_version == {}


def test_the_resource_s_size_and_processor_go_before_the_plan_s_where_they_are_known() -> None:
    here = month(1000, 1000)
    known = price(function(memorySize=2048, architectures=["x86_64"]), here)
    unknown = price(function(memorySize=UNKNOWN, architectures=UNKNOWN), here)
    assert [(one.price.meter, one.quantity) for one in known] == [
        ("aws.lambda.requests.x86_64", D(1000)),
        ("aws.lambda.duration.x86_64", D(2000)),
    ]
    assert [(one.price.meter, one.quantity) for one in unknown] == [
        ("aws.lambda.requests.arm64", D(1000)),
        ("aws.lambda.duration.arm64", D(500)),
    ]


def test_a_cold_start_reads_its_secrets() -> None:
    spec = {"secrets": {"A_TOKEN": "a-token", "B_TOKEN": "b-token"}}
    found = price(function(), month(1000, spec=spec, cold_share="0.1"))
    assert quantities(found)["Secrets read"] == 200
    assert found[-1].cost == D("0.001")


def test_a_region_without_a_price_is_refused_by_name() -> None:
    with pytest.raises(UnpricedError) as caught:
        price(function(), month(1, spec={"targets": {"aws": {"snap_start": True}}}, region="eu-west-1"))
    assert caught.value.message == "there is no price of aws.lambda.snapstart-cache in eu-west-1."


def test_nothing_costs_nothing() -> None:
    assert price(function(), month(0)) == []
    assert price(function(), month(0, cold_share="0.5", init_ms=400)) == []
