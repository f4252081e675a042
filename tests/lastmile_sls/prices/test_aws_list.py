"""The list of AWS's prices that is shipped: whole, dated, and a few prices that everybody knows."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import lastmile_sls.prices
from lastmile_sls.prices.aws import METERS
from lastmile_sls.prices.book import PriceBook, UnpricedError

REGIONS = (
    "ap-northeast-1",
    "ap-southeast-1",
    "eu-central-1",
    "eu-west-1",
    "us-east-1",
    "us-east-2",
    "us-west-2",
)
ONLY = {
    "aws.lambda.provisioned-concurrency.arm64": {"us-east-1"},
    "aws.lambda.provisioned-duration.arm64": {"us-east-1", "us-west-2"},
    "aws.lambda.snapstart-cache": {"ap-northeast-1", "us-east-1"},
    "aws.lambda.snapstart-restore": {"ap-northeast-1", "us-east-1"},
    "aws.lambda.streaming.arm64": {"us-east-1"},
    "aws.lambda.streaming.x86_64": {"us-east-1"},
}
"""What nobody could read elsewhere."""


@cache
def shipped() -> dict[str, Any]:
    path = Path(lastmile_sls.prices.__file__).parent / "lists" / "aws.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_it_says_of_each_meter_what_a_refresh_would() -> None:
    found = shipped()
    assert (found["format"], found["cloud"], found["currency"]) == ("lastmile.prices/1", "aws", "USD")
    told = {
        name: (entry["name"], entry["unit"], entry.get("free", "0"))
        for name, entry in found["meters"].items()
    }
    assert told == {name: (meter.name, meter.unit, meter.free) for name, meter in METERS.items()}


def test_each_price_has_an_address_a_day_and_tiers_in_order() -> None:
    for price in PriceBook([shipped()]).prices():
        assert price.source.startswith("https://"), price.meter
        assert date(2025, 10, 1) <= price.read <= date(2026, 11, 30), price
        starts = [tier.start for tier in price.tiers]
        assert starts == sorted(set(starts)), price
        assert starts[0] == 0, price
        assert all(tier.price > 0 for tier in price.tiers), price
        assert price.region != "*", price.meter


def test_no_region_has_two_prices() -> None:
    for name, entry in shipped()["meters"].items():
        regions = [region for price in entry["prices"] for region in price["regions"]]
        assert len(regions) == len(set(regions)), name


def test_the_largest_regions_have_each_meter_but_for_those_that_nobody_could_read() -> None:
    book = PriceBook([shipped()])
    for name in METERS:
        known = set()
        for region in REGIONS:
            try:
                book.price(name, region)
            except UnpricedError:
                continue
            known.add(region)
        assert known == ONLY.get(name, set(REGIONS)), name


def test_a_region_without_a_price_is_refused_by_name() -> None:
    with pytest.raises(UnpricedError) as caught:
        PriceBook([shipped()]).price("aws.lambda.streaming.arm64", "eu-west-1")
    assert caught.value.message == "there is no price of aws.lambda.streaming.arm64 in eu-west-1."
    assert (
        caught.value.hint == "Read the cloud's own: lastmile prices refresh --target aws --region eu-west-1"
    )


@pytest.mark.parametrize(
    ("meter", "region", "price"),
    [
        ("aws.lambda.duration.x86_64", "us-east-1", "0.0000166667"),
        ("aws.lambda.duration.arm64", "us-east-1", "0.0000133334"),
        ("aws.lambda.requests.arm64", "eu-west-1", "0.0000002"),
        ("aws.httpapi.requests", "us-east-1", "0.000001"),
        ("aws.s3.storage", "us-east-1", "0.023"),
        ("aws.sqs.requests", "us-east-1", "0.0000004"),
        ("aws.transfer.out", "us-east-1", "0.09"),
        ("aws.kms.keys", "eu-central-1", "1"),
    ],
)
def test_prices_that_the_pricing_pages_state(meter: str, region: str, price: str) -> None:
    """aws.amazon.com/lambda/pricing (2026-09-20), /api-gateway/pricing (2026-09-21), /s3/pricing (2026-09-06), /sqs/pricing
    (2026-10-01), /ec2/pricing/on-demand and /kms/pricing (2026-08-08)."""
    assert PriceBook([shipped()]).price(meter, region).first == Decimal(price)
