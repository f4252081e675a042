"""Where a value stands on an axis, and which values are written beside it. Pure; pixels are floats, what is shown is not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

Value = Decimal | int | float | date
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_DAY_STEPS = (1, 2, 7, 14, 28, 91, 182, 364)


@dataclass(frozen=True)
class Scale:
    """From values to pixels."""

    low: float
    high: float
    start: float
    """Pixels at `low`."""
    end: float
    """Pixels at `high`."""
    log: bool = False

    def at(self, value: Value) -> float:
        """Return where a value stands. Raises ValueError for 0 or less on a logarithmic scale."""
        low, high, here = self._place(self.low), self._place(self.high), self._place(number(value))
        return self.start + (self.end - self.start) * (here - low) / (high - low)

    def _place(self, value: float) -> float:
        if self.log and value <= 0:
            raise ValueError(f"{value} has no place on a logarithmic axis, which is above 0")
        return math.log10(value) if self.log else value


def number(value: Value) -> float:
    """Return a value as the pixels' arithmetic has it; a day is its ordinal."""
    return float(value.toordinal()) if isinstance(value, date) else float(value)


def linear(values: Iterable[Value], start: float, end: float, count: int) -> tuple[Scale, list[Decimal]]:
    """Return a scale that holds the values and 0, and about `count` round values on it."""
    found = [0.0, *(number(value) for value in values)]
    low, high = min(found), max(found)
    if low == high:
        high = low + 1
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = Decimal(repr(power)) * Decimal(str(next(s for s in _STEPS if s * power >= rough * 0.999)))
    first, last = math.floor(low / float(step)), math.ceil(high / float(step) - 1e-9)
    ticks = [step * n for n in range(first, last + 1)]
    return Scale(float(ticks[0]), float(ticks[-1]), start, end), ticks


def logarithmic(values: Iterable[Value], start: float, end: float, count: int) -> tuple[Scale, list[Decimal]]:
    """Return a scale over whole powers of ten, and at most about `count` of them. Raises ValueError for 0 or less."""
    found = [number(value) for value in values]
    if not found or min(found) <= 0:
        raise ValueError(f"{min(found, default=0)} has no place on a logarithmic axis, which is above 0")
    low, high = math.floor(math.log10(min(found)) + 1e-9), math.ceil(math.log10(max(found)) - 1e-9)
    high = max(high, low + 1)
    every = math.ceil((high - low) / max(count, 1))
    ticks = [Decimal(1).scaleb(n) for n in range(low, high + 1, every)]
    return Scale(10.0**low, 10.0**high, start, end, log=True), ticks


def dates(values: Iterable[date], start: float, end: float, count: int) -> tuple[Scale, list[date]]:
    """Return a scale over the days, and about `count` of them, evenly apart."""
    found = sorted(set(values))
    low, high = found[0].toordinal(), max(found[-1].toordinal(), found[0].toordinal() + 1)
    step = next((s for s in _DAY_STEPS if (high - low) / s <= count), _DAY_STEPS[-1])
    ticks = [date.fromordinal(n) for n in range(low, high + 1, step)]
    return Scale(low, high, start, end), ticks


def thinned(count: int, most: int) -> range:
    """Return which of so many names are written where no more than `most` have room."""
    return range(0, count, max(1, math.ceil(count / max(most, 1))))


def widest(texts: Sequence[str], size: float) -> float:
    """Return how wide the longest text is, roughly, in pixels of a font of that size."""
    return max((len(text) for text in texts), default=0) * size * 0.58


def compact(value: Value) -> str:
    """Return a value as an axis has room for it: 40k, 1.5M, 0.002."""
    if isinstance(value, date):
        return f"{value.day} {value:%b}"
    amount = Decimal(str(value))
    for power, unit in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if abs(amount) >= Decimal(10) ** power:
            return f"{plain(amount.scaleb(-power))}{unit}"
    return plain(amount)


def plain(value: Decimal) -> str:
    """Return a number without an exponent or zeros at its end."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


Show = Callable[[Value], str]
