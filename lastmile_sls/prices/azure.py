"""Turns the answers of Azure's Retail Prices API into a list of prices.

It says each price for a unit of its own, such as 10 executions, and what an account has free as a first row that costs
nothing; a meter of another region that is sold here too has isPrimaryMeterRegion false
(learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices, 2026-11-30).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from lastmile_sls.errors import LastmileError
from lastmile_sls.prices.azure_api import ADDRESS, AGAIN, CURRENCY, Api, Row
from lastmile_sls.prices.azure_meters import METERS, ZONES, Meter
from lastmile_sls.prices.book import FORMAT

__all__ = ["METERS", "refresh"]

_REGION = re.compile(r"^[a-z0-9]{2,40}$")
_UNIT = re.compile(r"^(?P<count>\d+(?:\.\d+)?)(?P<times>[KM]?)(?P<kind>.*)$")
_TIMES = {"": 1, "K": 1_000, "M": 1_000_000}


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

    A meter that the API has no price of in a region, or several, is named through `tell` and left out.

    Args:
        regions: As Azure writes them, such as westeurope.
        environ: Not read: the API asks for no key.
        today: The date that the list says.
        tell: Told what is left out, and why.
        address: The API's.
        pause: Waits so many seconds.

    Raises LastmileError for a region that Azure has no price in, when the API cannot be reached, and for what no list of
    prices is.
    """
    del environ
    _check_regions(regions)
    api = Api(address, pause)
    by_product: dict[tuple[str, str], list[str]] = {}
    for id_, meter in METERS.items():
        by_product.setdefault((meter.service, meter.product), []).append(id_)
    found: dict[str, dict[str, Any]] = {}
    priced: set[str] = set()
    for (service, product), ids in by_product.items():
        places = sorted({place for id_ in ids for place in _places(METERS[id_], regions)})
        asked = _filter(service, product, places)
        rows = list(api.rows(asked)) if places else []
        for id_ in ids:
            tiers = _tiers_by_region(id_, METERS[id_], regions, rows, today, tell)
            priced |= set() if METERS[id_].zoned else set(tiers)
            if tiers:
                found[id_] = _entry(METERS[id_], tiers, f"{ADDRESS}?$filter={quote(asked)}", today)
    _check_found(regions, priced)
    return {"format": FORMAT, "cloud": "azure", "currency": CURRENCY, "meters": found}


def _check_regions(regions: Sequence[str]) -> None:
    for region in regions:
        if not _REGION.fullmatch(region):
            raise LastmileError(
                f"--region is {region!r}, and a region of Azure's has small letters and digits alone.",
                "Write it as Azure does, such as westeurope.",
            )


def _check_found(regions: Sequence[str], priced: set[str]) -> None:
    for region in regions:
        if region not in priced:
            raise LastmileError(
                f"Azure's list of prices has nothing for the region {region}.",
                "Write it as Azure does, such as westeurope; az account list-locations --output table has all.",
            )


def _places(meter: Meter, regions: Sequence[str]) -> list[str]:
    """Return what the API calls these regions for a meter; those without a zone are left out."""
    return [ZONES[region] for region in regions if region in ZONES] if meter.zoned else list(regions)


def _filter(service: str, product: str, places: Sequence[str]) -> str:
    where = " or ".join(f"armRegionName eq '{place}'" for place in places)
    return f"serviceName eq '{service}' and productName eq '{product}' and priceType eq 'Consumption' and ({where})"


def _tiers_by_region(
    id_: str,
    meter: Meter,
    regions: Sequence[str],
    rows: Sequence[Row],
    today: date,
    tell: Callable[[str], None],
) -> dict[str, list[list[str]]]:
    """Return a meter's tiers in each region that has them."""
    found = {}
    for region in regions:
        place = ZONES.get(region, "") if meter.zoned else region
        fitting = [row for row in rows if _is_of(row, meter, place) and _began(row) <= today.isoformat()]
        try:
            free, found[region] = _tiers(meter, _newest(fitting))
        except _LeftOutError as why:
            tell(f"{id_} in {region}: {why}; left out.")
            continue
        if free and free != meter.free:
            known = f"lastmile knows of {_text(meter.free)}"
            tell(f"{id_} in {region}: Azure has {_text(free)} free each month, and {known}.")
    return found


class _LeftOutError(Exception):
    """Why a meter has no price: for people."""


def _is_of(row: Row, meter: Meter, place: str) -> bool:
    known = (meter.service, meter.product, meter.sku, meter.meter, "Consumption", place)
    names = ("serviceName", "productName", "skuName", "meterName", "type", "armRegionName")
    return tuple(row.get(name) for name in names) == known


def _began(row: Row) -> str:
    return str(row.get("effectiveStartDate", ""))[:10]


def _newest(rows: Sequence[Row]) -> list[Row]:
    """Return one row for each tier: of several, the one of the meter's own region, and then the newest.

    Raises _LeftOutError where there is none, and where two remain that say different prices.
    """
    if not rows:
        raise _LeftOutError("Azure's list has no such meter")
    by_tier: dict[tuple[Decimal, str], list[Row]] = {}
    for row in rows:
        by_tier.setdefault((_number(row, "tierMinimumUnits"), str(row.get("unitOfMeasure"))), []).append(row)
    return [_one(tied) for tied in by_tier.values()]


def _one(tied: Sequence[Row]) -> Row:
    own = [row for row in tied if row.get("isPrimaryMeterRegion") is True] or list(tied)
    last = max(_began(row) for row in own)
    newest = [row for row in own if _began(row) == last]
    prices = sorted({_number(row, "retailPrice") for row in newest})
    if len(prices) > 1:
        raise _LeftOutError(f"two prices fit, {' and '.join(map(_text, prices))}")
    return newest[0]


def _tiers(meter: Meter, rows: Sequence[Row]) -> tuple[Decimal, list[list[str]]]:
    """Return what is free, and tiers as a list has them: from 0 on, of one unit, without what is free.

    Raises _LeftOutError for units that are not the meter's.
    """
    tiers: dict[Decimal, Decimal] = {}
    for row in rows:
        times = _times(meter, str(row.get("unitOfMeasure")))
        tiers[_number(row, "tierMinimumUnits") * times] = _number(row, "retailPrice") / times
    starts = sorted(tiers)
    if starts[0] != 0:
        raise _LeftOutError(f"Azure's list has no price below {_text(starts[0])}")
    free = starts[1] if len(starts) > 1 and not tiers[starts[0]] else Decimal(0)
    return free, [[_text(start - free), _text(tiers[start])] for start in starts if start >= free]


def _times(meter: Meter, unit: str) -> Decimal:
    """Return how many of our units one of the API's is. Raises _LeftOutError for another unit than the meter's."""
    parts = _UNIT.fullmatch(unit)
    if parts is None or parts["kind"] != meter.kind:
        raise _LeftOutError(f"it is sold by {unit!r}, and not by the {meter.unit}")
    return Decimal(parts["count"]) * _TIMES[parts["times"]]


def _number(row: Row, name: str) -> Decimal:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or value < 0:
        raise LastmileError(f"Azure's list of prices says {name} {value!r}, which is no number.", AGAIN)
    return Decimal(value)


def _text(number: Decimal) -> str:
    return format(number.normalize(), "f")


def _entry(meter: Meter, tiers: Mapping[str, list[list[str]]], source: str, today: date) -> dict[str, Any]:
    """Return a meter's entry in a list, with the regions that cost the same together."""
    alike: dict[str, list[str]] = {}
    for region, prices in tiers.items():
        alike.setdefault(json.dumps(prices), []).append(region)
    prices_ = [
        {
            "regions": sorted(regions),
            "tiers": json.loads(prices),
            "source": source,
            "read": today.isoformat(),
            "verified": True,
        }
        for prices, regions in alike.items()
    ]
    free = {"free": _text(meter.free)} if meter.free else {}
    return {"name": meter.name, "unit": meter.unit, **free, "prices": prices_}
