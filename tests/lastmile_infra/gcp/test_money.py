from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lastmile_infra.gcp.money import amount_of
from tests.lastmile_infra.gcp.recorded import BILLING, NUMBER, PROJECT, channel_of, provisioned_plan, run_of
from tests.lastmile_infra.gcp.test_gcp import TAGS
from tests.lastmile_infra.plans import plan_of, spec_of
from tests.lastmile_infra.recorded import Run

BUDGET: dict[str, Any] = {
    "budget": {
        "monthly_limit": 120.5,
        "currency": "EUR",
        "alerts_percent": [50.0, 90.0],
        "forecast_percent": [120.0],
        "notify": ["money@example.com"],
    },
    "targets": {"gcp": {"billing_account": BILLING}},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_of(tmp_path_factory.mktemp("gcp") / "project", **BUDGET)


def test_a_budget_of_the_model_with_every_alert(run: Run) -> None:
    assert run.inputs("Budget") == {
        "billingAccount": BILLING,
        "displayName": "churn-dev-budget",
        "amount": {"specifiedAmount": {"currencyCode": "EUR", "units": "120", "nanos": 500000000}},
        "budgetFilter": {
            "projects": [f"projects/{NUMBER}"],
            "labels": {"model": "churn"},
            "calendarPeriod": "MONTH",
        },
        "thresholdRules": [
            {"thresholdPercent": 0.5, "spendBasis": "CURRENT_SPEND"},
            {"thresholdPercent": 0.9, "spendBasis": "CURRENT_SPEND"},
            {"thresholdPercent": 1.2, "spendBasis": "FORECASTED_SPEND"},
        ],
        "allUpdatesRule": {
            "monitoringNotificationChannels": [channel_of("money@example.com")],
            "disableDefaultIamRecipients": True,
        },
    }
    assert run.inputs("NotificationChannel") == {
        "type": "email",
        "displayName": "churn-dev: money@example.com",
        "labels": {"email_address": "money@example.com"},
        "userLabels": TAGS,
    }


def test_the_limit_is_exact() -> None:
    limits = {
        "1000": ("1000", 0),
        "120.5": ("120", 500000000),
        "0.25": ("0", 250000000),
        "0.000000001": ("0", 1),
    }
    assert {limit: amount_of(limit) for limit in limits} == limits


def test_a_person_who_makes_a_budget_says_whose_quota_it_takes(run: Run) -> None:
    provider = run.inputs("gcp")
    assert (provider["billingProject"], provider["userProjectOverride"]) == (PROJECT, "true")
    assert run.calls == ["gcp:organizations/getProject:getProject"]


def test_a_plan_without_a_billing_account(tmp_path: Path) -> None:
    plan = plan_of(spec_of(**BUDGET), "gcp")
    assert plan["budget"]
    plan["budget"]["billing_account"] = None
    wrong = r"^budget\.billing_account is None, but Google Cloud's budgets belong to one\.$"
    with pytest.raises(ValueError, match=wrong):
        provisioned_plan(plan, tmp_path)
