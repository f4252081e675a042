"""What a plan says about alarms, dashboards and budgets."""

from __future__ import annotations

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.operations import budget_of, operations_of
from tests.lastmile_infra.plans import spec_of

TEAM = ["team@a.example"]


def test_nothing_unless_the_spec_says_so() -> None:
    assert operations_of(spec_of(queue={})) is None
    assert budget_of("aws", spec_of()) is None


def test_alarms_and_a_dashboard() -> None:
    operations = operations_of(
        spec_of(operations={"notify": TEAM, "alarms": {"errors_percent": 2.5}}, queue={})
    )
    assert operations is not None
    assert (operations["resource"], operations["notify"], operations["dashboard"]) == (
        *("churn-dev-alarms", TEAM),
        "churn-dev-dashboard",
    )
    told = {
        alarm["signal"]: (alarm["resource"], alarm["threshold"], alarm["description"])
        for alarm in operations["alarms"]
    }
    assert told == {
        "errors": (
            *("churn-dev-errors", 2.5),
            "churn (dev): 2.5 % or more of the answers in 5 minutes are errors of the server's.",
        ),
        "latency": (
            "churn-dev-latency",
            24000.0,
            "churn (dev): One answer in twenty takes 24000 ms or longer.",
        ),
        "throttles": (
            *("churn-dev-throttles", 1.0),
            "churn (dev): 1 or more requests in 5 minutes were refused because there were too many.",
        ),
        "queue-age": (
            "churn-dev-queue-age",
            900.0,
            "churn (dev): A message of the queue has waited for 900 s or longer.",
        ),
        "dead-letters": (
            *("churn-dev-dead-letters", 1.0),
            "churn (dev): 1 or more messages were set aside: lastmile queue peek, then lastmile queue redrive.",
        ),
    }
    assert {alarm["window_s"] for alarm in operations["alarms"]} == {300}


def test_without_a_queue_nothing_waits() -> None:
    operations = operations_of(spec_of(operations={"notify": TEAM, "dashboard": False}))
    assert operations is not None
    assert [alarm["signal"] for alarm in operations["alarms"]] == ["errors", "latency", "throttles"]
    assert operations["dashboard"] is None


def test_a_budget_with_its_alerts_in_order() -> None:
    spec = spec_of(
        budget={"monthly_limit": 120.50, "alerts_percent": [90, 50]},
        operations={"notify": TEAM},
        targets={"gcp": {"billing_account": "012345-6789AB-CDEF01"}},
    )
    assert budget_of("gcp", spec) == {
        "resource": "churn-dev-budget",
        "monthly_limit": "120.5",
        "currency": "USD",
        "alerts": [
            {"percent": 50.0, "of": "actual"},
            {"percent": 90.0, "of": "actual"},
            {"percent": 100.0, "of": "forecast"},
        ],
        "notify": TEAM,
        "billing_account": "012345-6789AB-CDEF01",
    }
    aws = budget_of("aws", spec)
    assert aws is not None
    assert aws["billing_account"] is None


def test_whole_numbers_have_no_exponent() -> None:
    budget = budget_of("aws", spec_of(budget={"monthly_limit": 1000, "notify": TEAM}))
    assert budget is not None
    assert budget["monthly_limit"] == "1000"


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        (
            {"monthly_limit": 5},
            "budget.notify is missing, so nobody would get its alerts. Add it, or operations.notify.",
        ),
        (
            {"monthly_limit": 5, "notify": TEAM, "alerts_percent": [50, 80, 50]},
            "budget has 50 twice in alerts_percent. Take one out.",
        ),
        (
            {"monthly_limit": 5, "notify": TEAM, "alerts_percent": [], "forecast_percent": []},
            "budget has neither alerts_percent nor forecast_percent. Name one.",
        ),
        (
            {"monthly_limit": 5, "notify": ["nobody"]},
            "budget.notify[0] is 'nobody', but must be an e-mail address.",
        ),
        (
            {"monthly_limit": 0, "notify": TEAM},
            "budget.monthly_limit is 0, but should be greater than 0.",
        ),
        (
            {"monthly_limit": 5, "notify": TEAM, "actions": {}},
            (
                "budget.actions has no action. Name one of stop_shadows_percent, throttle, drop_warm_percent, or leave it "
                "out."
            ),
        ),
        (
            {
                "monthly_limit": 5,
                "notify": TEAM,
                "actions": {"drop_warm_percent": 80, "throttle": {"percent": 80, "requests_per_s": 1}},
            },
            (
                "budget.actions has throttle.percent and drop_warm_percent both at 80, so which comes first is not said. "
                "Make them differ."
            ),
        ),
        (
            {"monthly_limit": 5, "notify": TEAM, "actions": {"throttle": {"percent": 80}}},
            "budget.actions.throttle.requests_per_s is missing. Add it.",
        ),
    ],
)
def test_refused(budget: dict[str, object], told: str) -> None:
    with pytest.raises(LastmileError) as caught:
        spec_of(budget=budget)
    assert told in caught.value.message


def test_actions_may_come_in_any_order() -> None:
    actions = {
        "stop_shadows_percent": 95,
        "throttle": {"percent": 90.5, "requests_per_s": 2.5},
        "drop_warm_percent": 60,
    }
    budget = spec_of(budget={"monthly_limit": 5, "notify": TEAM, "actions": actions}).budget
    assert budget is not None
    assert budget.actions is not None
    assert budget.actions.thresholds() == [
        ("drop_warm_percent", 60),
        ("throttle.percent", 90.5),
        ("stop_shadows_percent", 95),
    ]
