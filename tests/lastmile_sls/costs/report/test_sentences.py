"""What the report says in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from lastmile_sls.costs.anomalies import Anomaly
from lastmile_sls.costs.forecast import Forecast, NoForecast
from lastmile_sls.costs.report import sentences
from lastmile_sls.costs.report.document import Change
from tests.lastmile_sls.costs.report.reports import report

OCTOBER = date(2026, 10, 1)


def test_a_change() -> None:
    change = Change(OCTOBER, 31, whole=True, now=Decimal(110), before=Decimal(100))
    assert sentences.change(change, "USD") == (
        "+10.0 %: 110.00 USD in October 2026, after 100.00 USD in September 2026"
    )
    assert sentences.change(replace(change, days=12, whole=False, before=Decimal(0)), "EUR") == (
        "110.00 EUR in October 2026, after 0.00 EUR in September 2026 (the first 12 days of both)"
    )


def test_a_forecast() -> None:
    found = Forecast(
        *(OCTOBER, Decimal(5), Decimal(10), Decimal(8), Decimal(12), 20, date(2026, 10, 14)),
    )
    assert sentences.forecast(found, "USD") == (
        "October 2026 will cost 10.00 USD, between 8.00 and 12.00 in 80 of 100 such months (by weekday means of 20 days; "
        "14 October 2026 is left out, its bill looks incomplete)."
    )
    assert sentences.forecast(NoForecast("a forecast needs 14 days, and there are 3"), "USD") == (
        "No forecast: a forecast needs 14 days, and there are 3."
    )


def test_an_anomaly() -> None:
    found = Anomaly(
        *(date(2026, 10, 14), "churn", None, "aws", "AWS Lambda", Decimal(40), Decimal(10), Decimal(9), 3),
        weekdays=True,
    )
    assert sentences.anomaly(found, "USD") == (
        "14 October 2026: AWS Lambda (aws) of churn (no environment) cost 40.00 USD, where 10.00 is the median of the "
        "other 3 Wednesdays (4.0 times)."
    )
    other = replace(found, model=None, usual=Decimal(0), weekdays=False, compared=12)
    assert sentences.anomaly(other, "USD") == (
        "14 October 2026: AWS Lambda (aws) of what is not attributed cost 40.00 USD, where 0.00 is the median of the "
        "12 other days seen."
    )


def test_the_title_and_the_rules() -> None:
    found = report("even")
    assert sentences.title(found) == "What models cost, 1 to 16 October 2026"
    assert sentences.subtitle(found) == "2 files of aws, azure, 52 rows"
    asked = replace(found, asked=replace(found.asked, models=("churn",), environments=("prod",)))
    assert sentences.title(asked) == "What churn in prod cost, 1 to 16 October 2026"
    told = " ".join(sentences.method(found))
    assert "is split evenly over the models that cost anything in the same cloud" in told
    assert "The price of 1 000 predictions is a model's own effective cost" in told
    assert "1 000 predictions" not in " ".join(sentences.method(report(counts=False)))
    assert sentences.not_attributed(found.currencies[1]) == "All of the usage is attributed to a model."
