"""Infracost's JSON: by its own schema, and its sums hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from math import isclose
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator

from lastmile_sls.estimate.diff import diff
from lastmile_sls.estimate.infracost import to_infracost
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions
from tests.lastmile_sls.estimate.priced import estimated, resource, resources_of, traffic

SCHEMA = Path(__file__).parents[2] / "data" / "infracost.schema.json"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_it_is_what_the_schema_says() -> None:
    apart = plan_of(spec_of(**two_versions(apart=True)), "aws")
    odd = [*resources_of(apart), resource("x:a:Surprise", "churn-dev-surprise")]
    busy = estimated(traffic(), apart, resources=odd)
    diffs = {
        "busy": diff(estimated(traffic(requests=Decimal(500_000))), busy),
        "less": diff(busy, estimated(traffic(requests=Decimal(1)))),
        "new": diff(None, estimated()),
    }
    document = json.loads(json.dumps(to_infracost(diffs, NOW, "models/lastmile.yaml")))
    Draft4Validator(json.loads(SCHEMA.read_text())).validate(document)

    first, less, new = document["projects"]
    assert (document["version"], document["currency"], document["metadata"]["infracostCommand"]) == (
        *("0.2", "USD", "diff"),
    )
    assert [one["name"] for one in document["projects"]] == [
        f"churn-dev (aws, {shape})" for shape in ("busy", "less", "new")
    ]
    assert first["metadata"] == {"path": "models/lastmile.yaml", "type": "pulumi_preview"}
    assert first["summary"]["unsupportedResourceCounts"] == {"x:a:Surprise": 1}
    assert (first["summary"]["totalDetectedResources"], first["summary"]["totalSupportedResources"]) == (5, 3)
    assert document["summary"]["totalDetectedResources"] == 5 + 3 + 3
    for project in document["projects"]:
        check_sums(project)
    assert (new["pastBreakdown"]["totalMonthlyCost"], new["diff"]["totalMonthlyCost"]) == ("0", "13.5")
    (gone,) = (one for one in less["diff"]["resources"] if one["name"].endswith("predict-v2"))
    assert Decimal(gone["monthlyCost"]) < 0
    assert all(Decimal(one["monthlyQuantity"]) < 0 for one in gone["costComponents"])


def check_sums(project: dict[str, Any]) -> None:
    """Every total is the sum of what is below it, and the difference is after less before."""
    for name in ("breakdown", "pastBreakdown", "diff"):
        found = project[name]
        total = sum(Decimal(one["monthlyCost"]) for one in found["resources"])
        assert isclose(total, Decimal(found["totalMonthlyCost"]), abs_tol=1e-9)
        usage = sum(Decimal(one["monthlyUsageCost"]) for one in found["resources"])
        assert isclose(usage, Decimal(found["totalMonthlyUsageCost"]), abs_tol=1e-9)
        hourly = Decimal(found["totalHourlyCost"]) * 730
        assert isclose(hourly, Decimal(found["totalMonthlyCost"]), abs_tol=1e-8)
        for one in found["resources"]:
            parts = sum(Decimal(part["monthlyCost"]) for part in one["costComponents"])
            assert isclose(parts, Decimal(one["monthlyCost"]), abs_tol=1e-9)
    for one in project["breakdown"]["resources"]:
        for part in one["costComponents"]:
            cost = Decimal(part["monthlyQuantity"]) * Decimal(part["price"])
            assert isclose(cost, Decimal(part["monthlyCost"]), rel_tol=1e-6, abs_tol=1e-9)


def test_components_of_one_name_are_told_apart_and_without_a_before_it_is_a_breakdown() -> None:
    plan = plan_of(spec_of(**two_versions()), "aws")
    document = to_infracost({"": diff(None, estimated(traffic(), plan))}, NOW, "lastmile.yaml")
    assert document["metadata"]["infracostCommand"] == "breakdown"
    (project,) = document["projects"]
    assert project["name"] == "churn-dev (aws)"
    function, bucket = project["breakdown"]["resources"]
    assert function["tags"] == {"model": "churn", "owner": "a|b<i>"}
    assert [one["name"] for one in function["costComponents"]] == ["Requests", "Time"]
    assert bucket["costComponents"] == [
        {
            "name": "Keeping",
            "unit": "month",
            "hourlyQuantity": "0.001369863014",
            "monthlyQuantity": "1",
            "price": "2",
            "hourlyCost": "0.002739726027",
            "monthlyCost": "2",
            "usageBased": False,
            "priceNotFound": False,
        }
    ]
    assert [one["name"] for one in project["breakdown"]["freeResources"]] == ["x:a:Role::churn-dev-role"]
