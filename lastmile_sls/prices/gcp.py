"""Turns the answers of Google's Cloud Billing Catalog API into a list of prices.

An SKU is found by its description and the regions that it serves. What an account has free is its first tier, which costs
nothing, and its prices are for a unit of its own, such as GiBy.s (the discovery document of cloudbilling v1,
PricingExpression).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import prod
from typing import Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.prices.book import EVERYWHERE, FORMAT
from lastmile_sls.prices.gcp_api import ADDRESS, AGAIN, CURRENCY, Api, Sku, skus_of, who_asks
from lastmile_sls.prices.gcp_meters import CONTINENTS, METERS, Meter

__all__ = ["METERS", "refresh"]

_SIZES = {
    name: Decimal(2) ** power
    for name, power in (("By", 0), ("KiBy", 10), ("MiBy", 20), ("GiBy", 30), ("TiBy", 40))
}
_TIMES_S = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "mo": 730 * 3600}
"""A month is as long as an estimate's."""
_COUNT = "count"
_ON_DEMAND = "OnDemand"
_BILLION = 10**9
_MILLIONTH = Decimal("0.000001")


class _LeftOutError(Exception):
    """Why a meter has no price: for people."""


@dataclass(frozen=True)
class _Rates:
    """A price in the meter's unit."""

    free: Decimal
    tiers: tuple[tuple[Decimal, Decimal], ...]
    """From how much on a unit costs how much, without what is free; the first from 0."""


def refresh(
    regions: Sequence[str],
    environ: Mapping[str, str],
    today: date,
    tell: Callable[[str], None],
    *,
    address: str = ADDRESS,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Return a list of what each meter costs in these regions, as the API says it today.

    A meter that the API has no SKU of in a region, or several, is named through `tell` and left out.

    Args:
        regions: As Google writes them, such as europe-west1.
        environ: GOOGLE_API_KEY is a key for the API; without it the application default credentials are used.
        today: The date that the list says.
        tell: Told what is left out, and why.
        address: The API's.
        pause: Waits so many seconds.

    Raises LastmileError for a region that Google has no price in, when the API cannot be reached or refuses who asks, and
    for what no list of prices is.
    """
    api = Api(address, pause, who_asks(environ))
    skus: dict[str, list[Sku]] = {}
    found: dict[str, dict[str, Any]] = {}
    for id_, meter in METERS.items():
        if meter.service not in skus:
            skus[meter.service] = list(api.skus(meter.service))
        if prices := _listed(id_, meter, skus[meter.service], regions, today, tell):
            free = {"free": _text(meter.free)} if meter.free else {}
            found[id_] = {"name": meter.name, "unit": meter.unit, **free, "prices": prices}
    _check_found(regions, found)
    return {"format": FORMAT, "cloud": "gcp", "currency": CURRENCY, "meters": found}


def _check_found(regions: Sequence[str], found: Mapping[str, Mapping[str, Any]]) -> None:
    priced = {
        region for entry in found.values() for listed in entry["prices"] for region in listed["regions"]
    }
    for region in regions:
        if region not in priced:
            raise LastmileError(
                f"Google's list of prices has nothing for the region {region}.",
                "Write it as Google does, such as europe-west1; gcloud run regions list has all.",
            )


def _listed(
    id_: str,
    meter: Meter,
    skus: Sequence[Sku],
    regions: Sequence[str],
    today: date,
    tell: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Return a meter's prices, with the regions that cost the same together."""
    alike: dict[_Rates, list[str]] = {}
    for region in dict.fromkeys(regions) if meter.regional else (EVERYWHERE,):
        try:
            alike.setdefault(_rates(meter, skus, region), []).append(region)
        except _LeftOutError as why:
            where = "" if region == EVERYWHERE else f" in {region}"
            tell(f"{id_}{where}: {why}; left out.")
    return [
        {
            "regions": sorted(where),
            "tiers": [[_text(start), _text(price)] for start, price in rates.tiers],
            **({"free": _text(free)} if (free := rates.free or _credited(meter, rates)) else {}),
            "source": skus_of(meter.service),
            "read": today.isoformat(),
            "verified": True,
        }
        for rates, where in alike.items()
    ]


def _rates(meter: Meter, skus: Sequence[Sku], region: str) -> _Rates:
    """Return the price of the SKU that fits. Raises _LeftOutError for none, and for several of different prices."""
    fitting = [sku for sku in skus if _is_of(sku, meter, region)]
    if not fitting:
        raise _LeftOutError("Google's list has no such SKU")
    rates = {_converted(meter, sku) for sku in fitting}
    if len(rates) > 1:
        named = " and ".join(sorted(f"{sku.get('skuId')} ({_described(sku)})" for sku in fitting))
        raise _LeftOutError(f"several SKUs fit, {named}")
    return rates.pop()


def _credited(meter: Meter, rates: _Rates) -> Decimal:
    """Return how many units a credit pays for, where that is not what the meter says."""
    price = rates.tiers[0][1]
    if meter.credited is None or not price or price == meter.credited:
        return Decimal(0)
    return (meter.free * meter.credited / price).quantize(_MILLIONTH)


def _is_of(sku: Sku, meter: Meter, region: str) -> bool:
    category = sku.get("category", {})
    if category.get("usageType") != _ON_DEMAND or meter.group not in (None, category.get("resourceGroup")):
        return False
    if region != EVERYWHERE and region not in sku.get("serviceRegions", ()):
        return False
    near = CONTINENTS.get(region.partition("-")[0], "")
    pattern = meter.description.replace("{region}", re.escape(region)).replace("{continent}", near)
    return re.fullmatch(pattern, _described(sku)) is not None


def _described(sku: Sku) -> str:
    """Return its description; some have two spaces where others have one."""
    return " ".join(str(sku.get("description", "")).split())


def _converted(meter: Meter, sku: Sku) -> _Rates:
    """Return an SKU's newest price in the meter's unit. Raises _LeftOutError for another unit or currency."""
    expressions = [
        info["pricingExpression"] for info in sku.get("pricingInfo", ()) if "pricingExpression" in info
    ]
    if not expressions:
        raise _LeftOutError(f"{sku.get('skuId')} has no price")
    sold, ours = _sizes(meter, str(expressions[-1].get("usageUnit")))
    tiers = sorted(
        (
            _number(rate.get("startUsageAmount", 0)) * sold / ours,
            _money(rate.get("unitPrice", {})) * ours / sold,
        )
        for rate in expressions[-1].get("tieredRates", ())
    )
    if not tiers or tiers[0][0]:
        raise _LeftOutError(f"{sku.get('skuId')} has no price of the first unit")
    free = tiers[1][0] if len(tiers) > 1 and not tiers[0][1] else Decimal(0)
    return _Rates(free, tuple((start - free, price) for start, price in tiers if start >= free))


def _sizes(meter: Meter, unit: str) -> tuple[Decimal, Decimal]:
    """Return how large the API's unit and ours are. Raises _LeftOutError for one that is no measure of the same."""
    one = Decimal(1)
    if unit == meter.usage_unit or (unit, meter.usage_unit) == (_COUNT, "mo"):
        return one, one
    sold, ours = _measures(unit), _measures(meter.usage_unit)
    if not sold or not ours or sold.keys() != ours.keys():
        raise _LeftOutError(f"it is sold by {unit!r}, and not by the {meter.unit}")
    return prod(sold.values(), start=one), prod(ours.values(), start=one)


def _measures(unit: str) -> dict[str, Decimal]:
    """Return a unit's bytes and seconds, such as GiBy.mo's; empty for one of other things."""
    found: dict[str, Decimal] = {}
    for part in unit.split("."):
        if part in _SIZES:
            found["bytes"] = _SIZES[part]
        elif part in _TIMES_S:
            found["seconds"] = Decimal(_TIMES_S[part])
        else:
            return {}
    return found


def _money(amount: Mapping[str, Any]) -> Decimal:
    """Return a google.type.Money: whole units, and billionths."""
    if amount.get("currencyCode", CURRENCY) != CURRENCY:
        said = amount["currencyCode"]
        raise LastmileError(f"Google's list of prices is in {said}, but {CURRENCY} was asked for.", AGAIN)
    return _number(amount.get("units") or 0) + _number(amount.get("nanos") or 0) / _BILLION


def _number(value: object) -> Decimal:
    """Return a number of the API's: its int64 are text."""
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"\d+(\.\d+)?([eE][+-]?\d+)?", text):
        raise LastmileError(f"Google's list of prices says {value!r}, which is no number.", AGAIN)
    return Decimal(text)


def _text(number: Decimal) -> str:
    return format(number.normalize(), "f")
