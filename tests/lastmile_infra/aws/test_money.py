from __future__ import annotations

from pathlib import Path

from tests.lastmile_infra.aws.recorded import provisioned
from tests.lastmile_infra.aws.test_queue import told
from tests.lastmile_infra.plans import spec_of


def test_a_budget_with_every_alert(tmp_path: Path) -> None:
    budget = {
        "monthly_limit": 49.5,
        "alerts_percent": [80.0, 50.5],
        "forecast_percent": [100.0],
        "notify": ["owner@example.com", "finance@example.com"],
    }
    run = provisioned(spec_of(budget=budget), tmp_path)

    def alert(kind: str, percent: float) -> dict[str, object]:
        return {
            "comparisonOperator": "GREATER_THAN",
            "notificationType": kind,
            "threshold": percent,
            "thresholdType": "PERCENTAGE",
            "subscriberEmailAddresses": budget["notify"],
        }

    assert told(run, "Budget", "churn-dev-budget") == {
        "name": "churn-dev-budget",
        "budgetType": "COST",
        "timeUnit": "MONTHLY",
        "limitAmount": "49.5",
        "limitUnit": "USD",
        "filterExpression": {
            "ands": [
                {"tags": {"key": "model", "values": ["churn"]}},
                {"tags": {"key": "environment", "values": ["dev"]}},
            ]
        },
        "metrics": "UnblendedCost",
        "notifications": [alert("ACTUAL", 50.5), alert("ACTUAL", 80), alert("FORECASTED", 100)],
    }


def test_without_a_budget_there_is_none(tmp_path: Path) -> None:
    assert not provisioned(spec_of(), tmp_path).all("Budget")
