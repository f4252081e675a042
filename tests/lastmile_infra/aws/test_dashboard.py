from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lastmile_infra.aws import dashboard, metrics
from lastmile_sls.plan.document import Plan
from tests.lastmile_infra.aws.emitted import emitted, is_counted_by_aws
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions

TITLES = ["Requests", "Errors", "Latency", "Throttles", "Queue", "Traffic by version"]
OPERATIONS: dict[str, Any] = {"operations": {"notify": ["a@example.com"]}}


def widgets(plan: Plan) -> list[dict[str, Any]]:
    document = json.loads(dashboard.body(plan, "eu-west-1"))
    assert list(document) == ["widgets"]
    found: list[dict[str, Any]] = document["widgets"]
    return found


def graph(plan: Plan, title: str) -> dict[str, Any]:
    (found,) = (widget["properties"] for widget in widgets(plan) if widget["properties"]["title"] == title)
    properties: dict[str, Any] = found
    return properties


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(spec_of(**two_versions(apart=True), queue={}, **OPERATIONS), "aws")


def test_two_graphs_side_by_side_in_the_order_of_every_cloud(plan: Plan) -> None:
    found = widgets(plan)
    assert [widget["properties"]["title"] for widget in found] == TITLES
    assert [(w["x"], w["y"]) for w in found] == [(0, 0), (12, 0), (0, 6), (12, 6), (0, 12), (12, 12)]
    assert {(w["type"], w["width"], w["height"]) for w in found} == {("metric", 12, 6)}
    assert {(w["properties"]["region"], w["properties"]["period"]) for w in found} == {("eu-west-1", 60)}


def test_what_is_the_same_for_all_is_one_graph(plan: Plan) -> None:
    latency = graph(plan, "Latency")
    assert latency["metrics"] == [
        ["lastmile", "duration_ms", "function", "churn-dev-predict", {"stat": p, "label": p}]
        for p in ("p50", "p95", "p99")
    ]
    assert latency["yAxis"] == {"left": {"label": "ms", "min": 0}}
    assert latency["annotations"] == {"horizontal": [{"label": "alarm", "value": 24_000.0}]}


def test_the_queues_age_has_an_axis_of_its_own(plan: Plan) -> None:
    queue = graph(plan, "Queue")
    assert [(line[1], line[3], line[4].get("yAxis")) for line in queue["metrics"]] == [
        ("ApproximateNumberOfMessagesVisible", "churn-dev-jobs", None),
        ("ApproximateNumberOfMessagesNotVisible", "churn-dev-jobs", None),
        ("ApproximateNumberOfMessagesVisible", "churn-dev-jobs-dead", None),
        ("ApproximateAgeOfOldestMessage", "churn-dev-jobs", "right"),
    ]
    assert queue["annotations"] == {"horizontal": [{"label": "alarm", "value": 900.0, "yAxis": "right"}]}


def test_versions_share_a_hundred_percent(plan: Plan) -> None:
    versions = graph(plan, "Traffic by version")
    total = "FILL(v0, 0) + FILL(v1, 0)"
    expected = []
    for number, version in enumerate(("v1", "v2")):
        share = f"IF({total} > 0, 100 * FILL(v{number}, 0) / ({total}), 0)"
        place = ["lastmile", "faas.errors", "function", "churn-dev-predict", "version", version]
        shown = {"stat": "SampleCount", "label": version, "id": f"v{number}", "visible": False}
        expected += [[{"expression": share, "label": version, "id": f"share_of_v{number}"}], [*place, shown]]
    assert versions["metrics"] == expected
    assert versions["stacked"] is True
    assert versions["yAxis"]["left"]["max"] == 100


def test_each_functions_throttles_and_instances(plan: Plan) -> None:
    lines = [(line[1], line[3]) for line in graph(plan, "Throttles")["metrics"]]
    functions = ("churn-dev-predict", "churn-dev-predict-v2")
    assert lines == [(name, f) for name in ("Throttles", "ConcurrentExecutions") for f in functions]


def test_without_a_queue_there_is_no_graph_of_one() -> None:
    found = widgets(plan_of(spec_of(**OPERATIONS), "aws"))
    assert [widget["properties"]["title"] for widget in found] == [t for t in TITLES if t != "Queue"]


def test_every_line_is_of_a_metric_that_there_is(plan: Plan, tmp_path: Path) -> None:
    requests, _ = emitted("churn-dev-predict", tmp_path)
    lines = [line for widget in widgets(plan) for line in widget["properties"]["metrics"] if len(line) > 1]
    assert len(lines) == 18
    for namespace, name, *parts, _ in lines:
        dimensions = dict(zip(parts[::2], parts[1::2], strict=True))
        if namespace == metrics.WRITTEN:
            assert (namespace, name, frozenset(dimensions.items())) in requests
        else:
            assert is_counted_by_aws(namespace, name, dimensions), name


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-west-1", "https://eu-west-1.console.aws.amazon.com/"),
        ("aws-cn", "cn-north-1", "https://cn-north-1.console.amazonaws.cn/"),
        ("aws-us-gov", "us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
    ],
)
def test_where_a_person_opens_it(partition: str, region: str, host: str) -> None:
    address = dashboard.address(partition, region, "churn")
    assert address == f"{host}cloudwatch/home?region={region}#dashboards/dashboard/churn"


def test_a_partition_whose_console_nobody_knows() -> None:
    assert dashboard.address("aws-iso", "us-iso-east-1", "churn") is None
