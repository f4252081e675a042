"""Every resource of our programs has a line, and what has no price is refused by name."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from lastmile_sls.estimate.estimate import estimate
from lastmile_sls.estimate.gcp import COSTS
from lastmile_sls.prices.book import UnpricedError
from tests.examples.projects import EXAMPLES
from tests.lastmile_sls.estimate.gcp.months import BOOK, estimate_of, example, resources_of, traffic

_EVERY_TYPE = Path(__file__).parents[3] / "clouds" / "golden" / "every-type-gcp.json"
_EVEN = {"v1": 42, "v2": 84}


def test_every_resource_of_every_example_has_a_line() -> None:
    for name in EXAMPLES:
        plan, resources = example(name)
        found = estimate_of(name, traffic(1000, _EVEN))
        assert [line.name for line in found.lines] == [resource.name for resource in resources]
        for line in found.lines:
            assert line.status in ("priced", "free"), line
            assert bool(line.components) == (line.status == "priced")
            assert line.why or line.components
        assert found.monthly == found.baseline + found.usage > 0, plan["deployment"]


def test_every_type_that_our_programs_know_is_in_one_table() -> None:
    types = {one.type for one in resources_of(_EVERY_TYPE) if one.type.startswith("gcp:")}
    types |= {one.type for name in EXAMPLES for one in example(name)[1] if one.type.startswith("gcp:")}
    assert types <= COSTS.priced.keys() | COSTS.free.keys()
    assert not COSTS.priced.keys() & COSTS.free.keys()
    for why in COSTS.free.values():
        assert "google.com" in why, why


def test_what_a_deployment_costs_that_nobody_calls() -> None:
    idle = {name: estimate_of(name, traffic(0, {})) for name in EXAMPLES}
    assert {name: f"{one.monthly:.2f}" for name, one in idle.items()} == {
        "breast-cancer": "0.08",
        "conflicting-versions": "0.10",
        "image-sized": "0.08",
        "overnight": "0.18",
        "public": "0.02",
        "watched": "0.08",
        "web-app": "25.27",
    }
    clock = Decimal(0)
    for name, one in idle.items():
        assert (one.usage > 0) == (name == "overnight"), "the clock strikes whether anybody calls or not"
        clock += one.usage
    assert f"{clock:.4f}" == "0.0004"


def test_versions_of_a_function_share_it_by_what_they_work() -> None:
    found = estimate_of("breast-cancer", traffic(1_000_000, {"v1": 100, "v2": 300}))
    parts = {one.version: one for one in found.by_version()}
    shares = {version: str(share) for version, share in found.versions.items()}
    assert shares == {"v1": "0.9", "v2": "0.1"}
    cpu = next(one for one in found.components if one.name == "CPU")
    ratio = cpu.by_version["v1"] / cpu.by_version["v2"]
    assert f"{ratio:.9f}" == "3.000000000", "a tenth of the requests, each three times as long"
    both = parts["v1"].monthly + parts["v2"].monthly
    assert f"{both:.9f}" == f"{found.monthly:.9f}"


def test_a_region_without_a_price_is_refused_by_name() -> None:
    plan, resources = example("web-app")
    assert plan["place"]
    plan["place"]["region"] = "asia-northeast1"
    with pytest.raises(UnpricedError) as refused:
        estimate(plan, resources, traffic(1000, _EVEN), BOOK)
    assert str(refused.value) == (
        "there is no price of gcp.balancer.inbound in asia-northeast1.\n"
        "Read the cloud's own: lastmile prices refresh --target gcp --region asia-northeast1"
    )


def test_what_is_free_is_taken_off_once_for_the_deployment() -> None:
    month = replace(traffic(3_000_000, {"v1": 100, "v2": 100}), effective_concurrency=Decimal(1))
    paid = estimate_of("conflicting-versions", month)
    free = estimate_of("conflicting-versions", month, free_tier=True)
    requests = {
        one.name: sum(c.cost for c in one.components if c.name == "Requests")
        for one in free.lines
        if one.type.endswith(":Service") and one.components
    }
    # 4 500 000 requests of two functions, of which 2 000 000 are free.
    assert f"{sum(requests.values()):.9f}" == "1.000000000"
    assert free.monthly < paid.monthly
