from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lastmile_infra.aws import metrics
from tests.lastmile_infra.aws.emitted import emitted, is_counted_by_aws
from tests.lastmile_infra.aws.recorded import ACCOUNT, provisioned, provisioned_plan
from tests.lastmile_infra.aws.test_queue import told
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions
from tests.lastmile_infra.recorded import Run

TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:churn-dev-alarms"
ALARMS = {"errors_percent": 2.5, "latency_p95_ms": 800, "throttles": 3, "queue_age_s": 600, "dead_letters": 2}
SPEC: dict[str, Any] = {
    **two_versions(apart=True),
    "queue": {},
    "operations": {"notify": ["a@example.com", "b@example.com"], "alarms": ALARMS, "log_retention_days": 90},
}
SIGNALS = {
    "errors": "2.5 % or more of the answers in 5 minutes are errors of the server's.",
    "latency": "One answer in twenty takes 800 ms or longer.",
    "throttles": "3 or more requests in 5 minutes were refused because there were too many.",
    "queue-age": "A message of the queue has waited for 600 s or longer.",
    "dead-letters": "2 or more messages were set aside: lastmile queue peek, then lastmile queue redrive.",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return provisioned(spec_of(**SPEC), tmp_path_factory.mktemp("watched"))


def test_an_encrypted_topic_that_the_alarms_alone_publish_to(run: Run) -> None:
    key = told(run, "Key", "churn-dev-alarms-key")
    account, alarms = key.pop("policy")["Statement"]
    assert account["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert key == {
        "description": "What alarms say on their way through churn-dev-alarms.",
        "enableKeyRotation": True,
        "deletionWindowInDays": 7,
    }
    assert told(run, "Topic", "churn-dev-alarms") == {
        "name": "churn-dev-alarms",
        "kmsMasterKeyId": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/churn-dev-alarms-key",
    }
    policy = told(run, "TopicPolicy", "churn-dev-alarms-policy")
    publish, tls = policy["policy"]["Statement"]
    assert (policy["arn"], publish["Resource"], tls["Effect"]) == (TOPIC, [TOPIC], "Deny")
    named = [f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:churn-dev-{signal}" for signal in SIGNALS]
    assert alarms["Condition"] == publish["Condition"]
    assert publish["Condition"]["ArnEquals"] == {"aws:SourceArn": named}
    assert [r.inputs for r in run.all("TopicSubscription")] == [
        {"topic": TOPIC, "protocol": "email", "endpoint": address}
        for address in ("a@example.com", "b@example.com")
    ]


def test_every_alarm_says_what_it_is_and_tells_of_its_end_too(run: Run) -> None:
    assert run.outputs["alarms"] == {signal: f"churn-dev-{signal}" for signal in SIGNALS}
    for signal, description in SIGNALS.items():
        alarm = run.inputs("MetricAlarm", f"churn-dev-{signal}")
        common = {
            "name": f"churn-dev-{signal}",
            "alarmDescription": f"churn (dev): {description}",
            "comparisonOperator": "GreaterThanOrEqualToThreshold",
            "evaluationPeriods": 1,
            "treatMissingData": "notBreaching",
            "alarmActions": [TOPIC],
            "okActions": [TOPIC],
        }
        assert {name: alarm[name] for name in common} == common


def of_metric(namespace: str, name: str, dimension: tuple[str, str], statistic: str) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "metricName": name,
        "dimensions": dict([dimension]),
        "period": 300,
        "stat": statistic,
    }


def watched(run: Run, signal: str) -> dict[str, Any]:
    """Return what an alarm looks at, and from where on."""
    names = (
        "namespace",
        "metricName",
        "dimensions",
        "period",
        "statistic",
        "extendedStatistic",
        "metricQueries",
    )
    alarm = run.inputs("MetricAlarm", f"churn-dev-{signal}")
    return {name: alarm[name] for name in (*names, "threshold") if name in alarm}


def test_errors_are_a_percentage_of_the_answers_and_crashes_count(run: Run) -> None:
    router, named = ("function", "churn-dev-predict"), ("FunctionName", "churn-dev-predict")
    percent = {"id": "watched", "label": "% of the answers", "expression": metrics.PERCENT_OF_ERRORS}
    assert watched(run, "errors") == {
        "threshold": 2.5,
        "metricQueries": [
            {**percent, "returnData": True},
            {"id": "answered", "metric": of_metric("lastmile", "faas.errors", router, "SampleCount")},
            {"id": "refused", "metric": of_metric("lastmile", "faas.errors", router, "Sum")},
            {"id": "crashed", "metric": of_metric("AWS/Lambda", "Errors", named, "Sum")},
        ],
    }


def test_the_others(run: Run) -> None:
    latency = of_metric("lastmile", "duration_ms", ("function", "churn-dev-predict"), "p95")
    latency["extendedStatistic"] = latency.pop("stat")
    assert watched(run, "latency") == {**latency, "threshold": 800}
    for signal, queue, metric, threshold in (
        ("queue-age", "churn-dev-jobs", "ApproximateAgeOfOldestMessage", 600),
        ("dead-letters", "churn-dev-jobs-dead", "ApproximateNumberOfMessagesVisible", 2),
    ):
        asked = of_metric("AWS/SQS", metric, ("QueueName", queue), "Maximum")
        asked["statistic"] = asked.pop("stat")
        assert watched(run, signal) == {**asked, "threshold": threshold}
    functions = ("churn-dev-predict", "churn-dev-predict-v2")
    each = [
        {"id": f"f{n}", "metric": of_metric("AWS/Lambda", "Throttles", ("FunctionName", name), "Sum")}
        for n, name in enumerate(functions)
    ]
    total = {
        "id": "watched",
        "label": "refused",
        "expression": "FILL(f0, 0) + FILL(f1, 0)",
        "returnData": True,
    }
    assert watched(run, "throttles") == {"threshold": 3, "metricQueries": [total, *each]}


def looked_at(run: Run) -> list[tuple[str, str, str, dict[str, str]]]:
    """Return each metric that an alarm looks at: the signal, the namespace, the name, the dimensions."""
    found = []
    for alarm in run.all("MetricAlarm"):
        queries = [query["metric"] for query in alarm.inputs.get("metricQueries", []) if "metric" in query]
        metrics_of = queries or [alarm.inputs]
        found += [(alarm.name, m["namespace"], m["metricName"], m["dimensions"]) for m in metrics_of]
    return found


def test_every_alarms_metric_is_written_by_the_runtime_or_counted_by_aws(run: Run, tmp_path: Path) -> None:
    requests, messages = emitted("churn-dev-predict", tmp_path)
    names = [(namespace, name, frozenset(dims.items())) for _, namespace, name, dims in looked_at(run)]
    ours = {named for named in names if named[0] == metrics.WRITTEN}
    assert len(ours) == 2
    assert ours <= requests
    assert messages
    assert not ours & messages  # what is worked on later says nothing of how callers are answered
    others = [metric for metric in looked_at(run) if metric[1] != metrics.WRITTEN]
    assert len(others) == 5
    unknown = [m for m in others if not is_counted_by_aws(m[1], m[2], m[3])]
    assert unknown == []


def test_without_a_queue_nobody_watches_one_and_without_a_dashboard_there_is_none(tmp_path: Path) -> None:
    spec = spec_of(operations={"notify": ["a@example.com"], "dashboard": False})
    run = provisioned(spec, tmp_path)
    assert sorted(run.outputs["alarms"]) == ["errors", "latency", "throttles"]
    assert watched(run, "throttles") == {
        **{name: value for name, value in _THROTTLES.items() if name != "stat"},
        "statistic": "Sum",
        "threshold": 1,
    }
    assert not run.all("Dashboard")
    assert "dashboard" not in run.outputs


_THROTTLES = of_metric("AWS/Lambda", "Throttles", ("FunctionName", "churn-dev-predict"), "Sum")


def test_logs_are_kept_as_long_as_the_spec_says(run: Run) -> None:
    assert {r.inputs["retentionInDays"] for r in run.all("LogGroup")} == {90}
    assert run.outputs["logs"] == {
        name: f"/aws/lambda/churn-dev-{name}" for name in ("predict", "predict-v2")
    }


def test_the_dashboard(run: Run) -> None:
    dashboard = run.inputs("Dashboard")
    assert dashboard["dashboardName"] == "churn-dev-dashboard"
    assert len(json.loads(dashboard["dashboardBody"])["widgets"]) == 6
    console = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
    assert run.outputs["dashboard"] == f"{console}#dashboards/dashboard/churn-dev-dashboard"


@pytest.mark.parametrize("signal", ["queue-age", "dead-letters", "mood"])
def test_a_signal_that_there_is_none_of(signal: str, tmp_path: Path) -> None:
    plan = plan_of(spec_of(operations={"notify": ["a@example.com"]}), "aws")
    assert plan["operations"]
    alarm: Any = plan["operations"]["alarms"][0]
    alarm["signal"] = signal
    with pytest.raises(ValueError, match=f"^an alarm's signal is '{signal}', which this deployment to AWS"):
        provisioned_plan(plan, tmp_path)
