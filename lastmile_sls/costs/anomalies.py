"""Days on which a model's service cost far more than its weekday does. Pure.

Usual is a median, so that one such day hides no other. A day is compared with the same weekdays among the others (with
all others where there are fewer than three), from the first day on which the service cost anything. Far is a modified
z-score, 0.6745 x (cost - median) / MAD, above 3.5, as Iglewicz and Hoaglin have it
(itl.nist.gov/div898/handbook/eda/section3/eda35h.htm, 2026-11-30). The spread is taken for no less than 15 % of the
median, because a service that cost the same each day has none, and the excess is at least 1 % of an average day's
whole cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

NEEDED_DAYS = 8
"""With fewer, nobody knows what is usual."""
_LIMIT = Decimal("3.5")
_MAD_TO_SIGMA = Decimal("0.6745")
_LEAST_SPREAD = Decimal("0.15")
_LEAST_SHARE = Decimal("0.01")
_SAME_WEEKDAYS = 3


@dataclass(frozen=True)
class Series:
    """What one service cost for one model, by day."""

    model: str | None
    environment: str | None
    cloud: str
    service: str
    days: Mapping[date, Decimal]
    """A day that is not there cost nothing."""


@dataclass(frozen=True)
class Anomaly:
    """A day that stands out."""

    day: date
    model: str | None
    environment: str | None
    cloud: str
    service: str
    cost: Decimal
    usual: Decimal
    """The median that it was compared with."""
    score: Decimal
    """The modified z-score."""
    compared: int
    """With so many days."""
    weekdays: bool
    """Whether those were the same weekdays alone."""

    @property
    def excess(self) -> Decimal:
        """What it cost above the usual."""
        return self.cost - self.usual


def least_excess(total: Decimal, first: date, last: date) -> Decimal:
    """Return what a day must cost above the usual to stand out: 1 % of what a day costs in all, on average."""
    return max(Decimal(0), _LEAST_SHARE * total / ((last - first).days + 1))


def anomalies(series: Iterable[Series], first: date, last: date, least: Decimal) -> list[Anomaly]:
    """Return the days that stand out, the dearest excess first.

    Args:
        series: Of one currency.
        first: The first day that the bills tell of.
        last: The last one.
        least: From `least_excess`.
    """
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    if len(days) < NEEDED_DAYS:
        return []
    found = [
        anomaly
        for one in series
        for day, cost in one.days.items()
        if cost > least and first <= day <= last
        for anomaly in _judged(one, day, cost, days, least)
    ]
    return sorted(found, key=lambda anomaly: (-anomaly.excess, anomaly.day, anomaly.service))


def _judged(one: Series, day: date, cost: Decimal, days: Sequence[date], least: Decimal) -> list[Anomaly]:
    began = min(one.days)
    others = [other for other in days if other != day and other >= began]
    if len(others) < NEEDED_DAYS - 1:
        return []
    same = [other for other in others if other.weekday() == day.weekday()]
    by_weekday = len(same) >= _SAME_WEEKDAYS
    values = [one.days.get(other, Decimal(0)) for other in (same if by_weekday else others)]
    usual = median(values)
    if cost - usual < least or cost <= usual:
        return []
    deviation = median([abs(value - usual) for value in values])
    spread = max(deviation / _MAD_TO_SIGMA, abs(usual) * _LEAST_SPREAD, least / _LIMIT)
    score = (cost - usual) / spread
    if score <= _LIMIT:
        return []
    return [
        Anomaly(
            *(day, one.model, one.environment, one.cloud, one.service, cost, usual),
            score.quantize(Decimal("0.1")),
            len(values),
            by_weekday,
        )
    ]
