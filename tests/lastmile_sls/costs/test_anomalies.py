"""A day stands out by its weekday's median, however often it happens, and a dull service never does."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from lastmile_sls.costs.anomalies import Anomaly, Series, anomalies, least_excess

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 28)


def _found(*series: Series, last: date = LAST) -> list[Anomaly]:
    total = sum((cost for one in series for cost in one.days.values()), Decimal(0))
    return anomalies(series, FIRST, last, least_excess(total, FIRST, last))


def _series(changes: dict[int, str] | None = None, of: str = "10", service: str = "Functions") -> Series:
    """Return four weeks, half as dear at weekends; `changes` are days of October."""
    days = [FIRST + timedelta(days=n) for n in range(28)]
    costs = {day: Decimal(of) / (2 if day.weekday() >= 5 else 1) for day in days}
    costs |= {date(2026, 10, day): Decimal(cost) for day, cost in (changes or {}).items()}
    return Series("churn", "prod", "azure", service, costs)


def test_a_day_is_compared_with_its_weekday() -> None:
    assert _found(_series({14: "40", 17: "10"})) == [
        Anomaly(
            *(date(2026, 10, 14), "churn", "prod", "azure", "Functions", Decimal(40), Decimal(10)),
            *(Decimal("20.0"), 3, True),
        ),
        Anomaly(
            *(date(2026, 10, 17), "churn", "prod", "azure", "Functions", Decimal(10), Decimal(5)),
            *(Decimal("6.7"), 3, True),
        ),
    ]


def test_one_such_day_hides_no_other() -> None:
    found = _found(_series({7: "50", 14: "60"}))
    assert [(anomaly.day.day, anomaly.usual, anomaly.excess) for anomaly in found] == [
        (14, Decimal(10), Decimal(50)),
        (7, Decimal(10), Decimal(40)),
    ]


def test_what_changes_little_or_costs_little_does_not_stand_out() -> None:
    assert _found(_series({14: "14"})) == []
    cheap = _series({14: "0.09"}, of="0.01", service="Storage")
    assert _found(_series(), cheap) == []
    assert _found(_series({14: "0"})) == []


def test_a_service_is_compared_with_its_own_time_alone() -> None:
    late = Series(None, None, "aws", "AWS Lambda", {LAST - timedelta(days=n): Decimal(9) for n in range(3)})
    assert _found(late) == []
    days = {date(2026, 10, n): Decimal(9) for n in range(16, 29)} | {date(2026, 10, 27): Decimal(30)}
    (found,) = _found(Series(None, None, "aws", "AWS Lambda", days))
    assert (found.day.day, found.usual, found.compared, found.weekdays) == (27, Decimal(9), 12, False)


def test_a_week_says_nothing_of_what_is_usual() -> None:
    assert _found(_series({3: "90"}), last=FIRST + timedelta(days=6)) == []
