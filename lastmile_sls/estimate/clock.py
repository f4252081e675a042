"""How often a clock strikes in a month. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from lastmile_sls.estimate.document import HOURS
from lastmile_sls.spec.cron import is_on, parse

_CYCLE_DAYS = 28 * 365 + 7
"""After 28 years with seven leap days every date has had every day of the week equally often."""
_FIRST = datetime(2026, 1, 1)  # noqa: DTZ001 - the days of a calendar


@lru_cache(maxsize=256)
def runs_in_a_month(cron: str) -> Decimal:
    """Return how often a cron expression strikes in a month of 730 hours, on average. Raises CronError for what is none."""
    when = parse(cron)
    days = sum(is_on(when, _FIRST + timedelta(days=number)) for number in range(_CYCLE_DAYS))
    a_day = (60 if when.minutes is None else len(when.minutes)) * (
        24 if when.hours is None else len(when.hours)
    )
    return HOURS / 24 * a_day * days / _CYCLE_DAYS
