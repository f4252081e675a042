"""The page with a deployment's graphs, as CloudWatch takes it. Pure.

docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html (2026-11-29).
"""

from __future__ import annotations

import json
from typing import Any

from lastmile_infra.aws import metrics
from lastmile_infra.aws.metrics import Metric
from lastmile_sls.plan.document import Plan, Signal

_COLUMNS, _WIDTH, _HEIGHT = 2, 12, 6
"""The page is 24 units wide."""
_PERIOD_S = 60
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""By partition: docs.aws.amazon.com/general/latest/gr/ "AWS service endpoints", and those partitions' own guides
(2026-11-29). The others' are not published."""
_RIGHT = {"yAxis": "right"}
Line = list[Any]


def address(partition: str, region: str, name: str) -> str | None:
    """Return where a person opens a dashboard; None in a partition whose console's address is not published."""
    host = _CONSOLES.get(partition)
    page = f"cloudwatch/home?region={region}#dashboards/dashboard/{name}"
    return f"https://{region}.{host}/{page}" if host else None


def body(plan: Plan, region: str) -> str:
    """Return the page's document: the same graphs in the same order as on the other clouds."""
    shown = [_requests(plan), _errors(plan), _latency(plan), _throttles(plan)]
    if plan["queue"]:
        shown.append(_queue(plan))
    shown.append(_versions(plan))
    widgets = []
    for number, properties in enumerate(shown):
        row, column = divmod(number, _COLUMNS)
        place = {"x": column * _WIDTH, "y": row * _HEIGHT, "width": _WIDTH, "height": _HEIGHT}
        settings = {"region": region, "view": "timeSeries", "period": _PERIOD_S, "stacked": False}
        widgets.append({"type": "metric", **place, "properties": {**settings, **properties}})
    return json.dumps({"widgets": widgets})


def router_of(plan: Plan) -> str:
    """Return what the function is called in the cloud that the endpoint calls."""
    name = plan["endpoint"]["function"]
    return next(function["resource"] for function in plan["functions"] if function["name"] == name)


def _requests(plan: Plan) -> dict[str, Any]:
    router = router_of(plan)
    lines = [
        _line(metrics.requests(router), "requests"),
        _line(metrics.cold_starts(router), "cold starts"),
    ]
    return {"title": "Requests", "metrics": lines, "yAxis": {"left": {"label": "a minute", "min": 0}}}


def _errors(plan: Plan) -> dict[str, Any]:
    made_of = metrics.errors(router_of(plan))
    lines = [
        [{"expression": metrics.PERCENT_OF_ERRORS, "label": "% of the answers", "id": "percent"}],
        _line(made_of["refused"], "answers 5xx", id="refused", **_RIGHT),
        _line(made_of["crashed"], "crashes and timeouts", id="crashed", **_RIGHT),
        _line(made_of["answered"], "answers", id="answered", visible=False),
    ]
    axes = {"left": {"label": "%", "min": 0}, "right": {"label": "a minute", "min": 0}}
    return {"title": "Errors", "metrics": lines, "yAxis": axes, **_threshold(plan, "errors")}


def _latency(plan: Plan) -> dict[str, Any]:
    lines = [_line(metrics.latency(router_of(plan), p), p) for p in ("p50", "p95", "p99")]
    axis = {"left": {"label": "ms", "min": 0}}
    return {"title": "Latency", "metrics": lines, "yAxis": axis, **_threshold(plan, "latency")}


def _throttles(plan: Plan) -> dict[str, Any]:
    functions = [function["resource"] for function in plan["functions"]]
    lines = [_line(metrics.throttles(function), f"refused by {function}") for function in functions]
    lines += [
        _line(metrics.instances(function), f"instances of {function}", **_RIGHT) for function in functions
    ]
    axes = {"left": {"label": "a minute", "min": 0}, "right": {"label": "instances", "min": 0}}
    return {"title": "Throttles", "metrics": lines, "yAxis": axes, **_threshold(plan, "throttles")}


def _queue(plan: Plan) -> dict[str, Any]:
    assert plan["queue"] is not None
    queue, dead = plan["queue"]["resource"], plan["queue"]["dead_letters"]
    lines = [
        _line(metrics.waiting(queue), "waiting"),
        _line(metrics.in_flight(queue), "being worked on"),
        _line(metrics.waiting(dead), "dead letters"),
        _line(metrics.oldest(queue), "age of the oldest", **_RIGHT),
    ]
    axes = {"left": {"label": "messages", "min": 0}, "right": {"label": "s", "min": 0}}
    age = _threshold(plan, "queue-age", **_RIGHT)
    return {"title": "Queue", "metrics": lines, "yAxis": axes, **age}


def _versions(plan: Plan) -> dict[str, Any]:
    """Return each version's share of the requests."""
    router = router_of(plan)
    versions = [version for function in plan["functions"] for version in function["versions"]]
    ids = [f"v{number}" for number, _ in enumerate(versions)]
    total = metrics.total(ids)
    lines: list[Line] = []
    for id_, version in zip(ids, versions, strict=True):
        share = f"IF({total} > 0, 100 * FILL({id_}, 0) / ({total}), 0)"
        lines += [
            [{"expression": share, "label": version, "id": f"share_of_{id_}"}],
            _line(metrics.requests_of(router, version), version, id=id_, visible=False),
        ]
    axis = {"left": {"label": "% of the answers", "min": 0, "max": 100}}
    return {"title": "Traffic by version", "metrics": lines, "stacked": True, "yAxis": axis}


def _line(metric: Metric, label: str, **more: Any) -> Line:
    dimensions = [part for pair in metric.dimensions.items() for part in pair]
    return [metric.namespace, metric.name, *dimensions, {"stat": metric.statistic, "label": label, **more}]


def _threshold(plan: Plan, signal: Signal, **more: Any) -> dict[str, Any]:
    """Return the line at which somebody is told."""
    alarms = plan["operations"]["alarms"] if plan["operations"] else []
    found = [alarm["threshold"] for alarm in alarms if alarm["signal"] == signal]
    return {"annotations": {"horizontal": [{"label": "alarm", "value": found[0], **more}]}} if found else {}
