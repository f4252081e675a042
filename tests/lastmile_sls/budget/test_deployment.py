"""What a deployment's spend is read from, and what becomes of it when a part cannot be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from lastmile_sls.budget.billed import Billed
from lastmile_sls.budget.deployment import Deployment, Sources, month_of
from lastmile_sls.budget.period import Period
from lastmile_sls.budget.spend import Rates
from lastmile_sls.costs.usage import Usage
from lastmile_sls.estimate.document import SECONDS
from lastmile_sls.prices.book import UnpricedError
from tests.lastmile_sls.budget.months import BUDGET
from tests.lastmile_sls.specs import make_spec

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def usage(day: int, version: str, requests: int, duration_ms: int | None) -> Usage:
    took = None if duration_ms is None else Decimal(duration_ms)
    return Usage(date(2026, 11, day), "churn", "dev", version, requests, took)


@dataclass(frozen=True)
class Unpriced(Deployment):
    """One of which a price is missing."""

    bill: Billed | None = field(default=None)

    def _billed(self, sources: Sources, period: Period, tell: Callable[[str], None]) -> Billed | None:
        return self.bill

    def _usage(self, sources: Sources, now: datetime, tell: Callable[[str], None]) -> list[Usage]:
        return [usage(21, "v1", 1000, 20)]

    def _rates(self, *_: object) -> Rates:
        raise UnpricedError("aws.lambda.requests", "eu-west-1", "aws")


def unpriced(bill: Billed | None) -> Unpriced:
    budget = BUDGET.model_dump() | {"notify": ["a@example.com"]}
    return Unpriced(Path("lastmile.yaml"), make_spec(budget=budget), "aws", None, None, None, None, {}, bill)


def test_what_is_billed_is_reason_enough_although_a_price_is_missing() -> None:
    spend = unpriced(Billed(Decimal(210), date(2026, 11, 20))).spend(Sources(), NOW)
    assert (spend.total, spend.requests) == (Decimal(210), 1000)
    assert spend.warnings == (
        (
            "the days since cannot be estimated: there is no price of aws.lambda.requests in eu-west-1. Read the cloud's "
            "own: lastmile prices refresh --target aws --region eu-west-1"
        ),
    )
    for nothing in (None, Billed(Decimal(0), None)):
        with pytest.raises(UnpricedError):
            unpriced(nothing).spend(Sources(), NOW)


def test_a_month_is_like_the_days_that_were_counted() -> None:
    rows = [usage(20, "v1", 300, 10), usage(21, "v1", 100, 30), usage(21, "v2", 100, None)]
    shape = month_of(rows, NOW)
    assert shape.requests == 500 * SECONDS / (2 * 86_400)
    assert shape.duration == {"v1": Decimal(15), "*": Decimal(15)}
    still = month_of([], NOW)
    assert (still.requests, still.cold_share) == (Decimal(0), Decimal(0))
