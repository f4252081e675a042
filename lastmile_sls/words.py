"""Numbers in words."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB")


def size(count: int) -> str:
    """Return a number of bytes in words, 78.8 kB."""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.3g} {_UNITS[unit]}"
