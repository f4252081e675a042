"""Amounts and quantities as people read them. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from lastmile_sls.estimate.document import Component
from lastmile_sls.words import grouped

_FIGURES = 3
_CENT = Decimal("0.01")


def amount(value: Decimal) -> str:
    """Return an amount of money with two places, `1 234.50`; what is there and rounds to nothing is `<0.01`."""
    rounded = value.quantize(_CENT, ROUND_HALF_EVEN)
    if value > 0 and not rounded:
        return "<0.01"
    return grouped(rounded or abs(rounded), "f")


def fine(value: Decimal) -> str:
    """Return an amount with two places, below one with three figures: `0.0123`."""
    if not value or abs(value) >= 1:
        return amount(value)
    places = max(2, _FIGURES - 1 - value.adjusted())
    return f"{value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN):f}"


def quantity(value: Decimal) -> str:
    """Return a number of units: whole from a thousand on, below that with three figures, `0.0305`."""
    if value == value.to_integral_value() or abs(value) >= 1000:
        return grouped(value.quantize(Decimal(1), ROUND_HALF_EVEN), "f")
    places = min(10, max(0, _FIGURES - 1 - value.adjusted()))
    return f"{value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN).normalize():f}"


def change(value: Decimal) -> str:
    """Return what an amount grows or falls by, with its sign; `0.00` has none."""
    rounded = value.quantize(_CENT, ROUND_HALF_EVEN)
    return f"+{grouped(rounded, 'f')}" if rounded > 0 else grouped(rounded or abs(rounded), "f")


def percent(share: Decimal) -> str:
    """Return a share in percent, with at most two places: `12.5 %`."""
    return f"{(share * 100).quantize(_CENT, ROUND_HALF_EVEN).normalize():f} %"


def price(value: Decimal) -> str:
    """Return a unit's price, all of its places: `0.0000133334`."""
    return f"{value.normalize():f}"


def unit_price(component: Component) -> str:
    """Return what a unit costs; where tiers or free units make it less, or more, what it costs on average, `ø 0.0000128`."""
    first = component.price.first
    if not component.quantity or component.cost == component.quantity * first:
        return price(first)
    average = component.cost / component.quantity
    places = max(0, _FIGURES - 1 - average.adjusted()) if average else 0
    return f"ø {price(average.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN))}"
