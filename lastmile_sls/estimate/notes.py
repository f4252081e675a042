"""What to know about an estimate: prices nobody could read or that are old, what has no price, what is assumed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from lastmile_sls.estimate.document import NOTHING, Estimate
from lastmile_sls.prices.book import Price
from lastmile_sls.prices.shelf import age_warning


@dataclass(frozen=True)
class FreeUnits:
    """What of a meter an account has free each month, and what that takes off this month."""

    price: Price
    quantity: Decimal
    """Of this month, that is free."""
    cost: Decimal


def prices_of(estimate: Estimate) -> list[Price]:
    """Return the prices that an estimate uses, by meter and region."""
    found = {(one.price.meter, one.price.region): one.price for one in estimate.components}
    return [found[key] for key in sorted(found)]


def warnings(estimate: Estimate, today: date) -> list[str]:
    """Return what makes an estimate doubtful: unverified prices by name, old ones, resources without a price."""
    prices = prices_of(estimate)
    found = [
        f"nobody could read the price of {price.name} in {price.region} at its source ({price.source})"
        for price in prices
        if not price.verified
    ]
    old = age_warning(prices, today, estimate.target)
    unpriced = [
        f"{line.name} has no price: {line.why}" for line in estimate.lines if line.status == "unpriced"
    ]
    return [*found, *([old] if old else []), *unpriced]


def price_dates(estimate: Estimate) -> tuple[date, date] | None:
    """Return when the oldest and the newest price of an estimate was read; None without any."""
    dates = [price.read for price in prices_of(estimate)]
    return (min(dates), max(dates)) if dates else None


def free_units(estimate: Estimate) -> list[FreeUnits]:
    """Return what an account's free units would take off, or did, meter by meter, the most first."""
    quantities: dict[tuple[str, str], Decimal] = {}
    for one in estimate.components:
        key = (one.price.meter, one.price.region)
        quantities[key] = quantities.get(key, NOTHING) + one.quantity
    found = []
    for price in prices_of(estimate):
        quantity = quantities[price.meter, price.region]
        saved = price.cost(quantity) - price.cost(quantity, free_tier=True)
        if saved:
            found.append(FreeUnits(price, min(price.free, quantity), saved))
    return sorted(found, key=lambda one: -one.cost)
