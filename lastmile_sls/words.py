"""Numbers in words."""

from __future__ import annotations

from decimal import Decimal

_UNITS = ("B", "kB", "MB", "GB")


def size(count: int) -> str:
    """Return a number of bytes in words, 78.8 kB."""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.3g} {_UNITS[unit]}"


def grouped(number: int | Decimal, form: str = "") -> str:
    """Return a number in groups of three digits, 1 234 567.80, between which no line is broken.

    Args:
        number: The number.
        form: What follows the comma of a format, `.2f` say.
    """
    return f"{number:,{form}}".replace(",", "\u00a0")
