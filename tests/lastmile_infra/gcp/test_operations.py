"""Alarms, and what they are about: every metric is held against what the runtime writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from lastmile_infra.gcp.operations import query_of
from lastmile_runtime.forms.cloud_logging import form
from lastmile_runtime.http import Request, Response
from lastmile_runtime.telemetry import Log
from lastmile_sls.plan.document import AlarmPlan
from tests.lastmile_infra.gcp.entries import entry_of, extracted, request_of, takes
from tests.lastmile_infra.gcp.recorded import PROJECT, REGION, channel_of, run_of
from tests.lastmile_infra.gcp.test_gcp import TAGS
from tests.lastmile_infra.gcp.test_metrics import MEASURED
from tests.lastmile_infra.recorded import Run

NOTIFY = ["on-call@example.com", "team@example.com"]
OPERATIONS: dict[str, Any] = {
    "operations": {
        "notify": NOTIFY,
        "alarms": {
            "errors_percent": 2.5,
            "latency_p95_ms": 1500,
            "throttles": 3,
            "queue_age_s": 600,
            "dead_letters": 2,
        },
    }
}
WATCHED: dict[str, Any] = {**OPERATIONS, "queue": {}}
SERVICE = "churn-dev-predict"
OF = (
    f'resource.type="cloud_run_revision" AND resource.labels.location="{REGION}" AND '
    f'resource.labels.service_name="{SERVICE}"'
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_of(tmp_path_factory.mktemp("gcp") / "project", **WATCHED)


def test_a_channel_to_each_address(run: Run) -> None:
    assert {r.name: r.inputs for r in run.all("NotificationChannel")} == {
        f"churn-dev-tells-{address}": {
            "type": "email",
            "displayName": f"churn-dev: {address}",
            "labels": {"email_address": address},
            "userLabels": TAGS,
        }
        for address in NOTIFY
    }


def test_an_address_that_alarms_and_budget_share_has_one_channel(tmp_path: Path) -> None:
    budget = {"monthly_limit": 10.0, "notify": [NOTIFY[0]]}
    targets = {"gcp": {"billing_account": "012345-6789AB-CDEF01"}}
    found = run_of(tmp_path, **OPERATIONS, budget=budget, targets=targets)
    assert len(found.all("NotificationChannel")) == 2
    rule = found.inputs("Budget")["allUpdatesRule"]
    assert rule["monitoringNotificationChannels"] == [channel_of(NOTIFY[0])]


def test_metrics_of_the_log(run: Run) -> None:
    label = {"key": "status", "valueType": "STRING", "description": "The answer's status."}
    assert run.inputs("Metric", "churn-dev-requests") == {
        "name": "churn-dev/requests",
        "description": "Requests of churn-dev, by the status of the answer.",
        "filter": f'{OF} AND log_id("run.googleapis.com/requests") AND '
        'NOT httpRequest.requestUrl:"/_lastmile/queue"',
        "labelExtractors": {"status": "EXTRACT(httpRequest.status)"},
        "metricDescriptor": {"metricKind": "DELTA", "valueType": "INT64", "unit": "1", "labels": [label]},
    }
    label = {"key": "version", "valueType": "STRING", "description": "The version that answered."}
    assert run.inputs("Metric", "churn-dev-latency") == {
        "name": "churn-dev/latency",
        "description": "How long the answers of churn-dev took, by version.",
        "filter": f'{OF} AND log_id("run.googleapis.com/stdout") AND jsonPayload."faas.trigger"="http"',
        "valueExtractor": "EXTRACT(httpRequest.latency)",
        "labelExtractors": {"version": "EXTRACT(jsonPayload.version)"},
        "metricDescriptor": {
            "metricKind": "DELTA",
            "valueType": "DISTRIBUTION",
            "unit": "s",
            "labels": [label],
        },
        "bucketOptions": {
            "exponentialBuckets": {"scale": 0.001, "growthFactor": 1.2, "numFiniteBuckets": 84}
        },
    }


def test_the_distribution_reaches_cloud_runs_longest_answer(run: Run) -> None:
    buckets = run.inputs("Metric", "churn-dev-latency")["bucketOptions"]["exponentialBuckets"]
    assert buckets["scale"] * buckets["growthFactor"] ** buckets["numFiniteBuckets"] > 3600


SIGNALS = {
    "errors": (f"{MEASURED.errors()} >= 2.5", "2.5 % or more of the answers in 5 minutes are errors"),
    "latency": (f"{MEASURED.latency(0.95)} >= 1500", "One answer in twenty takes 1500 ms or longer."),
    "throttles": (f"{MEASURED.throttles()} >= 3", "3 or more requests in 5 minutes were refused"),
    "queue-age": (f"{MEASURED.queue_age()} >= 600", "A message of the queue has waited for 600 s"),
    "dead-letters": (f"{MEASURED.set_aside()} >= 2", "2 or more messages were set aside"),
}


def test_every_alarm(run: Run) -> None:
    found = {r.name.removeprefix("churn-dev-"): r for r in run.all("AlertPolicy")}
    assert found.keys() == SIGNALS.keys()
    for signal, (query, told) in SIGNALS.items():
        documentation = found[signal].inputs.pop("documentation")
        assert documentation["mimeType"] == "text/markdown"
        assert documentation["content"].startswith(f"churn (dev): {told}")
        assert {"churn-dev-requests", "churn-dev-latency"} <= found[signal].waits_for
        assert found[signal].inputs == {
            "displayName": f"churn-dev-{signal}",
            "combiner": "OR",
            "conditions": [
                {
                    "displayName": signal,
                    "conditionPrometheusQueryLanguage": {
                        "query": query,
                        "duration": "0s",
                        "evaluationInterval": "60s",
                        "disableMetricValidation": True,
                    },
                }
            ],
            "notificationChannels": [channel_of(address) for address in NOTIFY],
            "alertStrategy": {"autoClose": "1800s"},
            "userLabels": TAGS,
        }
    assert run.outputs["alarms"] == {
        signal: f"projects/{PROJECT}/alertPolicies/churn-dev-{signal}" for signal in SIGNALS
    }


def test_without_a_queue_nobody_watches_one(tmp_path: Path) -> None:
    found = run_of(tmp_path, **OPERATIONS)
    assert found.outputs["alarms"].keys() == {"errors", "latency", "throttles"}


def test_behind_a_load_balancer_its_refusals_count(tmp_path: Path) -> None:
    found = run_of(tmp_path, **OPERATIONS, endpoint={"domain": "a.example.com"})
    (condition,) = found.inputs("AlertPolicy", "churn-dev-throttles")["conditions"]
    query = condition["conditionPrometheusQueryLanguage"]["query"]
    assert 'url_map_name="churn-dev-routes-1234567", response_code="429"' in query


def test_a_signal_that_nothing_is_measured_of() -> None:
    alarm = cast("AlarmPlan", {"signal": "boredom", "threshold": 1.0, "window_s": 300})
    wrong = r"^the alarm's signal is 'boredom', of which nothing is measured\.$"
    with pytest.raises(ValueError, match=wrong):
        query_of(alarm, MEASURED)


# -- what the runtime writes ----------------------------------------------------------------------


def written(trigger: str, facts: dict[str, Any], status: int = 200) -> dict[str, Any]:
    """Return the entry of an answer, as the runtime writes it and Cloud Logging takes it."""
    lines: list[str] = []
    log = Log(SERVICE, lines.append, form)
    path = "/v2/models/churn/infer" if trigger == "http" else "/_lastmile/queue"
    extra = {} if trigger == "http" else {"faas.trigger": trigger}
    log.request(Request("POST", path), Response(status, {}, b"", {**extra, **facts}), 0.25)
    (line,) = lines
    return entry_of(line, SERVICE, REGION)


def test_latency_is_what_the_runtime_writes_of_requests(run: Run) -> None:
    metric = run.inputs("Metric", "churn-dev-latency")
    answer = written("http", {"model": "churn", "version": "v1"})
    assert takes(metric["filter"], answer)
    assert extracted(metric["valueExtractor"], answer) == "0.250000s"
    assert extracted(metric["labelExtractors"]["version"], answer) == "v1"
    health = written("http", {})
    assert takes(metric["filter"], health)
    assert extracted(metric["labelExtractors"]["version"], health) is None


def test_work_is_no_request(run: Run) -> None:
    work = written("pubsub", {"model": "churn", "version": "v1", "attempt": 1}, status=204)
    assert not takes(run.inputs("Metric", "churn-dev-latency")["filter"], work)
    counted = run.inputs("Metric", "churn-dev-requests")["filter"]
    push = request_of("https://churn.run.app/_lastmile/queue", 503, SERVICE, REGION)
    assert not takes(counted, push)


def test_requests_count_once_and_with_their_status(run: Run) -> None:
    """What Cloud Run says of a request, and not what the function says as well; failures without an answer too."""
    metric = run.inputs("Metric", "churn-dev-requests")
    for status in (200, 429, 503):
        request = request_of("https://churn.run.app/v2/models/churn/infer", status, SERVICE, REGION)
        assert takes(metric["filter"], request)
        assert extracted(metric["labelExtractors"]["status"], request) == status
    assert not takes(metric["filter"], written("http", {"version": "v1"}))
    other = request_of("https://churn.run.app/v2", 200, "churn-dev-predict-v2", REGION)
    assert not takes(metric["filter"], other)
