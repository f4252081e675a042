"""A small report that every way to tell it is tested on: two currencies, and names that mean harm."""

from __future__ import annotations

import functools
from datetime import date, timedelta
from decimal import Decimal

import duckdb

from lastmile_sls.costs.report.document import Asked, Report, Share
from lastmile_sls.costs.report.make import make
from lastmile_sls.costs.usage import Usage
from tests.lastmile_sls.costs.cubes import Row, Untagged, connection

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 16)
EVIL = '"><img src=x onerror=alert(1)>'
_DAYS = [FIRST + timedelta(days=n) for n in range(16)]


def bills() -> duckdb.DuckDBPyConnection:
    """Return sixteen days: churn costs 10.005 a day and 40 once, an evil model 2, a bucket of nobody 1.5."""
    rows = [
        *(Row(day, "40" if day.day == 14 else "10.005", billed="9", listed="12") for day in _DAYS),
        *(Row(day, "2", EVIL, "=cmd()", "gcp", owner="@SUM(A1)", cost_center="+1") for day in _DAYS),
        *(Row(day, "1.5", None, "Amazon S3") for day in _DAYS),
        Row(LAST, "0.004", "tiny", "AWS Lambda", environment=None, owner=None, cost_center=None),
        Row(LAST, "14.20", None, "AWS Lambda", charge="Tax"),
        Row(FIRST, "-25", None, "AWS Lambda", charge="Credit"),
        Row(LAST, "3.5", "heat", "Functions", "azure", "EUR"),
    ]
    return connection(
        rows,
        untagged=[
            Untagged(
                "USD",
                "aws",
                "Amazon S3",
                "arn:aws:s3:::notes",
                "notes",
                "bucket",
                "model, owner",
                Decimal(23),
                15,
            ),
            Untagged("USD", "aws", "Amazon S3", None, None, None, "model", Decimal(1), 1),
        ],
        dirty=[("aws.csv", "BilledCost is no number", 2, "<b>abc</b>", False)],
        sources=[("aws.csv", "aws", "1.2", 51, FIRST, LAST), ("azure.csv", "azure", "1.0", 1, LAST, LAST)],
    )


def usage() -> list[Usage]:
    """Return what versions of churn were asked on the last two days."""
    return [
        Usage(day, "churn", "prod", version, requests, Decimal(5))
        for day in _DAYS[-2:]
        for version, requests in (("v1", 6000), ("v2", 2000))
    ]


@functools.cache
def report(share: Share = "none", *, synthetic: bool = False, counts: bool = True) -> Report:
    """Return the report of it."""
    return make(
        *(bills(), Asked(share=share), usage() if counts else ()),
        warnings=["two exports overlap on 3 days; the later one counts"],
        synthetic=synthetic,
    )
