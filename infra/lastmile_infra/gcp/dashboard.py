"""The dashboard's content: what somebody looks at who was woken, in the order that every cloud has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp

from lastmile_infra.gcp.metrics import Measured
from lastmile_infra.gcp.scope import Scope
from lastmile_sls.plan.document import AlarmPlan, Signal

_COLUMNS, _WIDTH, _HEIGHT = 48, 24, 16
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_CONSOLE = "https://console.cloud.google.com/monitoring/dashboards/builder"

Line = tuple[str, str, str]
"""What it is called, its query, and the axis: Y1 is left."""


def make_dashboard(
    scope: Scope, name: str, alarms: Sequence[AlarmPlan], measured: pulumi.Output[Measured]
) -> pulumi.Output[str]:
    """Make the page, and return its address."""
    dashboard = gcp.monitoring.Dashboard(
        f"{scope.name}-dashboard",
        dashboard_json=measured.apply(lambda found: json.dumps(content_of(name, alarms, found))),
        opts=scope.opts,
    )
    id_ = dashboard.id.apply(lambda full: full.rpartition("/")[2])
    return pulumi.Output.concat(_CONSOLE, "/", id_, "?project=", dashboard.project)


def content_of(name: str, alarms: Sequence[AlarmPlan], measured: Measured) -> dict[str, Any]:
    """Return the page in Cloud Monitoring's own form (the discovery document of monitoring v1, Dashboard)."""
    thresholds = {alarm["signal"]: alarm["threshold"] for alarm in alarms}
    per_row = _COLUMNS // _WIDTH
    tiles = [
        {
            "xPos": index % per_row * _WIDTH,
            "yPos": index // per_row * _HEIGHT,
            "width": _WIDTH,
            "height": _HEIGHT,
            "widget": widget,
        }
        for index, widget in enumerate(_widgets(measured, thresholds))
    ]
    return {"displayName": name, "mosaicLayout": {"columns": _COLUMNS, "tiles": tiles}}


def _widgets(measured: Measured, thresholds: dict[Signal, float]) -> Iterator[dict[str, Any]]:
    every = f"in {measured.window_s // 60} minutes"
    yield _chart("Requests", [f"requests {every}"], [("requests", measured.requests(), "Y1")])
    yield _chart(
        "Errors", ["percent"], [("errors", measured.errors(), "Y1")], {"Y1": thresholds.get("errors")}
    )
    lines = [(label, measured.latency(quantile), "Y1") for label, quantile in _QUANTILES.items()]
    yield _chart("Latency", ["ms"], lines, {"Y1": thresholds.get("latency")})
    yield _chart(
        "Throttles",
        [f"refused {every}", "instances"],
        [("refused", measured.throttles(), "Y1"), ("instances ${state}", measured.instances(), "Y2")],
        {"Y1": thresholds.get("throttles")},
    )
    if measured.subscription:
        yield _chart("Queue", ["messages", "s"], _queue(measured), {"Y2": thresholds.get("queue-age")})
    share = [("${version}", measured.share(), "Y1")]
    yield _chart("Traffic by version", ["percent"], share, plot="STACKED_AREA")


def _queue(measured: Measured) -> list[Line]:
    return [
        ("waiting", measured.waiting(), "Y1"),
        ("set aside", measured.set_aside(), "Y1"),
        ("oldest", measured.queue_age(), "Y2"),
    ]


def _chart(
    title: str,
    axes: Sequence[str],
    lines: Sequence[Line],
    thresholds: dict[str, float | None] | None = None,
    plot: str = "LINE",
) -> dict[str, Any]:
    """Return a chart; `axes` are what the left and the right one measure."""
    chart: dict[str, Any] = {
        "dataSets": [
            {
                "legendTemplate": label,
                "plotType": plot,
                "targetAxis": axis,
                "timeSeriesQuery": {"prometheusQuery": query},
            }
            for label, query, axis in lines
        ],
        "thresholds": [
            {"label": "alarm", "targetAxis": axis, "value": value}
            for axis, value in (thresholds or {}).items()
            if value is not None
        ],
    }
    named = {
        name: {"label": label, "scale": "LINEAR"}
        for name, label in zip(("yAxis", "y2Axis"), axes, strict=False)
    }
    return {"title": title, "xyChart": {**chart, **named}}
