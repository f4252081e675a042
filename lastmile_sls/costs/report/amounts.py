"""Money that is added and split exactly: the parts always add up to the whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

PRECISION = 76
"""Digits: twice what DuckDB's largest decimal has, so that no sum is ever rounded."""
ZERO = Decimal(0)
SCALE = 18
"""Decimal places of a split: what is left over is below a billionth of a cent."""


@contextmanager
def exactly() -> Iterator[None]:
    """Calculate without rounding; Python's own context keeps 28 digits."""
    with localcontext(Context(prec=PRECISION)):
        yield


@dataclass(frozen=True)
class Amounts:
    """A charge as FOCUS tells it four times, all in one currency."""

    effective: Decimal = ZERO
    """What it cost with commitments spread over what used them: for showing who caused what."""
    billed: Decimal = ZERO
    """What the invoice has."""
    listed: Decimal = ZERO
    """What it would have cost at list prices."""
    contracted: Decimal = ZERO
    """What it would have cost at negotiated prices."""

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(*(a + b for a, b in zip(self.all, other.all, strict=True)))

    @property
    def all(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """The four, in their order."""
        return (self.effective, self.billed, self.listed, self.contracted)


NOTHING = Amounts()


def total(amounts: Iterable[Amounts]) -> Amounts:
    """Return the sum."""
    found = NOTHING
    for one in amounts:
        found += one
    return found


def split(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Return an amount in parts that follow the weights and add up to it exactly.

    Each is rounded to 18 places; what that leaves goes to the part with the greatest weight, the first of several.
    Raises ValueError for a negative weight, or when all are 0.
    """
    whole = sum(weights, ZERO)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("an amount is split by weights of 0 or more, of which one is above 0")
    unit = Decimal(1).scaleb(-SCALE)
    parts = [(amount * weight / whole).quantize(unit) for weight in weights]
    parts[weights.index(max(weights))] += amount - sum(parts, ZERO)
    return parts


def split_amounts(amounts: Amounts, weights: Mapping[str, Decimal]) -> dict[str, Amounts]:
    """Return the four amounts, each split by the same weights."""
    parts = [split(amount, list(weights.values())) for amount in amounts.all]
    return {name: Amounts(*four) for name, four in zip(weights, zip(*parts, strict=True), strict=True)}
