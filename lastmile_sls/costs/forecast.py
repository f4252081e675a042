"""What a month will cost by its end: each day that is to come costs what its weekday cost on average. Pure.

The interval is where 80 of 100 such months end when days differ from their weekday's mean as they did so far, each by
itself. It knows nothing of releases, campaigns or prices to come.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

NEEDED_DAYS = 14
"""Two weeks, so that each weekday was seen twice."""
LOOKED_BACK_DAYS = 56
_Z80 = Decimal("1.2816")
"""Of the normal distribution: 80 % lie within so many standard deviations."""
_INCOMPLETE = Decimal("0.5")


@dataclass(frozen=True)
class Forecast:
    """A month's cost by its end."""

    month: date
    """Its first day."""
    spent: Decimal
    """On its days so far."""
    expected: Decimal
    """By its end, with what was spent."""
    low: Decimal
    high: Decimal
    from_days: int
    """So many days were looked at."""
    left_out: date | None
    """The last day, where it cost less than half of a usual one: its bill is not complete."""


@dataclass(frozen=True)
class NoForecast:
    """Why there is none."""

    why: str


def forecast(days: Mapping[date, Decimal], first: date, last: date) -> Forecast | NoForecast:
    """Return what the month after the last day will have cost, or why nobody can say.

    Args:
        days: What each day cost; a day that is not there cost nothing.
        first: The first day that the bills tell of.
        last: The last one. The month is that of the day after it.
    """
    left_out = last if _is_incomplete(days, first, last) else None
    until = last - timedelta(days=1) if left_out else last
    start = max(first, until - timedelta(days=LOOKED_BACK_DAYS - 1))
    seen = [start + timedelta(days=n) for n in range((until - start).days + 1)]
    if len(seen) < NEEDED_DAYS:
        return NoForecast(f"a forecast needs {NEEDED_DAYS} days, and there are {len(seen)}")
    values = {day: days.get(day, Decimal(0)) for day in seen}
    means = _weekday_means(values)
    month = (until + timedelta(days=1)).replace(day=1)
    coming = _days_from(until + timedelta(days=1))
    spent = sum((days.get(day, Decimal(0)) for day in _days_from(month) if day <= until), Decimal(0))
    expected = spent + sum((means[day.weekday()] for day in coming), Decimal(0))
    away = _Z80 * _spread(values, means) * Decimal(len(coming)).sqrt()
    return Forecast(
        month,
        spent,
        _cents(expected),
        _cents(max(spent, expected - away)),
        _cents(expected + away),
        len(seen),
        left_out,
    )


def _weekday_means(values: Mapping[date, Decimal]) -> dict[int, Decimal]:
    found: dict[int, list[Decimal]] = {}
    for day, value in values.items():
        found.setdefault(day.weekday(), []).append(value)
    return {weekday: sum(amounts, Decimal(0)) / len(amounts) for weekday, amounts in found.items()}


def _spread(values: Mapping[date, Decimal], means: Mapping[int, Decimal]) -> Decimal:
    """Return the standard deviation of a day around its weekday's mean; each mean takes one degree of freedom."""
    squares = sum(((value - means[day.weekday()]) ** 2 for day, value in values.items()), Decimal(0))
    return (squares / max(1, len(values) - len(means))).sqrt()


def _is_incomplete(days: Mapping[date, Decimal], first: date, last: date) -> bool:
    before = [
        days.get(last - timedelta(days=7 * n), Decimal(0))
        for n in range(1, 5)
        if last - timedelta(7 * n) >= first
    ]
    return len(before) >= 2 and days.get(last, Decimal(0)) < _INCOMPLETE * median(before)


def _days_from(first: date) -> list[date]:
    """Return the days of a month from one on."""
    count = calendar.monthrange(first.year, first.month)[1]
    return [first.replace(day=n) for n in range(first.day, count + 1)]


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))
