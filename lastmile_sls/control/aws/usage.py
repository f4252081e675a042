"""Requests by day and version, from what the runtime counts in CloudWatch (`lastmile_runtime.forms.emf`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from lastmile_sls.control.aws.client import Aws
from lastmile_sls.control.usage import Counted, mean, midnight

_NAMESPACE, _METRIC = "lastmile", "duration_ms"
_DAY_S = 86_400
_QUERIES = 500
"""At once (docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html, unverified)."""


def counted(
    aws: Aws, function: str, versions: Sequence[str], since: date, now: datetime
) -> tuple[Counted, ...]:
    """Return each version's days.

    Args:
        aws: Asks.
        function: The router's, by Lambda's name: what its versions' own functions answer it, it has answered too.
        versions: What is deployed; what was, and was asked of late, is found as well.
        since: The first day.
        now: Until when.

    Raises LastmileError.
    """
    wanted = sorted({*versions, *_found(aws, function)})
    queries = [_query(number, function, version) for number, version in enumerate(wanted)]
    values: dict[str, dict[date, float]] = {}
    for at in range(0, len(queries), _QUERIES // 2):
        asked = [query for pair in queries[at : at + _QUERIES // 2] for query in pair]
        _ask(aws, asked, since, now, values)
    rows = []
    for number, version in enumerate(wanted):
        means = values.get(f"m{number}", {})
        for day, count in sorted(values.get(f"n{number}", {}).items()):
            rows.append(Counted(day, version, round(count), _mean(means.get(day))))
    return tuple(rows)


def _found(aws: Aws, function: str) -> set[str]:
    """Return the versions of which there were numbers in the last two weeks."""
    asked: dict[str, Any] = {
        "Namespace": _NAMESPACE,
        "MetricName": _METRIC,
        "Dimensions": [{"Name": "function", "Value": function}, {"Name": "version"}],
    }
    found: set[str] = set()
    while True:
        with aws.asking("the metrics"):
            answer = aws.client("cloudwatch").list_metrics(**asked)
        for metric in answer["Metrics"]:
            found |= {each["Value"] for each in metric["Dimensions"] if each["Name"] == "version"}
        if not answer.get("NextToken"):
            return found
        asked["NextToken"] = answer["NextToken"]


def _query(number: int, function: str, version: str) -> list[dict[str, Any]]:
    """Return the questions for a version's requests and their mean duration."""
    metric = {
        "Namespace": _NAMESPACE,
        "MetricName": _METRIC,
        "Dimensions": [{"Name": "function", "Value": function}, {"Name": "version", "Value": version}],
    }
    return [
        {
            "Id": f"{letter}{number}",
            "MetricStat": {"Metric": metric, "Period": _DAY_S, "Stat": statistic},
            "ReturnData": True,
        }
        for letter, statistic in (("n", "SampleCount"), ("m", "Average"))
    ]


def _ask(
    aws: Aws,
    queries: list[dict[str, Any]],
    since: date,
    now: datetime,
    values: dict[str, dict[date, float]],
) -> None:
    """Add the answers, by id and day, over all pages."""
    asked: dict[str, Any] = {"MetricDataQueries": queries, "StartTime": midnight(since), "EndTime": now}
    while True:
        with aws.asking("the requests of each day"):
            answer = aws.client("cloudwatch").get_metric_data(**asked)
        for result in answer["MetricDataResults"]:
            days = values.setdefault(result["Id"], {})
            days |= {
                at.date(): value for at, value in zip(result["Timestamps"], result["Values"], strict=True)
            }
        if not answer.get("NextToken"):
            return
        asked["NextToken"] = answer["NextToken"]


def _mean(value: float | None) -> Decimal | None:
    return None if value is None else mean(value)
