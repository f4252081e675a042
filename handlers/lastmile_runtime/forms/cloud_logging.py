"""Events as Cloud Logging reads them from standard output: cloud.google.com/logging/docs/structured-logging."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

_SEVERITIES = {"info": "INFO", "warning": "WARNING", "error": "ERROR"}
_REQUEST = ("method", "path", "status", "duration_ms")


def form(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event with the fields that Cloud Logging knows under their names there, and the others as they are."""
    rest = {name: value for name, value in event.items() if name not in ("time", "level", *_REQUEST)}
    found = {"severity": _SEVERITIES.get(event["level"], "DEFAULT"), "time": event["time"]}
    if "status" in event:
        found["httpRequest"] = {
            "requestMethod": event.get("method", ""),
            "requestUrl": event.get("path", ""),
            "status": event["status"],
            "latency": f"{event['duration_ms'] / 1000:.6f}s",
        }
        rest["faas.trigger"] = "http"
    found["message"] = event.get("error") or f"{event.get('method', '')} {event.get('path', '')}".strip()
    trace = _trace(event.get("traceparent", ""))
    return {**found, **trace, **rest}


def _trace(traceparent: str) -> dict[str, Any]:
    """Return the fields that join the event to its trace (W3C Trace Context), where the project is known."""
    parts, project = traceparent.split("-"), os.environ.get("GOOGLE_CLOUD_PROJECT")
    if len(parts) != 4 or not project:
        return {}
    return {
        "logging.googleapis.com/trace": f"projects/{project}/traces/{parts[1]}",
        "logging.googleapis.com/spanId": parts[2],
        "logging.googleapis.com/trace_sampled": parts[3] == "01",
    }
