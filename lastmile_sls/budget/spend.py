"""What of a month is spent: what was billed, and what telemetry and list prices say of the days since. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from lastmile_sls.budget.billed import Billed
from lastmile_sls.budget.document import NOTHING, Spend
from lastmile_sls.budget.period import Period
from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.document import SECONDS

if TYPE_CHECKING:
    from lastmile_sls.costs.usage import Usage
    from lastmile_sls.estimate.document import Estimate


@dataclass(frozen=True)
class Rates:
    """What things cost by list prices."""

    per_request: Decimal
    baseline: Decimal
    """In a month of 730 hours in which nobody calls."""
    currency: str


FREE = Rates(NOTHING, NOTHING, "")
"""Of this machine, which has no meter."""


def rates_of(estimate: Estimate) -> Rates:
    """Return what an estimate says that a request costs, and a month without any."""
    requests = estimate.traffic.requests
    each = estimate.usage / requests if requests else NOTHING
    return Rates(each, estimate.baseline, estimate.currency)


def requests_since(billed: Billed | None, rows: Iterable[Usage], now: datetime) -> list[Usage]:
    """Return the usage of the month's days of which nothing was billed yet."""
    period = Period.of(now)
    start = _start(billed, period)
    end = min(period.end, now.date() + timedelta(days=1))
    return [row for row in rows if start <= row.day < end]


def spend_of(
    billed: Billed | None, rows: Iterable[Usage] | None, rates: Rates, currency: str, now: datetime
) -> Spend:
    """Return what of the month is spent.

    The last day that was billed is taken to be billed whole; from the next one on it is an estimate.

    Args:
        billed: From the files; None without any.
        rows: The deployment's requests by day; None when nobody counted them.
        rates: What these cost.
        currency: The budget's.
        now: The time.

    Raises LastmileError when nothing is known of the month, and for prices in another currency.
    """
    period = Period.of(now)
    if rates.currency not in ("", currency):
        raise LastmileError(
            f"list prices are in {rates.currency}, but budget.currency is {currency}: they cannot be added.",
            "Give an estimate in it: --estimate FILE, from prices in it (lastmile prices refresh).",
        )
    if (billed is None or billed.through is None) and rows is None:
        raise LastmileError(
            f"nothing is known of {period}: "
            + (billed.warnings[0] if billed and billed.warnings else "no files of the bill were given")
            + ".",
            "Give the month's FOCUS files (--costs FILE), or the requests (--usage FILE, from lastmile usage).",
        )
    warnings = list(billed.warnings if billed else ())
    if rows is None:
        warnings.append("the requests since then are not known (--usage FILE), so what they cost is left out")
    requests = sum(row.requests for row in requests_since(billed, rows or (), now))
    passed = period.passed_since(_start(billed, period), now)
    return Spend(
        period=period,
        currency=currency,
        billed=billed.amount if billed else NOTHING,
        billed_through=billed.through if billed else None,
        requests=requests,
        usage=requests * rates.per_request,
        baseline=rates.baseline * Decimal(int(passed.total_seconds())) / SECONDS,
        warnings=tuple(warnings),
    )


def _start(billed: Billed | None, period: Period) -> date:
    """Return the first day of which nothing was billed yet."""
    return period.start if billed is None or billed.through is None else billed.through + timedelta(days=1)
