"""Google Cloud's dashboard and alarms, held against what others wrote: its own schema, a parser of PromQL, public samples.

Which metrics and labels Google's services have: github.com/GoogleCloudPlatform/monitoring-dashboard-samples at 25d8c3e8
(2026-07-27), dashboards/google-cloud-run/cloudrun-monitoring.json, dashboards/google-pub-sub/pub-sub-topic.json,
dashboards/networking/https-lb-backend-services-monitoring.json and, in the same form of PromQL as ours,
alerts/google-gke/gke-ingress-server-errors-entire-workload.v1.json; a load balancer's response_code:
cloud.google.com/monitoring/api/metrics_gcp#gcp-loadbalancing (unverified).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

import jsonschema
import pytest

from tests.lastmile_infra.gcp.recorded import run_of
from tests.lastmile_infra.gcp.test_operations import WATCHED
from tests.lastmile_infra.recorded import Run

promql_parser = pytest.importorskip("promql_parser")
pytestmark = pytest.mark.conformance
RESOURCES = {
    "cloud_run_revision": {"service_name", "location"},
    "pubsub_subscription": {"subscription_id"},
    "https_lb_rule": {"url_map_name"},
}
"""The labels that we use of a monitored resource."""
METRICS = {
    "run.googleapis.com/container/instance_count": ("cloud_run_revision", {"state"}),
    "pubsub.googleapis.com/subscription/num_undelivered_messages": ("pubsub_subscription", set()),
    "pubsub.googleapis.com/subscription/oldest_unacked_message_age": ("pubsub_subscription", set()),
    "loadbalancing.googleapis.com/https/request_count": ("https_lb_rule", {"response_code"}),
}
"""Google's own metrics: whose, and with which labels."""
OF_LOG = "logging.googleapis.com/user/"


@cache
def schema() -> dict[str, Any]:
    """Return the discovery document's Dashboard as a JSON Schema that takes no unknown members."""
    folder = resources.files("googleapiclient.discovery_cache") / "documents"
    document = json.loads((folder / "monitoring.v1.json").read_text(encoding="utf-8"))

    def closed(value: Any) -> Any:
        if isinstance(value, list):
            return [closed(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return {"$ref": f"#/$defs/{value['$ref']}"}
        found = {
            name: {key: closed(member) for key, member in item.items()}
            if name == "properties"
            else closed(item)
            for name, item in value.items()
            if name in ("type", "enum", "properties", "items", "additionalProperties")
        }
        return {**found, "additionalProperties": False} if "properties" in found else found

    definitions = {name: closed(found) for name, found in document["schemas"].items()}
    return {"$ref": "#/$defs/Dashboard", "$defs": definitions}


def faults(dashboard: Any) -> list[str]:
    errors = jsonschema.Draft202012Validator(schema()).iter_errors(dashboard)
    return [f"{error.json_path}: {error.message}" for error in errors]


@pytest.fixture(scope="module", params=["direct", "behind a load balancer"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    endpoint = {} if request.param == "direct" else {"endpoint": {"domain": "a.example.com"}}
    return run_of(tmp_path_factory.mktemp("gcp") / "project", **WATCHED, **endpoint)


def dashboard_of(run: Run) -> Any:
    return json.loads(run.inputs("Dashboard")["dashboardJson"])


def queries_of(run: Run) -> list[str]:
    """Return every query of the alarms and of the dashboard."""
    alarms = [
        condition["conditionPrometheusQueryLanguage"]["query"]
        for policy in run.all("AlertPolicy")
        for condition in policy.inputs["conditions"]
    ]
    charts = [
        data["timeSeriesQuery"]["prometheusQuery"]
        for tile in dashboard_of(run)["mosaicLayout"]["tiles"]
        for data in tile["widget"]["xyChart"]["dataSets"]
    ]
    assert (len(alarms), len(charts)) == (5, 11)
    return alarms + charts


def selectors(node: Any) -> Iterator[Any]:
    """Yield what a query takes its numbers from."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("lhs", "rhs", "expr", "vector_selector"):
        if hasattr(node, name):
            yield from selectors(getattr(node, name))
    for argument in getattr(node, "args", None) or []:
        yield from selectors(argument)


def test_the_dashboard_is_one_of_cloud_monitorings(run: Run) -> None:
    assert faults(dashboard_of(run)) == []


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (
            ("display_name",),
            "churn",
            "$: Additional properties are not allowed ('display_name' was unexpected)",
        ),
        (("mosaicLayout", "columns"), "many", "$.mosaicLayout.columns: 'many' is not of type 'integer'"),
        (
            ("mosaicLayout", "tiles", 0, "widget", "xyChart", "dataSets", 0, "plotType"),
            "PIE",
            (
                "$.mosaicLayout.tiles[0].widget.xyChart.dataSets[0].plotType: 'PIE' is not one of "
                "['PLOT_TYPE_UNSPECIFIED', 'LINE', 'STACKED_AREA', 'STACKED_BAR', 'HEATMAP']"
            ),
        ),
    ],
    ids=["a member", "a type", "a choice"],
)
def test_a_mistake_in_the_dashboard_is_found(
    run: Run, path: tuple[str | int, ...], value: Any, fault: str
) -> None:
    dashboard = copy.deepcopy(dashboard_of(run))
    holder = dashboard
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    assert faults(dashboard) == [fault]


def test_every_query_is_promql_over_metrics_that_there_are(run: Run) -> None:
    made = {metric.inputs["name"]: metric.inputs["metricDescriptor"] for metric in run.all("Metric")}
    asked = set()
    for query in queries_of(run):
        found = list(selectors(promql_parser.parse(query)))
        assert found, query
        for selector in found:
            labels = {matcher.name: matcher.value for matcher in selector.matchers.matchers}
            name, resource = labels.pop("__name__"), labels.pop("monitored_resource")
            assert labels.keys() <= RESOURCES[resource] | _labels_of(name, resource, made), query
            asked.add(name.removesuffix("_bucket").removesuffix("_count") if OF_LOG in name else name)
    assert {f"{OF_LOG}{name}" for name in made} <= asked


def _labels_of(name: str, resource: str, made: dict[str, Any]) -> set[str]:
    """Return a metric's own labels. Raises KeyError for one that there is not."""
    if not name.startswith(OF_LOG):
        of, labels = METRICS[name]
        assert of == resource, name
        return labels
    assert resource == "cloud_run_revision", name
    own = name.removeprefix(OF_LOG)
    # A distribution is a histogram, and has nothing but its three (cloud.google.com/monitoring/promql/promql-mapping).
    is_distribution = own not in made
    descriptor = made[own.rpartition("_")[0] if is_distribution else own]
    assert is_distribution == (descriptor["valueType"] == "DISTRIBUTION"), name
    return {label["key"] for label in descriptor["labels"]}


def test_alarms_ask_for_one_number(run: Run) -> None:
    """A policy has an incident for each series, so that a query must give one."""
    for policy in run.all("AlertPolicy"):
        (condition,) = policy.inputs["conditions"]
        query = promql_parser.parse(condition["conditionPrometheusQueryLanguage"]["query"])
        assert isinstance(query, promql_parser.BinaryExpr)
        assert isinstance(query.rhs, promql_parser.NumberLiteral)
        assert " by (" not in str(query.lhs).replace("by (le)", "")


def test_a_query_that_is_none_is_found() -> None:
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        promql_parser.parse('sum(increase({"a/b"}[300s]) >= 1')
