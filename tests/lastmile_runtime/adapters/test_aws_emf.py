from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_runtime.forms import emf
from lastmile_runtime.http import Request, Response
from lastmile_runtime.telemetry import Log

# The rules of the embedded metric format's specification, and the units of PutMetricData's MetricDatum.
UNITS = ["Seconds", "Microseconds", "Milliseconds", "Bytes", "Percent", "Count", "Count/Second", "None"]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "additionalProperties": False,
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 0},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "additionalProperties": False,
                        "properties": {
                            "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "array",
                                    "maxItems": 30,
                                    "items": {"type": "string", "minLength": 1, "maxLength": 250},
                                },
                            },
                            "Metrics": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "additionalProperties": False,
                                    "properties": {
                                        "Name": {"type": "string", "minLength": 1, "maxLength": 1024},
                                        "Unit": {"enum": UNITS},
                                        "StorageResolution": {"enum": [1, 60]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}


def check(document: dict[str, Any]) -> None:
    """Fail for a document that CloudWatch would make no metrics of."""
    jsonschema.validate(document, SCHEMA)
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for name in {name for names in directive["Dimensions"] for name in names}:
            assert isinstance(document[name], str), name
            assert 1 <= len(document[name]) <= 1024
        for metric in directive["Metrics"]:
            assert type(document[metric["Name"]]) in (int, float), metric


def written(status: int, facts: dict[str, Any]) -> dict[str, Any]:
    """What the log writes of a request."""
    lines: list[str] = []
    log = Log("predict", lines.append, emf.form, clock=lambda: 1_800_000_000.25)
    log.request(
        Request("POST", "/v2/models/m/infer", {"x-request-id": "r"}), Response(status, {}, b"", facts), 0.0015
    )
    (line,) = lines
    document: dict[str, Any] = json.loads(line)
    return document


def test_an_answer_is_a_line_that_carries_its_metrics() -> None:
    document = written(
        200, {"model": "churn", "version": "v1", "route": "rule=only", "faas.coldstart": False}
    )
    assert document == {
        "_aws": {
            "Timestamp": 1_800_000_000_250,
            "CloudWatchMetrics": [
                {
                    "Namespace": "lastmile",
                    "Dimensions": [["function"], ["function", "version"]],
                    "Metrics": [
                        {"Name": "duration_ms", "Unit": "Milliseconds"},
                        {"Name": "faas.errors", "Unit": "Count"},
                    ],
                }
            ],
        },
        "timestamp": "2027-01-15T08:00:00.250Z",
        "level": "INFO",
        "function": "predict",
        "method": "POST",
        "path": "/v2/models/m/infer",
        "status": 200,
        "duration_ms": 1.5,
        "request_id": "r",
        "model": "churn",
        "version": "v1",
        "route": "rule=only",
        "faas.coldstart": False,
        "faas.errors": 0,
    }
    check(document)


def test_the_first_answer_tells_of_the_start() -> None:
    document = written(
        200, {"model": "churn", "version": "v1", "faas.coldstart": True, "faas.init_duration": 0.25}
    )
    assert document["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [
        {"Name": "duration_ms", "Unit": "Milliseconds"},
        {"Name": "faas.errors", "Unit": "Count"},
        {"Name": "faas.coldstarts", "Unit": "Count"},
        {"Name": "faas.init_duration", "Unit": "Seconds"},
    ]
    assert (document["faas.coldstarts"], document["faas.init_duration"]) == (1, 0.25)
    check(document)


@pytest.mark.parametrize(
    ("status", "errors", "level"), [(422, 0, "INFO"), (500, 1, "ERROR"), (503, 1, "ERROR")]
)
def test_only_what_the_function_failed_at_is_an_error(status: int, errors: int, level: str) -> None:
    document = written(status, {"error": "why"})
    assert (document["faas.errors"], document["level"], document["error"]) == (errors, level, "why")
    # No version answered.
    assert document["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["function"]]
    check(document)


@pytest.mark.parametrize("trigger", ["pubsub", "timer"])
def test_what_is_worked_on_later_counts_apart_from_what_callers_wait_for(trigger: str) -> None:
    facts = {"model": "churn", "version": "v1", "faas.trigger": trigger, "queue_age_s": 12.5}
    document = written(204, facts)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["function", "faas.trigger"]]
    assert directive["Metrics"] == [
        {"Name": "duration_ms", "Unit": "Milliseconds"},
        {"Name": "faas.errors", "Unit": "Count"},
        {"Name": "queue_age_s", "Unit": "Seconds"},
    ]
    check(document)
    assert written(200, {**facts, "faas.trigger": "http"})["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [
        ["function"],
        ["function", "version"],
    ]


def test_what_measures_nothing_is_a_plain_line() -> None:
    lines: list[str] = []
    log = Log("predict", lines.append, emf.form, clock=lambda: 1_800_000_000.25)
    log.warning("the store is gone")
    log.event("info", {"event": "shadow", "version": "v2", "duration_ms": 2.5})
    head = {"timestamp": "2027-01-15T08:00:00.250Z", "function": "predict"}
    assert [json.loads(line) for line in lines] == [
        {**head, "level": "WARN", "error": "the store is gone"},
        {**head, "level": "INFO", "event": "shadow", "version": "v2", "duration_ms": 2.5},
    ]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31)))  # noqa: DTZ001 - hypothesis wants them so
def test_the_time_is_the_lines(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    text = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    event = {"time": text, "level": "info", "function": "f", "status": 200, "duration_ms": 1.0}
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert emf.form(event)["_aws"]["Timestamp"] == expected
