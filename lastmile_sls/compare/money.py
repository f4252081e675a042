"""Amounts and numbers in a comparison's sentences; no line is broken within one."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.estimate.figures import amount, quantity

_NO_BREAK = "\u00a0"
_TWICE, _HUNDREDFOLD = 2, 100


def money(value: Decimal, currency: str) -> str:
    """Return an amount with its currency, `1 234.50 USD`."""
    return f"{figure(value)}{_NO_BREAK}{currency}"


def figure(value: Decimal) -> str:
    """Return an amount alone."""
    return amount(value).replace(" ", _NO_BREAK)


def each(value: Decimal | None) -> str:
    """Return what a thousand predictions cost, with three figures; nothing for None."""
    return "" if value is None else quantity(value).replace(" ", _NO_BREAK)


def count(requests: int | Decimal) -> str:
    """Return a number of requests, `1 000 000`."""
    return quantity(Decimal(requests)).replace(" ", _NO_BREAK)


def times(more: Decimal, less: Decimal) -> str:
    """Return how much more one amount is than a smaller one: `12 % more`, `3.4 times as much`."""
    if less <= 0 or more >= _HUNDREDFOLD * less:
        return "more than 100 times as much"
    if more >= _TWICE * less:
        return f"{more / less:.2g} times as much"
    return f"{(more / less - 1) * 100:.0f} % more"
