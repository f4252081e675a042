"""A month's forecast by weekday means, and why there is none."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from lastmile_sls.costs.forecast import Forecast, NoForecast, forecast

MONDAY = date(2026, 9, 28)


def _days(count: int, weekday: int = 10, weekend: int = 4) -> dict[date, Decimal]:
    days = [MONDAY + timedelta(days=n) for n in range(count)]
    return {day: Decimal(weekend if day.weekday() >= 5 else weekday) for day in days}


def test_each_day_to_come_costs_what_its_weekday_did() -> None:
    days = _days(17)  # to Wednesday, 14 October
    # Of October, 14 days were spent: 10 x 10 and 4 x 4; of the 17 to come, 12 are working days.
    assert forecast(days, MONDAY, date(2026, 10, 14)) == Forecast(
        *(date(2026, 10, 1), Decimal(116), Decimal("256.00"), Decimal("256.00"), Decimal("256.00"), 17, None)
    )


def test_the_interval_is_as_wide_as_days_differ() -> None:
    days = _days(28)
    days |= {day: cost + (1 if n < 14 else -1) for n, (day, cost) in enumerate(days.items())}
    found = forecast(days, MONDAY, date(2026, 10, 25))
    assert isinstance(found, Forecast)
    # Each day is 1 off its weekday's mean: the deviation is sqrt(28 / (28 - 7)), and 6 days are away 1.2816 x sqrt(6) of it.
    assert (found.low, found.expected, found.high) == (
        Decimal("249.38"),
        Decimal("253.00"),
        Decimal("256.62"),
    )
    assert found.spent == 199


def test_after_a_whole_month_the_next_is_told() -> None:
    found = forecast(_days(34), MONDAY, date(2026, 10, 31))
    assert isinstance(found, Forecast)
    assert (found.month, found.spent, found.expected) == (date(2026, 11, 1), Decimal(0), Decimal("246.00"))


def test_a_last_day_whose_bill_is_not_complete_is_left_out() -> None:
    days = _days(17) | {date(2026, 10, 14): Decimal(3)}
    found = forecast(days, MONDAY, date(2026, 10, 14))
    assert isinstance(found, Forecast)
    assert (found.left_out, found.spent, found.expected) == (
        date(2026, 10, 14),
        Decimal(106),
        Decimal("256.00"),
    )


def test_days_long_ago_do_not_count() -> None:
    days = {MONDAY + timedelta(days=n): Decimal(100 if n < 40 else 1) for n in range(100)}
    found = forecast(days, MONDAY, MONDAY + timedelta(days=99))
    assert isinstance(found, Forecast)
    assert (found.from_days, found.expected) == (56, Decimal("31.00"))


def test_too_few_days_have_no_forecast() -> None:
    assert forecast(_days(13), MONDAY, date(2026, 10, 10)) == NoForecast(
        "a forecast needs 14 days, and there are 13"
    )
