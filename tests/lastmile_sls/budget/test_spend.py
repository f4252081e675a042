"""What of a month is spent: the bill's rows and the estimate since, apart; and what is said when nothing is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from lastmile_sls.budget.billed import Billed, Deployed, billed
from lastmile_sls.budget.period import Period
from lastmile_sls.budget.spend import FREE, Rates, rates_of, requests_since, spend_of
from lastmile_sls.costs.usage import Usage
from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.document import Component, Estimate, Line, Traffic
from lastmile_sls.prices.book import Price, Tier

duckdb = pytest.importorskip("duckdb")
NOVEMBER = Period(2026, 11)
CHURN = Deployed("churn", "prod", "aws")
RATES = Rates(Decimal("0.00002"), Decimal(73), "USD")
ASKED = "Are the tags model and environment active cost tags (lastmile tags check), and are these the right account's files?"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def cube() -> Iterator[Any]:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE cube (currency VARCHAR, day DATE, cloud VARCHAR, model VARCHAR, environment VARCHAR, "
        "charge VARCHAR, billed DECIMAL(38, 18))"
    )
    yield connection
    connection.close()


def add(cube: Any, day: str, amount: str, *, model: str | None = "churn", **changes: str | None) -> None:
    row = {"currency": "USD", "cloud": "aws", "environment": "prod", "charge": "Usage", **changes}
    cube.execute(
        "INSERT INTO cube VALUES (?, ?, ?, ?, ?, ?, ?)",
        [row["currency"], day, row["cloud"], model, row["environment"], row["charge"], Decimal(amount)],
    )


def usage(day: int, requests: int, month: int = 11) -> Usage:
    return Usage(date(2026, month, day), "churn", "prod", "v1", requests, Decimal(20))


def test_this_deployments_rows_of_the_month_are_summed_exactly_credits_too(cube: Any) -> None:
    add(cube, "2026-11-01", "0.1")
    add(cube, "2026-11-20", "0.2")
    add(cube, "2026-11-19", "-0.05", charge="Credit")
    add(cube, "2026-10-31", "100")
    add(cube, "2026-12-01", "100")
    add(cube, "2026-11-21", "100", environment="dev")
    add(cube, "2026-11-21", "100", model="other")
    add(cube, "2026-11-21", "100", model=None)
    add(cube, "2026-11-21", "100", cloud="gcp")
    assert billed(cube, CHURN, NOVEMBER, "USD") == Billed(Decimal("0.25"), date(2026, 11, 20))
    everywhere = billed(cube, Deployed("churn", "prod", None), NOVEMBER, "USD")
    assert everywhere == Billed(Decimal("100.25"), date(2026, 11, 21))


def test_another_currency_is_never_added(cube: Any) -> None:
    add(cube, "2026-11-01", "1")
    add(cube, "2026-11-02", "1", currency="EUR")
    with pytest.raises(LastmileError) as refused:
        billed(cube, CHURN, NOVEMBER, "USD")
    assert refused.value.message == "the files bill churn (prod) in EUR, but budget.currency is USD."


@pytest.mark.parametrize(
    ("rows", "warning"),
    [
        ([], "the files have no row that can be summed, so nothing of 2026-11 is billed yet"),
        ([("2026-10-31", "churn")], "the files end on 2026-10-31, so nothing of 2026-11 is billed yet"),
        ([("2026-12-01", "churn")], "the files begin on 2026-12-01, after 2026-11"),
        (
            [("2026-11-01", "other"), ("2026-11-01", "more")],
            f"no row of 2026-11 in the files is of churn (prod): they have more (prod), other (prod). {ASKED}",
        ),
        (
            [("2026-11-01", None)],
            f"no row of 2026-11 in the files is of churn (prod): none of their rows names a model. {ASKED}",
        ),
    ],
)
def test_why_nothing_was_billed(cube: Any, rows: list[tuple[str, str | None]], warning: str) -> None:
    for day, model in rows:
        add(cube, day, "1", model=model)
    assert billed(cube, CHURN, NOVEMBER, "USD") == Billed(Decimal(0), None, (warning,))


def test_the_estimate_begins_after_the_last_day_that_was_billed() -> None:
    found = Billed(Decimal("150.5"), date(2026, 11, 19))
    rows = [usage(19, 999_999), usage(20, 100_000), usage(21, 50_000), usage(22, 7), usage(20, 3, 10)]
    spend = spend_of(found, rows, RATES, "USD", NOW)
    assert (spend.billed, spend.billed_through) == (Decimal("150.5"), date(2026, 11, 19))
    assert (spend.requests, spend.usage) == (150_000, Decimal(3))
    assert spend.baseline == Decimal("3.6")  # 36 hours of the 730 that cost 73
    assert (spend.estimated, spend.total, spend.warnings) == (Decimal("6.6"), Decimal("157.1"), ())
    assert spend.percent_of(Decimal(250)) == Decimal("62.84")
    assert [row.requests for row in requests_since(found, rows, NOW)] == [100_000, 50_000]


def test_without_any_bill_the_whole_month_is_an_estimate() -> None:
    why = Billed(Decimal(0), None, ("the files end on 2026-10-31, so nothing of 2026-11 is billed yet",))
    spend = spend_of(why, [usage(1, 100_000)], RATES, "USD", NOW)
    assert (spend.billed, spend.usage) == (Decimal(0), Decimal(2))
    assert spend.billed_through is None
    assert spend.baseline == Decimal("49.2")
    assert spend.warnings == why.warnings
    assert spend_of(None, [], FREE, "EUR", NOW).total == 0


def test_requests_that_nobody_counted_are_said_to_be_left_out() -> None:
    spend = spend_of(Billed(Decimal(1), date(2026, 11, 20)), None, RATES, "USD", NOW)
    assert spend.warnings == (
        "the requests since then are not known (--usage FILE), so what they cost is left out",
    )


def test_nothing_known_is_no_zero() -> None:
    with pytest.raises(LastmileError) as refused:
        spend_of(None, None, RATES, "USD", NOW)
    assert refused.value.message == "nothing is known of 2026-11: no files of the bill were given."
    with pytest.raises(LastmileError, match=r"^nothing is known of 2026-11: the files end\.\n"):
        spend_of(Billed(Decimal(0), None, ("the files end",)), None, RATES, "USD", NOW)


def test_prices_in_another_currency_are_not_added_to_the_bill() -> None:
    with pytest.raises(LastmileError) as refused:
        spend_of(Billed(Decimal(1), date(2026, 11, 1)), [], RATES, "EUR", NOW)
    assert refused.value.message == (
        "list prices are in USD, but budget.currency is EUR: they cannot be added."
    )


def test_rates_are_an_estimates() -> None:
    price = Price(
        "aws.x",
        "X",
        "eu-west-1",
        "1",
        "USD",
        (Tier(Decimal(0), Decimal(1)),),
        Decimal(0),
        "",
        date(2026, 11, 1),
        True,
    )
    components = (
        Component("requests", Decimal(4), price, Decimal(4), usage_based=True),
        Component("warm", Decimal(9), price, Decimal(9), usage_based=False),
    )
    lines = (Line("t", "n", "priced", components),)
    traffic = Traffic(Decimal(1000), {})
    estimate = Estimate("churn-prod", "aws", "eu-west-1", "USD", traffic, {}, lines, free_tier=False)
    assert rates_of(estimate) == Rates(Decimal("0.004"), Decimal(9), "USD")
