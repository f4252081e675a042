"""Cron's five fields: what they mean, and what is told of those that mean nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given, settings
from hypothesis import strategies as st

from lastmile_sls.spec.cron import Cron, CronError, next_after, parse


def test_what_the_fields_mean() -> None:
    assert parse("0 6 * * 1-5") == Cron((0,), (6,), None, None, (1, 2, 3, 4, 5))
    assert parse("*/20 0-6/3 1,15 jan,MAR-may *") == Cron((0, 20, 40), (0, 3, 6), (1, 15), (1, 3, 4, 5), None)
    assert parse("5/25 * * * *").minutes == (5, 30, 55)


def test_sunday_is_0_and_7() -> None:
    assert parse("0 0 * * 7") == parse("0 0 * * 0") == parse("0 0 * * SUN")
    assert parse("0 0 * * 5-7").weekdays == (0, 5, 6)
    assert parse("0 0 * * */2").weekdays == (0, 2, 4, 6)


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("0 6 * *", "is '0 6 * *', which has 4 fields, but cron's are five: minute hour day month weekday"),
        ("60 * * * *", "has '60' for the minute, but it must be 0 to 59"),
        ("* * * foo *", "has 'foo' for the month, but it must be 1 to 12 or JAN to DEC"),
        ("* * * * 8", "has '8' for the day of the week, but it must be 0 to 7 or SUN to SAT"),
        ("*/0 * * * *", "has '*/0' for the minute, but a step must be a number of at least 1"),
        ("* 9-5 * * *", "has '9-5' for the hour, which ends before it begins"),
        ("1, * * * *", "has '1,' for the minute, but it must be 0 to 59"),
        ("@daily", "is '@daily', which has 1 fields, but cron's are five: minute hour day month weekday"),
    ],
)
def test_what_means_nothing(cron: str, told: str) -> None:
    with pytest.raises(CronError) as caught:
        parse(cron)
    assert str(caught.value) == told


DRAWN = st.tuples(
    *(
        st.one_of(
            st.just("*"),
            st.sets(st.integers(least, most), min_size=1, max_size=5).map(
                lambda found: ",".join(map(str, sorted(found)))
            ),
        )
        for least, most in ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
    )
).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(cron=DRAWN, moment=st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)))  # noqa: DTZ001 - set below
def test_when_it_happens_next_is_what_another_cron_says(cron: str, moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    found = next_after(parse(cron), moment)
    try:
        expected = next(CronSim(cron, moment))
    except (CronSimError, StopIteration):
        assert found is None or found.year - moment.year > 4  # it knows of no date that is so far off
    else:
        assert found == expected


def test_when_it_happens_next() -> None:
    moment = datetime(2026, 11, 29, 12, 0, 59, tzinfo=UTC)
    for cron, told in {
        "* * * * *": "2026-11-29T12:01",
        "0 12 * * *": "2026-11-30T12:00",
        "0 6 * * 1-5": "2026-11-30T06:00",
        "0 0 13 * 5": "2026-12-04T00:00",  # a Friday, or a thirteenth
        "0 0 29 2 *": "2028-02-29T00:00",
    }.items():
        assert next_after(parse(cron), moment) == datetime.fromisoformat(f"{told}+00:00"), cron
    assert next_after(parse("0 0 30 2 *"), moment) is None
    assert next_after(parse("0 0 29 2 *"), datetime(2096, 3, 1, tzinfo=UTC)) == datetime(
        2104, 2, 29, tzinfo=UTC
    )
