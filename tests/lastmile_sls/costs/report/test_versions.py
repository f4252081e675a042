"""A model's cost is split over its versions by what each worked on the day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from lastmile_sls.costs.report.amounts import NOTHING, Amounts, exactly
from lastmile_sls.costs.report.document import Counted, Version
from lastmile_sls.costs.report.versions import counted, of_model, versions
from lastmile_sls.costs.usage import Usage

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 10, day) for day in (5, 6, 7))


def _cost(effective: str) -> Amounts:
    return Amounts(*[Decimal(effective)] * 4)


def _usage(day: date, version: str, requests: int, duration_ms: str | None = None) -> Usage:
    return Usage(day, "churn", "prod", version, requests, Decimal(duration_ms) if duration_ms else None)


COSTS = [
    (None, MONDAY, _cost("10")),
    (None, TUESDAY, _cost("6")),
    (None, WEDNESDAY, _cost("1")),
    ("v2", MONDAY, _cost("2")),
]


def test_a_day_is_split_by_requests_times_duration_and_by_requests_where_that_is_not_known() -> None:
    usage = [
        *(_usage(MONDAY, "v1", 100, "3"), _usage(MONDAY, "v2", 100, "1"), _usage(MONDAY, "v3", 0)),
        *(_usage(TUESDAY, "v1", 200, "3"), _usage(TUESDAY, "v2", 100)),
    ]
    with exactly():
        found = versions(COSTS, usage)
        assert found == (
            Version("v1", NOTHING, _cost("11.5"), 300),
            Version("v2", _cost("2"), _cost("4.5"), 200),
            Version("v3", NOTHING, NOTHING, 0),
            Version(None, _cost("1")),
        )
        assert of_model(found) == _cost("19")


def test_without_counts_nothing_is_split() -> None:
    assert versions(COSTS, []) == (Version("v2", _cost("2")), Version(None, _cost("17")))
    assert versions(COSTS[:1], [_usage(MONDAY, "v1", 0, "3")]) == (
        Version("v1", NOTHING, NOTHING, 0),
        Version(None, _cost("10")),
    )


def test_the_price_of_1000_counts_days_with_requests_alone() -> None:
    days = {MONDAY: Decimal(10), TUESDAY: Decimal(90)}
    found = counted(days, [_usage(MONDAY, "v1", 1500, "3"), _usage(MONDAY, "v2", 500)])
    assert found == Counted(2000, 1, Decimal(10))
    assert found is not None
    assert found.per_1000 == 5
    assert counted(days, []) is None
    assert Counted(0, 1, Decimal(10)).per_1000 is None
