"""Requests by day and version, from the metric that is made of the log (`lastmile_infra.gcp.operations`)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from lastmile_sls.control.gcp.client import Google
from lastmile_sls.control.refusals import MissingError
from lastmile_sls.control.times import read, told
from lastmile_sls.control.usage import Counted, mean, midnight
from lastmile_sls.errors import LastmileError

_DAY_S = 86_400
_SHORTEST_S = 60
"""Of an alignment (cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list, unverified)."""


def counted(google: Google, deployment: str, service: str, since: date) -> tuple[Counted, ...]:
    """Return each version's days.

    Args:
        google: Asks.
        deployment: Whose metric it is.
        service: Cloud Run's name of the router's function.
        since: The first day.

    Raises LastmileError, also where there is no such metric because the spec has no operations.
    """
    now = google.clock.now()
    today = midnight(now.date())
    which = (
        f'metric.type="logging.googleapis.com/user/{deployment}/latency" AND '
        f'resource.type="cloud_run_revision" AND resource.labels.service_name="{service}"'
    )
    try:
        rows = _days(google, which, midnight(since), today, _DAY_S) if midnight(since) < today else []
        passed_s = int((now - today).total_seconds())
        if passed_s >= _SHORTEST_S:
            rows += _days(google, which, today, today + timedelta(seconds=passed_s), passed_s)
    except MissingError as error:
        raise LastmileError(
            f"Cloud Monitoring has no numbers of {deployment} by version: {error.message}",
            "They are made of the log where the spec has operations: add them, and run `lastmile up --target gcp`.",
        ) from error
    return tuple(rows)


def _days(google: Google, which: str, start: datetime, end: datetime, step_s: int) -> list[Counted]:
    """Return what was counted in steps that end at `end`: Cloud Monitoring aligns from there backwards."""
    parameters = {
        "filter": which,
        "interval.startTime": str(told(start)),
        "interval.endTime": str(told(end)),
        "aggregation.alignmentPeriod": f"{step_s}s",
        "aggregation.perSeriesAligner": "ALIGN_DELTA",
        "aggregation.crossSeriesReducer": "REDUCE_SUM",
        "aggregation.groupByFields": "metric.labels.version",
    }
    found: list[Counted] = []
    while True:
        path = f"projects/{google.project}/timeSeries"
        answer = google.rest("the requests of each day", "monitoring", path, parameters=parameters)
        for series in answer.get("timeSeries", ()):
            version = series.get("metric", {}).get("labels", {}).get("version", "")
            if version:  # what was refused before a version was chosen has none
                found += [_counted(version, point, step_s) for point in series.get("points", ())]
        if not answer.get("nextPageToken"):
            return found
        parameters["pageToken"] = answer["nextPageToken"]


def _counted(version: str, point: dict[str, Any], step_s: int) -> Counted:
    """Return a point: a distribution of seconds, of the step before its time."""
    value = point["value"].get("distributionValue", {})
    requests = int(value.get("count", 0))
    began = read(point["interval"]["endTime"]) - timedelta(seconds=step_s)
    duration = mean(float(value.get("mean", 0)) * 1000) if requests else None
    return Counted(began.date(), version, requests, duration)
