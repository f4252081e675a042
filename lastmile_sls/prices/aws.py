"""What AWS's Price List API says: its products, and how their tiers become ours.

GetProducts of botocore's `pricing` (2017-10-15) answers with products as JSON: `product.attributes`, and below
`terms.OnDemand` the tiers, from `beginRange` to `endRange`, the last of which is `Inf`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.prices.aws_meters import METERS, Meter
from lastmile_sls.prices.book import FORMAT

if TYPE_CHECKING:
    from lastmile_sls.control.aws.client import Aws

__all__ = ["METERS", "refresh"]

_END = "Inf"
_CURRENCY = "USD"
_PLACES = {
    "af": "eu-central-1",
    "ap": "ap-south-1",
    "eu": "eu-central-1",
    "il": "eu-central-1",
    "me": "eu-central-1",
}
"""Where the API answers, by how a region begins; for all others us-east-1 (botocore's endpoints.json, 1.44.8)."""
Product = Mapping[str, Any]
Tiers = list[list[str]]


def refresh(
    regions: Sequence[str], environ: Mapping[str, str], today: date, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Return a list of all meters' prices in some regions, as AWS's Price List API has them now.

    boto3 finds the credentials as it always does; they need `pricing:GetProducts`, and nothing of a bill.

    Args:
        regions: Where.
        environ: Says by AWS_REGION which of the API's places is near.
        today: When this is.
        tell: Told of each meter that the API does not have, or has twice; it is left out.

    Raises LastmileError without boto3 or credentials, when the API does not answer, and for a region that it does not know.
    """
    from lastmile_sls.cloud_stack import CloudStack
    from lastmile_sls.control.aws.client import Aws

    near = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""
    place = _PLACES.get(near.partition("-")[0], "us-east-1")
    asked = {"deployment": "the price list", "region": place}
    return document(Aws(CloudStack(None, "aws", asked, environ)), regions, today, tell)


def document(aws: Aws, regions: Sequence[str], today: date, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return the list (see `refresh`), asked of an API."""
    listed = {name: _empty(meter) for name, meter in METERS.items()}
    for region in regions:
        found = dict(_found(aws, region, tell))
        if not any(METERS[name].region for name in found):
            raise LastmileError(
                f"AWS's price list has no price in {region!r}.",
                "Name a region as AWS does, such as eu-west-1.",
            )
        for name, (sku, listed_tiers) in found.items():
            free, tiers = _without_free(listed_tiers)
            if free:
                listed[name]["free"] = free
            source = (
                f"https://api.pricing.{aws.region}.amazonaws.com (GetProducts, {METERS[name].service}, {sku})"
            )
            price = {
                "regions": [region],
                "tiers": tiers,
                "source": source,
                "read": today.isoformat(),
                "verified": True,
            }
            listed[name]["prices"].append(price)
    meters = {name: entry for name, entry in listed.items() if entry["prices"]}
    return {"format": FORMAT, "cloud": "aws", "currency": _CURRENCY, "meters": meters}


def _empty(meter: Meter) -> dict[str, Any]:
    free = {} if meter.free == "0" else {"free": meter.free}
    return {"name": meter.name, "unit": meter.unit, **free, "prices": []}


def _found(aws: Aws, region: str, tell: Callable[[str], None]) -> Iterator[tuple[str, tuple[str, Tiers]]]:
    """Yield each meter with its product and tiers in a region; tell of those that have none, or no single one."""
    asked: dict[tuple[str, str | None], list[Product]] = {}
    for name, meter in METERS.items():
        key = (meter.service, meter.region)
        if key not in asked:
            asked[key] = list(_products(aws, meter, region))
        try:
            yield name, _price(meter, region, asked[key])
        except ValueError as error:
            tell(f"{name} in {region} is left out: {error}.")


def _products(aws: Aws, meter: Meter, region: str) -> Iterator[Product]:
    """Yield a service's products in a region, page after page. Raises LastmileError."""
    where = {meter.region: region} if meter.region else {"usagetype": meter.usage[0]}
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in where.items()]
    with aws.asking(f"the products of {meter.service}"):
        pages = aws.client("pricing").get_paginator("get_products")
        for page in pages.paginate(ServiceCode=meter.service, Filters=filters, FormatVersion="aws_v1"):
            for product in page["PriceList"]:
                yield json.loads(product)


def _price(meter: Meter, region: str, products: Iterable[Product]) -> tuple[str, Tiers]:
    """Return a meter's product and tiers. Raises ValueError for none, for several, and for what is not understood."""
    named = [one["product"] for one in products if meter.is_of(one["product"]["attributes"], region)]
    skus = {product["sku"] for product in named}
    if not skus:
        raise ValueError("AWS's price list has no such product")
    found = {
        (sku, *map(tuple, tiers)): tiers
        for one in products
        if (sku := one["product"]["sku"]) in skus
        for tiers in _offers(meter, one)
    }
    if len({key[1:] for key in found}) != 1:
        prices = ", ".join(f"{key[0]} for {key[1][1]}" for key in sorted(found))
        raise ValueError(f"AWS's price list has several ({prices})" if found else "it has no price on demand")
    key = min(found)
    return key[0], found[key]


def _offers(meter: Meter, product: Product) -> Iterator[Tiers]:
    """Yield the tiers of each offer on demand. Raises ValueError."""
    for offer in product["terms"].get("OnDemand", {}).values():
        steps = sorted(offer["priceDimensions"].values(), key=lambda step: Decimal(step["beginRange"]))
        if wrong := {step["unit"] for step in steps if meter.units and step["unit"] not in meter.units}:
            raise ValueError(f"it is counted in {wrong.pop()!r}, not in {' or '.join(meter.units)}")
        ends = [step["endRange"] for step in steps]
        starts = [step["beginRange"] for step in steps]
        if not steps or Decimal(starts[0]) or [*starts[1:], _END] != ends:
            raise ValueError("its tiers do not follow one another from 0 to the end")
        if any(_CURRENCY not in step["pricePerUnit"] for step in steps):
            raise ValueError(f"it has no price in {_CURRENCY}")
        yield [[_plain(step["beginRange"]), _plain(step["pricePerUnit"][_CURRENCY])] for step in steps]


def _without_free(tiers: Tiers) -> tuple[str, Tiers]:
    """Return what a first tier has for nothing, and the others, which begin where it ended."""
    if len(tiers) < 2 or Decimal(tiers[0][1]):
        return "", tiers
    free = tiers[1][0]
    return free, [[_plain(Decimal(start) - Decimal(free)), price] for start, price in tiers[1:]]


def _plain(number: str | Decimal) -> str:
    """Return a number without an exponent and without zeros that say nothing."""
    return format(Decimal(number).normalize(), "f")
