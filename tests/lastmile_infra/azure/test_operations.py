from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lastmile_infra.azure import events
from tests.lastmile_infra.azure.recorded import GROUP, WATCHED, Run, provisioned, provisioned_plan
from tests.lastmile_infra.plans import plan_of, spec_of

ROUTER, DEAD = "churn-dev-predict-1234567", "churn-dev-jobs-poison"
TOLD = f"{GROUP}/Microsoft.Insights/actionGroups/churn-dev-alarms"
FRONT_DOOR: dict[str, Any] = {
    "endpoint": {"domain": "p.example.com", "rate_limit": {"requests_per_s": 10.0, "burst": 600}}
}
FRONT_DOOR_METRICS = {
    "RequestCount": {"HttpStatus", "HttpStatusGroup", "ClientRegion", "ClientCountry", "Endpoint"}
}
"""github.com/MicrosoftDocs/azure-docs, azure-monitor/essentials/metrics-supported, "Microsoft.Cdn/profiles" (read
2026-11-29): the metric and its dimensions."""


def test_whom_alarms_are_sent_to(watched: Run) -> None:
    assert watched.inputs("ActionGroup") == {
        "actionGroupName": "churn-dev-alarms",
        "groupShortName": "churn-dev",
        "enabled": True,
        "emailReceivers": [
            {"name": address, "emailAddress": address, "useCommonAlertSchema": True}
            for address in ("a@example.com", "b@example.com")
        ],
    }
    assert watched.one("ActionGroup").inputs["location"] == "Global"


def test_a_long_name_is_short_in_a_message(tmp_path: Path) -> None:
    changes = {**WATCHED, "budget": None, "queue": None, "schedule": None}
    run = provisioned(spec_of(**changes, name="churn-of-customers"), tmp_path)
    assert len(run.inputs("ActionGroup")["groupShortName"]) <= 12


def test_an_alarm_for_each_signal(watched: Run) -> None:
    operations = plan_of(spec_of(**WATCHED), "azure")["operations"]
    assert operations
    asked = {
        "errors": events.error_share("zip", ROUTER),
        "latency": events.latency("zip", ROUTER),
        "throttles": events.throttled("zip", ROUTER),
        "queue-age": events.queue_age("zip"),
        "dead-letters": events.dead_letters(DEAD),
    }
    assert [alarm["signal"] for alarm in operations["alarms"]] == list(asked)
    for alarm in operations["alarms"]:
        signal = alarm["signal"]
        assert watched.inputs("ScheduledQueryRule", f"churn-dev-{signal}") == {
            "ruleName": alarm["resource"],
            "displayName": alarm["resource"],
            "description": alarm["description"],
            "kind": "LogAlert",
            "enabled": True,
            "severity": 2,
            "scopes": [f"{GROUP}/Microsoft.OperationalInsights/workspaces/churn-dev-1234567"],
            "windowSize": "PT5M",
            "evaluationFrequency": "PT5M",
            "criteria": {
                "allOf": [
                    {
                        "query": asked[signal],
                        "metricMeasureColumn": "value",
                        "timeAggregation": "Maximum",
                        "operator": "GreaterThanOrEqual",
                        "threshold": alarm["threshold"],
                        "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
                    }
                ]
            },
            "autoMitigate": True,
            "skipQueryValidation": True,
            "actions": {"actionGroups": [TOLD]},
        }


def test_front_door_refuses_what_is_too_much_and_tells_it(tmp_path: Path) -> None:
    run = provisioned(spec_of(**WATCHED, **FRONT_DOOR), tmp_path)
    told = run.inputs("MetricAlert")
    (criterion,) = told.pop("criteria")["allOf"]
    assert told == {
        "ruleName": "churn-dev-throttles",
        "description": "churn (dev): 1 or more requests in 5 minutes were refused because there were too many.",
        "enabled": True,
        "severity": 2,
        "scopes": [f"{GROUP}/Microsoft.Cdn/profiles/churn-dev-front-door-1234567"],
        "windowSize": "PT5M",
        "evaluationFrequency": "PT1M",
        "autoMitigate": True,
        "actions": [{"actionGroupId": TOLD}],
    }
    assert criterion == {
        "criterionType": "StaticThresholdCriterion",
        "name": "throttles",
        "metricNamespace": "Microsoft.Cdn/profiles",
        "metricName": "RequestCount",
        "timeAggregation": "Total",
        "operator": "GreaterThanOrEqual",
        "threshold": 1,
        "dimensions": [{"name": "HttpStatus", "operator": "Include", "values": ["429"]}],
    }
    assert criterion["dimensions"][0]["name"] in FRONT_DOOR_METRICS[criterion["metricName"]]
    rules = {r.name for r in run.all("ScheduledQueryRule")}
    assert rules == {f"churn-dev-{signal}" for signal in ("errors", "latency", "queue-age", "dead-letters")}
    assert run.outputs["alarms"]["throttles"].endswith("/metricAlerts/churn-dev-throttles")


def test_alarms_of_an_image_read_its_console(tmp_path: Path) -> None:
    changes = {"operations": {"notify": ["a@example.com"], "dashboard": False}}
    run = provisioned(spec_of(**changes, targets={"azure": {"package": "image"}}), tmp_path)
    rules = {r.name: r.inputs["criteria"]["allOf"][0]["query"] for r in run.all("ScheduledQueryRule")}
    assert rules == {
        "churn-dev-errors": events.error_share("image", "churn-dev-predict"),
        "churn-dev-latency": events.latency("image", "churn-dev-predict"),
        "churn-dev-throttles": events.throttled("image", "churn-dev-predict"),
    }
    assert not run.all("Workbook")


def test_a_signal_that_nothing_tells_of(tmp_path: Path) -> None:
    plan = plan_of(spec_of(**WATCHED), "azure")
    plan["queue"] = None
    told = r"^the plan has an alarm of 'dead-letters', but nothing that tells of it\.$"
    with pytest.raises(ValueError, match=told):
        provisioned_plan(plan, tmp_path)


def test_nobody_is_told_unless_the_spec_says_whom(tmp_path: Path) -> None:
    run = provisioned(spec_of(), tmp_path)
    assert not [r for r in run.resources if r.type.startswith("azure-native:monitor:")]
    assert not {"alarms", "dashboard"} & run.outputs.keys()
