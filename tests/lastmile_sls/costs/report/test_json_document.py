"""The JSON document has its stated form, and every digit as text."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from lastmile_sls.costs.report.json_document import document
from tests.lastmile_sls.costs.report.reports import EVIL, report

AMOUNTS = {"effective", "billed", "list", "contracted"}


def _floats(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [found for one in value.values() for found in _floats(one)]
    if isinstance(value, list):
        return [found for one in value for found in _floats(one)]
    return [value] if isinstance(value, float) else []


def test_the_document_says_all_that_was_found() -> None:
    made = json.loads(json.dumps(document(report("even"))))
    assert _floats(made) == []
    assert {
        key: made[key] for key in ("format", "synthetic", "asked", "warnings", "counted_but_not_billed")
    } == {
        "format": "lastmile.costs/1",
        "synthetic": False,
        "asked": {"from": None, "to": None, "models": [], "environments": [], "share": "even"},
        "warnings": ["two exports overlap on 3 days; the later one counts"],
        "counted_but_not_billed": [],
    }
    assert made["files"][1] == {
        "file": "azure.csv",
        "cloud": "azure",
        "focus_version": "1.0",
        "rows": 1,
        "from": "2026-10-16",
        "to": "2026-10-16",
        "counted_rows": 1,
        "note": None,
    }
    assert made["dirty"] == [
        {
            "file": "aws.csv",
            "reason": "BilledCost is no number",
            "rows": 2,
            "example": "<b>abc</b>",
            "counted": False,
        }
    ]
    usd, eur = made["currencies"]
    assert (usd["currency"], usd["from"], usd["to"], eur["currency"]) == (
        "USD",
        "2026-10-01",
        "2026-10-16",
        "EUR",
    )
    assert usd["usage"] == {
        "effective": "246.079",
        "billed": "200.004",
        "list": "248.004",
        "contracted": "246.079",
    }
    assert usd["not_attributed"] == {
        **dict.fromkeys(AMOUNTS, "24"),
        "share": "0.097529655111",
        "not_split": dict.fromkeys(AMOUNTS, "0"),
    }
    assert usd["other_charges"][1] == {
        "category": "Credit",
        "cloud": "aws",
        "service": "AWS Lambda",
        "model": None,
        **dict.fromkeys(AMOUNTS, "-25"),
    }
    assert eur["forecast"] == {"why_not": "a forecast needs 14 days, and there are 1"}


def test_a_model_and_its_lines() -> None:
    usd = document(report("even"))["currencies"][0]
    assert usd["by"]["model"][1] == {
        "key": EVIL,
        "own": dict.fromkeys(AMOUNTS, "32"),
        "shared": dict.fromkeys(AMOUNTS, "0"),
    }
    churn = usd["models"][0]
    assert (churn["model"], churn["environment"], churn["owners"], churn["cost_centers"]) == (
        *("churn", "prod", ["team-a"], ["cc-1"]),
    )
    assert churn["shared"]["effective"] == "12"
    assert (churn["requests"], churn["counted_days"], churn["per_1000"]) == (16000, 2, "1.250625")
    assert churn["services"] == [
        {
            "cloud": "aws",
            "service": "AWS Lambda",
            "effective": "190.075",
            "billed": "144",
            "list": "192",
            "contracted": "190.075",
        }
    ]
    assert [(version["version"], version["split"]["effective"]) for version in churn["versions"]] == [
        *(("v1", "15.0075"), ("v2", "5.0025"), (None, "0")),
    ]
    assert len(churn["days"]) == 16
    assert churn["days"]["2026-10-14"] == "40"
    assert set(churn["forecast"]) == {"month", "spent", "expected", "low", "high", "from_days", "left_out"}


def test_what_stands_out_and_what_needs_tags() -> None:
    usd = document(report())["currencies"][0]
    (anomaly,) = usd["anomalies"]
    assert {key: anomaly[key] for key in ("day", "model", "service", "cost", "usual", "compared_days")} == {
        "day": "2026-10-14",
        "model": "churn",
        "service": "AWS Lambda",
        "cost": "40",
        "usual": "10.005",
        "compared_days": 15,
    }
    (storage,) = usd["untagged"]
    assert {key: storage[key] for key in ("service", "effective", "whole", "share", "resource_count")} == {
        "service": "Amazon S3",
        "effective": "24",
        "whole": "24",
        "share": "1",
        "resource_count": 1,
    }
    assert storage["resources"][0] == {
        "resource_id": "arn:aws:s3:::notes",
        "name": "notes",
        "type": "bucket",
        "missing": "model, owner",
        "effective": "23",
        "rows": 15,
        "model": None,
    }
    assert Decimal(usd["whole_usage"]) == Decimal(usd["usage"]["effective"])
