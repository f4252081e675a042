"""Amounts, shares and days as people read them, and as documents keep them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from lastmile_sls.costs.report.amounts import ZERO
from lastmile_sls.words import grouped

CENT = Decimal("0.01")
_DIGITS = 4
"""Of a price of a thousand predictions, which is often below a cent."""


def money(amount: Decimal) -> str:
    """Return an amount to the cent, 1 234.56; what is not nothing but less than half a cent is <0.01."""
    if amount and abs(amount) < CENT / 2:
        return "<0.01" if amount > 0 else ">-0.01"
    return grouped(cents(amount))


def cents(amount: Decimal) -> Decimal:
    """Return an amount rounded to the cent, half to even; never -0.00."""
    return amount.quantize(CENT, ROUND_HALF_EVEN) + ZERO


def small(amount: Decimal) -> str:
    """Return an amount with four digits that say something, and at least the cents: 0.003871, 12.35."""
    if not amount:
        return "0.00"
    places = max(2, _DIGITS - 1 - amount.adjusted())
    return grouped(amount, f".{places}f")


def percent(share: Decimal) -> str:
    """Return a share from 0 to 1 in percent, 4.2 %; what is not nothing is not 0."""
    found = (share * 100).quantize(Decimal("0.1"))
    return "<0.1 %" if share > 0 and not found else f"{found} %"


def signed(amount: Decimal) -> str:
    """Return a change in percent, with its sign."""
    rounded = amount.quantize(Decimal("0.1"))
    return f"{'+' if rounded >= 0 else ''}{grouped(rounded)} %"


def exact(amount: Decimal) -> str:
    """Return a number as it is, without an exponent or zeros at its end."""
    text = f"{amount:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text


def rounding(shown: Iterable[Decimal], whole: Decimal) -> Decimal:
    """Return what rounded parts lack of the rounded whole."""
    return cents(whole) - sum((cents(part) for part in shown), ZERO)


def day(found: date) -> str:
    """Return a day, 3 October 2026."""
    return f"{found.day} {found:%B %Y}"


def days(first: date, last: date) -> str:
    """Return a span of days: 1 to 31 October 2026."""
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {day(last)}"
    return (
        f"{first.day} {first:%B} to {day(last)}"
        if first.year == last.year
        else f"{day(first)} to {day(last)}"
    )


def month(found: date) -> str:
    """Return a month, October 2026."""
    return f"{found:%B %Y}"


def count(number: int, one: str, many: str = "") -> str:
    """Return a number of things, 1 file or 2 files."""
    return f"{grouped(number)} {one if number == 1 else many or f'{one}s'}"
