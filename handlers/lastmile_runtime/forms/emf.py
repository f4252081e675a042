"""Events as CloudWatch reads them from a function's standard output: a log line that carries its metrics.

The embedded metric format: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/
CloudWatch_Embedded_Metric_Format_Specification.html. `timestamp` and `level` are what Lambda's JSON logging filters by
(docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html).
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

NAMESPACE = "lastmile"
METRICS = {
    "duration_ms": "Milliseconds",
    "faas.errors": "Count",
    "faas.coldstarts": "Count",
    "faas.init_duration": "Seconds",
    "queue_age_s": "Seconds",
}
"""The metrics and their units. Few, because CloudWatch bills each by the month; the rest is in the log's fields."""
_LEVELS = {"info": "INFO", "warning": "WARN", "error": "ERROR"}


def form(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event as an embedded metric document, or, when it has no duration to measure, as a plain line.

    A request's metrics are those of the function, and of its version where the event names one; the function's name has the
    environment in it, so that a model's environments are not taken together. What is worked on later counts apart, under
    its trigger: it may take as long as it likes, and says nothing of how callers are answered.
    """
    rest = {name: value for name, value in event.items() if name not in ("time", "level")}
    found = {"timestamp": event["time"], "level": _LEVELS[event["level"]], **rest}
    if "status" not in event or "duration_ms" not in event:
        return found
    found["faas.errors"] = int(event["status"] >= 500)
    if event.get("faas.coldstart"):
        found["faas.coldstarts"] = 1
    if event.get("faas.trigger", "http") != "http":
        dimensions = [["function", "faas.trigger"]]
    else:
        dimensions = [["function"], ["function", "version"]] if "version" in event else [["function"]]
    measured = [{"Name": metric, "Unit": unit} for metric, unit in METRICS.items() if metric in found]
    directive = {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": measured}
    return {"_aws": {"Timestamp": _milliseconds(event["time"]), "CloudWatchMetrics": [directive]}, **found}


def _milliseconds(time: str) -> int:
    """Return the milliseconds since 1970 of a time such as 2026-01-31T23:59:59.123Z."""
    year, month, day = int(time[:4]), int(time[5:7]), int(time[8:10])
    # Years begin in March here, so that the leap day is a year's last: datetime would cost more than this.
    year -= month <= 2
    month = (month - 3) % 12
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 719_469
    seconds = days * 86_400 + int(time[11:13]) * 3600 + int(time[14:16]) * 60 + int(time[17:19])
    return seconds * 1000 + int(time[20:23])
