"""Numbers that only Cloud Monitoring has; they are some minutes old."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from lastmile_sls.control.gcp.client import Google
from lastmile_sls.control.times import told

_RECENT = timedelta(minutes=15)
"""Pub/Sub's own come within minutes (cloud.google.com/monitoring/api/metrics_gcp, "sampled every 60 seconds. After
sampling, data is not visible for up to 120 seconds", read 2026-11-29)."""


def total(google: Google, which: str, over: timedelta) -> float:
    """Return the sum of a counter over a span. Raises LastmileError."""
    parameters = {
        **_between(google, over),
        "aggregation.alignmentPeriod": f"{int(over.total_seconds())}s",
        "aggregation.perSeriesAligner": "ALIGN_SUM",
        "aggregation.crossSeriesReducer": "REDUCE_SUM",
    }
    series = _series(google, which, parameters)
    return sum(_number(point) for one in series for point in one.get("points", ()))


def newest(google: Google, which: str) -> float | None:
    """Return a gauge's newest value; None when there is none of late. Raises LastmileError."""
    series = _series(google, which, _between(google, _RECENT))
    points = [point for one in series for point in one.get("points", ())]
    latest = max(points, key=lambda point: str(point["interval"]["endTime"]), default=None)
    return _number(latest) if latest else None


def _series(google: Google, which: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
    path = f"projects/{google.project}/timeSeries"
    asked = {"filter": which, **parameters}
    found: list[dict[str, Any]] = google.rest("the metrics", "monitoring", path, parameters=asked).get(
        "timeSeries", []
    )
    return found


def _between(google: Google, over: timedelta) -> dict[str, str]:
    now = google.clock.now()
    return {"interval.startTime": str(told(now - over)), "interval.endTime": str(told(now))}


def _number(point: dict[str, Any]) -> float:
    value = point["value"]
    return float(value.get("int64Value", value.get("doubleValue", 0)))
