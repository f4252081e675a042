"""Where one price curve passes below another: found on a grid of months, then to the very request by bisection. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

Curve = Callable[[int], Decimal]
"""What a month with so many requests costs."""
LEAST, MOST = 10**3, 10**10
_PER_DECADE = 4


@dataclass(frozen=True)
class Stretch:
    """The months in which one curve is the lowest."""

    first: int
    """Requests in the month."""
    last: int
    """The same; the last that is looked at, or one before the next stretch."""
    curve: int
    """Which one, by position; of equal ones the first."""


def grid(least: int = LEAST, most: int = MOST) -> list[int]:
    """Return the months at which curves are looked at: so many in each power of ten, evenly on a logarithmic axis."""
    found, step = [], 0
    while (requests := round(Decimal(least) * Decimal(10) ** (Decimal(step) / _PER_DECADE))) < most:
        found.append(requests)
        step += 1
    return [*found, most]


def stretches(curves: Sequence[Curve], months: Sequence[int]) -> list[Stretch]:
    """Return which curve is the lowest where, in order and without a gap.

    Two that cross twice between the same two months of the grid are not seen to cross.
    """
    found: list[Stretch] = []
    first, lowest = months[0], _lowest(curves, months[0])
    for before, month in pairwise(months):
        start = before
        while (now := _lowest(curves, month)) != lowest:
            start, lowest_there = _change(curves, lowest, now, start, month)
            found.append(Stretch(first, start - 1, lowest))
            first, lowest = start, lowest_there
    return [*found, Stretch(first, months[-1], lowest)]


def _lowest(curves: Sequence[Curve], requests: int) -> int:
    return min(range(len(curves)), key=lambda index: (curves[index](requests), index))


def _change(curves: Sequence[Curve], old: int, new: int, low: int, high: int) -> tuple[int, int]:
    """Return the first month in which `old` is the lowest no more, and which one is then.

    At `low` it is, and at `high` it is `new`; between the two it may be another.
    """
    while True:
        at = _crossing(curves, old, new, low, high)
        before = _lowest(curves, at - 1)
        if before == old:
            return at, _lowest(curves, at)
        new, high = before, at - 1


def _crossing(curves: Sequence[Curve], old: int, new: int, low: int, high: int) -> int:
    """Return the first month in (low, high] in which `old` is not lower than `new`; equal ones go by their order."""
    while high - low > 1:
        middle = (low + high) // 2
        if (curves[old](middle), old) < (curves[new](middle), new):
            low = middle
        else:
            high = middle
    return high
