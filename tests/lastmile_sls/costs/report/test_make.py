"""The report's numbers: parts add up to the whole to the last digit, and currencies and charges stay apart."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import get_args

import pytest

from lastmile_sls.costs.report.amounts import NOTHING, Amounts, exactly, total
from lastmile_sls.costs.report.document import (
    Asked,
    Change,
    Charge,
    Dimension,
    Dirty,
    Line,
    Report,
    Share,
    Source,
    UntaggedResource,
    UntaggedService,
)
from lastmile_sls.costs.report.make import make
from lastmile_sls.costs.usage import Usage
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.costs.cubes import Row, Untagged, connection

FIRST = date(2026, 9, 1)
LAST = date(2026, 10, 20)


def _rows() -> list[Row]:
    """Return random costs with 18 places, of three models on two clouds, and of none."""
    drawn = random.Random(4)
    rows = []
    for n in range(50):
        day = FIRST + timedelta(days=n)
        for model, environment, cloud, service in (
            *(("churn", "prod", "aws", "AWS Lambda"), ("churn", "dev", "aws", "AWS Lambda")),
            *(
                ("fraud", "prod", "gcp", "Cloud Run"),
                (None, None, "aws", "Amazon S3"),
                (None, None, "azure", "Other"),
            ),
        ):
            cost = f"{drawn.randrange(1, 9)}.{drawn.randrange(10**18):018}"
            owner = "team-b" if day.day > 20 else "team-a"
            rows.append(
                Row(day, cost, model, service, cloud, environment=environment, owner=owner, billed="0.1")
            )
    return rows


ROWS = _rows()
OTHERS = [
    Row(LAST, "14.20", None, "AWS Lambda", charge="Tax"),
    Row(FIRST, "-25", "churn", "AWS Lambda", charge="Credit"),
    Row(LAST, "3.5", "churn", currency="EUR", cloud="azure", service="Functions"),
]
USAGE = [Usage(LAST, "churn", "prod", version, 500, Decimal(2)) for version in ("v1", "v2")]


def _sum(rows: list[Row]) -> Decimal:
    with exactly():
        return sum((Decimal(row.effective) for row in rows), Decimal(0))


@pytest.fixture(scope="module")
def reports() -> dict[Share, Report]:
    made = connection(
        [*ROWS, *OTHERS],
        untagged=[
            Untagged("USD", "aws", "Amazon S3", f"arn:{n}", None, "bucket", "model", Decimal(n), 3)
            for n in range(25)
        ],
        dirty=[("a.csv", "no currency", 2, "line 7", False)],
        sources=[("a.csv", "aws", "1.2", 250, FIRST, LAST)],
    )
    rules: tuple[Share, ...] = get_args(Share)
    return {
        rule: make(made, Asked(share=rule), USAGE, warnings=["take care"], synthetic=True) for rule in rules
    }


def test_every_dimension_adds_up_to_the_usage_to_the_last_digit(reports: dict[Share, Report]) -> None:
    for report in reports.values():
        usd = report.currencies[0]
        assert usd.usage.effective == usd.period == _sum(ROWS)
        with exactly():
            for dimension in get_args(Dimension):
                assert total(line.own for line in usd.lines[dimension]) == usd.usage, dimension
                assert total(line.shared for line in usd.lines[dimension]) == NOTHING, dimension
            assert total((*(model.own for model in usd.models), usd.unattributed)) == usd.usage
            for model in usd.models:
                assert total(version.cost for version in model.versions) == model.own
                assert total(amounts for *_, amounts in model.services) == model.own
                assert sum(model.days.values()) == model.own.effective


def test_what_is_shared_is_a_clouds_own_and_no_model_pays_for_another_cloud(
    reports: dict[Share, Report],
) -> None:
    lost = _sum([row for row in ROWS if row.model is None and row.cloud == "aws"])
    elsewhere = _sum([row for row in ROWS if row.model is None and row.cloud == "azure"])
    for rule in ("even", "proportional"):
        usd = reports[rule].currencies[0]
        with exactly():
            by_model = {(model.model, model.environment): model.shared.effective for model in usd.models}
            assert sum(by_model.values()) == lost
        assert by_model["fraud", "prod"] == 0
        assert usd.left.effective == elsewhere
        assert (by_model["churn", "prod"] == by_model["churn", "dev"]) == (rule == "even")
        (of_none,) = (line for line in usd.lines["model"] if line.key is None)
        assert of_none.shared.effective == -lost
        owners = {line.key: line.shared.effective for line in usd.lines["owner"]}
        assert owners["team-a"] > owners["team-b"] > 0
    assert reports["none"].currencies[0].left == reports["none"].currencies[0].unattributed


def test_currencies_and_charges_stay_apart(reports: dict[Share, Report]) -> None:
    usd, eur = reports["none"].currencies
    assert (usd.currency, eur.currency) == ("USD", "EUR")
    assert eur.usage == Amounts(*[Decimal("3.5")] * 4)
    assert eur.lines["service"] == (Line("Functions", eur.usage),)
    assert (eur.first, eur.last, reports["none"].first) == (LAST, LAST, FIRST)
    assert usd.charges == (
        Charge("Tax", "aws", "AWS Lambda", None, Amounts(*[Decimal("14.20")] * 4)),
        Charge("Credit", "aws", "AWS Lambda", "churn", Amounts(*[Decimal(-25)] * 4)),
    )
    assert usd.other.effective == Decimal("-10.8")


def test_a_month_is_compared_with_the_same_days_of_the_one_before(reports: dict[Share, Report]) -> None:
    usd, eur = reports["none"].currencies
    now = _sum([row for row in ROWS if row.day.month == 10])
    before = _sum([row for row in ROWS if row.day.month == 9 and row.day.day <= 20])
    assert usd.change == Change(date(2026, 10, 1), 20, whole=False, now=now, before=before)
    assert eur.change is None


def test_requests_give_a_price_and_split_versions(reports: dict[Share, Report]) -> None:
    usd = reports["none"].currencies[0]
    churn = next(model for model in usd.models if model.name == "churn (prod)")
    assert churn.counted is not None
    assert churn.counted.per_1000 == churn.days[LAST]
    assert [(version.version, version.requests) for version in churn.versions] == [
        ("v1", 500),
        ("v2", 500),
        (None, None),
    ]
    with exactly():
        assert churn.versions[0].split + churn.versions[1].split == Amounts(
            churn.days[LAST], Decimal("0.1"), *[churn.days[LAST]] * 2
        )
    keys = {line.key for line in usd.lines["version"]}
    assert {"churn (prod) v1", "churn (prod) v2", "churn (prod) (all versions)", None} <= keys


def test_untagged_files_and_dirty_rows_are_told(reports: dict[Share, Report]) -> None:
    report = reports["none"]
    usd = report.currencies[0]
    storage = next(service for service in usd.untagged if service.service == "Amazon S3")
    assert isinstance(storage, UntaggedService)
    assert (storage.share, storage.resource_count, len(storage.resources)) == (Decimal(1), 25, 20)
    assert storage.resources[0] == UntaggedResource("arn:24", None, "bucket", "model", Decimal(24), 3)
    assert report.dirty == (Dirty("a.csv", "no currency", 2, "line 7", counted=False),)
    assert report.sources == (Source("a.csv", "aws", "1.2", 250, FIRST, LAST, 250, None),)
    assert (report.warnings, report.synthetic, report.has_counts) == (("take care",), True, True)


def test_what_was_asked_for_is_told_alone() -> None:
    made = connection([*ROWS, *OTHERS])
    asked = Asked(date(2026, 9, 5), date(2026, 9, 9), ("churn",), ("dev",), "even")
    (usd,) = make(made, asked, [Usage(FIRST, "absent", "dev", "v1", 1, None)]).currencies
    meant = [row for row in ROWS if 5 <= row.day.day <= 9 and row.day.month == 9]
    assert usd.usage.effective == _sum(
        [row for row in meant if (row.model, row.environment) == ("churn", "dev")]
    )
    assert usd.period == _sum(meant)
    assert [(line.key, line.shared != NOTHING) for line in usd.lines["model"]] == [("churn", True)]
    assert (usd.first, usd.last) == (date(2026, 9, 5), date(2026, 9, 9))


def test_requests_of_a_model_without_a_bill_are_told() -> None:
    usage = [Usage(LAST, "absent", "dev", "v1", 1, None)]
    assert make(connection(ROWS), Asked(), usage).unbilled == ["absent"]


def test_a_model_whose_refunds_are_more_than_its_cost_shares_all_the_same() -> None:
    paid = [Row(LAST, "2", cloud="aws"), Row(LAST, "-5", cloud="gcp"), Row(LAST, "1", None, cloud="aws")]
    (usd,) = make(connection(paid), Asked(share="proportional")).currencies
    assert [(line.key, line.shared.effective) for line in usd.lines["owner"]] == [
        *((None, Decimal(-1)), ("team-a", Decimal(1))),
    ]


def test_nothing_to_tell_is_refused() -> None:
    made = connection(ROWS)
    with pytest.raises(LastmileError) as refused:
        make(made, Asked(first=date(2027, 1, 1)))
    assert refused.value.message == "the files have no rows from 2027-01-01 to the last day."
    assert refused.value.hint == "Look at which days they are of: leave out --from and --to."
    with pytest.raises(LastmileError) as refused:
        make(made, Asked(models=("chrun",), environments=("prod",)))
    assert refused.value.message == "the files have no cost of model chrun, environment prod on these days."
    assert refused.value.hint.startswith("Leave out --model and --environment to see which there are.")
