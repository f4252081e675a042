from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.lastmile_infra.azure.recorded import SUBSCRIPTION, WATCHED, Run, provisioned
from tests.lastmile_infra.plans import spec_of


def test_a_budget_over_the_deployments_groups(watched: Run) -> None:
    told = watched.inputs("Budget")
    alerts, period = told.pop("notifications"), told.pop("timePeriod")
    assert re.fullmatch(r"20\d\d-[01]\d-01T00:00:00Z", period["startDate"])
    assert told == {
        "budgetName": "churn-dev-budget",
        "scope": f"/subscriptions/{SUBSCRIPTION}",
        "category": "Cost",
        "amount": 100,
        "timeGrain": "Monthly",
        "filter": {
            "dimensions": {
                "name": "ResourceGroupName",
                "operator": "In",
                "values": ["churn-dev", "churn-dev-data-1234567"],
            }
        },
    }
    assert alerts == {
        name: {
            "enabled": True,
            "operator": "GreaterThanOrEqualTo",
            "threshold": percent,
            "thresholdType": of,
            "contactEmails": ["a@example.com", "b@example.com"],
        }
        for name, percent, of in (
            ("actual_62_5", 62.5, "Actual"),
            ("actual_100", 100, "Actual"),
            ("forecast_100", 100, "Forecasted"),
        )
    }


def test_it_begins_with_the_month_in_which_it_is_made_and_keeps_that(watched: Run) -> None:
    begun = watched.inputs("Budget")["timePeriod"]["startDate"]
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(begun) < timedelta(days=32)
    assert list(watched.one("Budget").request.ignoreChanges) == ["timePeriod"]


def test_storage_of_the_users_own_is_not_counted(tmp_path: Path) -> None:
    place = {"bucket": "mine/models", "resource_group": "theirs"}
    run = provisioned(spec_of(**WATCHED, targets={"azure": place}), tmp_path)
    assert run.inputs("Budget")["filter"]["dimensions"]["values"] == ["churn-dev"]


def test_no_budget_unless_there_is_a_limit(tmp_path: Path) -> None:
    assert not provisioned(spec_of(), tmp_path).all("Budget")
