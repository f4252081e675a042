"""Alarms and budgets, where they are demanded."""

from __future__ import annotations

from typing import Any

from lastmile_sls.policy.resource import UNKNOWN, Resource
from lastmile_sls.policy.rules.operations import ALARMS, BUDGET
from tests.lastmile_sls.policy.judged import found, made, stack

PROD = made("aws:lambda/function:Function", "predict", tags={"environment": "prod"})
DEV = made("gcp:cloudrunv2/service:Service", "predict", labels={"environment": "dev"})
WHERE = {"environments": ["prod"], "signals": ["errors", "dead-letters"]}


def alarm(name: str, /, **inputs: Any) -> Resource:
    return made("aws:cloudwatch/metricAlarm:MetricAlarm", name, **inputs)


def test_every_signal_has_an_alarm_that_somebody_hears() -> None:
    errors = alarm("churn-prod-errors", alarmActions=[UNKNOWN])
    dead = alarm("other", name="churn-prod-dead-letters", alarmActions=["arn"])
    assert found(ALARMS, [stack(), PROD, errors, dead], alarms=WHERE) == []
    assert found(ALARMS, [stack(), PROD, alarm("terrors", alarmActions=["arn"])], alarms=WHERE) == [
        "models-dev: prod has no alarm on dead-letters.",
        "models-dev: prod has no alarm on errors.",
    ]
    told = ["errors: prod has an alarm on errors that is switched off, or tells nobody."]
    for silent in (alarm("errors"), alarm("errors", alarmActions=["arn"], actionsEnabled=False)):
        assert found(ALARMS, [stack(), PROD, silent, dead], alarms=WHERE) == told


def test_alarms_of_the_other_clouds() -> None:
    only = {"environments": ["dev"], "signals": ["latency"]}
    google = made(
        "gcp:monitoring/alertPolicy:AlertPolicy",
        "policy",
        displayName="churn-dev-latency",
        notificationChannels=["x"],
    )
    azure = made(
        "azure-native:monitor:ScheduledQueryRule",
        "latency",
        enabled=True,
        actions={"actionGroups": [UNKNOWN]},
    )
    assert found(ALARMS, [stack(), DEV, google], alarms=only) == []
    assert found(ALARMS, [stack(), DEV, azure], alarms=only) == []


def test_where_nothing_is_demanded() -> None:
    assert found(ALARMS, [stack(), DEV], alarms=WHERE) == []
    assert found(ALARMS, [stack(), PROD]) == []
    assert found(ALARMS, [stack()], alarms=WHERE) == []
    assert found(BUDGET, [stack(), DEV], budget={"environments": ["prod"]}) == []


def test_a_months_cost_has_a_limit() -> None:
    def budget(limit: Any, *alerts: Any) -> Resource:
        return made("aws:budgets/budget:Budget", "budget", limitAmount=limit, notifications=[*alerts])

    where = {"environments": ["prod"], "max_monthly": 500.0}
    assert found(BUDGET, [stack(), PROD], budget=where) == ["models-dev: prod has no budget."]
    assert found(BUDGET, [stack(), PROD, budget("500", {})], budget=where) == []
    assert found(BUDGET, [stack(), PROD, budget("500.5")], budget=where) == [
        "budget: limitAmount is 500.5; at most 500 is allowed.",
        "budget: notifications is empty, so that nobody is told.",
    ]
    assert found(BUDGET, [budget(None), budget(UNKNOWN)], budget={"max_monthly": 500.0}) == [
        "? budget: limitAmount is known only after creation.",
        "budget: limitAmount is not set; at most 500 is allowed.",
    ]
    google = made("gcp:billing/budget:Budget", "budget", amount={"specifiedAmount": {"units": "900"}})
    assert found(BUDGET, [google], budget={"max_monthly": 500.0}) == [
        "budget: amount.specifiedAmount.units is 900; at most 500 is allowed."
    ]
