"""The metrics that a function really writes on AWS: the runtime answers there, and its log is read as CloudWatch would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lastmile_runtime.adapters.aws_function import Function
from tests.lastmile_runtime.adapters import aws_samples as samples
from tests.lastmile_runtime.bundles import MODEL, matrix, python_bundle, routing

Named = tuple[str, str, frozenset[tuple[str, str]]]
"""A metric: its namespace, its name, and its dimensions."""


def emitted(function: str, folder: Path) -> tuple[set[Named], set[Named]]:
    """Return what a function writes when it answers for both of its versions, and when it works on a message."""
    lines: list[str] = []
    environ = {
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "LASTMILE_BUNDLE": str(folder),
        "LASTMILE_MANIFEST_DIGEST": python_bundle(folder, ids=("v1", "v2")),
        "LASTMILE_ROUTING": json.dumps(routing(v1=5000, v2=5000)),
    }
    made = Function(environ, lines.append, works_after=False)
    context = SimpleNamespace(aws_request_id="8476a536")
    body = json.dumps({"inputs": [matrix([[1, 2]])]})
    for version in ("v1", "v2"):
        path = f"/v2/models/{MODEL}/versions/{version}/infer"
        answer, _ = made.answer(samples.http_api(path, body=body), context)
        assert answer["statusCode"] == 200, answer
    requests = {named for line in lines for named in _metrics(json.loads(line))}
    lines.clear()
    made.answer(samples.queue(("1", '{"kind": "nothing that is known"}')), context)
    return requests, {named for line in lines for named in _metrics(json.loads(line))}


def _metrics(event: dict[str, Any]) -> Iterator[Named]:
    """docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html"""
    for directive in event.get("_aws", {}).get("CloudWatchMetrics", []):
        for dimensions in directive["Dimensions"]:
            values = frozenset((name, str(event[name])) for name in dimensions)
            for metric in directive["Metrics"]:
                assert isinstance(event[metric["Name"]], int | float), metric
                yield directive["Namespace"], metric["Name"], values


PLATFORM = {
    "AWS/Lambda": (
        {"ConcurrentExecutions", "Errors", "Throttles"},
        {"FunctionName", "Resource", "ExecutedVersion"},
    ),
    "AWS/SQS": (
        {
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
        },
        {"QueueName"},
    ),
}
"""The metrics that AWS itself counts, of those that Grafana's list has, and their dimensions: NamespaceMetricsMap and
NamespaceDimensionKeysMap in pkg/cloudWatchConsts/metrics.go of github.com/grafana/grafana-aws-sdk (bffb8ad, 2026-08-06)."""


def is_counted_by_aws(namespace: str, name: str, dimensions: dict[str, str]) -> bool:
    """Tell whether AWS has a metric of that name with these dimensions."""
    names, keys = PLATFORM.get(namespace, (set(), set()))
    return name in names and set(dimensions) <= keys
