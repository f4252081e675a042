"""Events as Cloud Logging reads them from standard output: cloud.google.com/logging/docs/structured-logging."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

_SEVERITIES = {"info": "INFO", "warning": "WARNING", "error": "ERROR"}
_TRACE, _SPAN, _SAMPLED = (f"logging.googleapis.com/{name}" for name in ("trace", "spanId", "trace_sampled"))


def form(event: dict[str, Any]) -> dict[str, Any]:
    """Give an event's fields the names that Cloud Logging knows, leave the others as they are, and return it.

    The version that answered is a label as well. Where GOOGLE_CLOUD_PROJECT is set, a request's traceparent (W3C
    Trace Context) joins its event to its trace.
    """
    level, method, path = event.pop("level"), event.pop("method", ""), event.pop("path", "")
    event["severity"] = _SEVERITIES.get(level, "DEFAULT")
    event["message"] = event.get("error") or f"{method} {path}".strip()
    if "status" in event:
        event["httpRequest"] = {
            "requestMethod": method,
            "requestUrl": path,
            "status": event.pop("status"),
            "latency": f"{event.pop('duration_ms') / 1000:.6f}s",
        }
        event.setdefault("faas.trigger", "http")
    if "version" in event:
        event["logging.googleapis.com/labels"] = {"version": event["version"]}
    if "traceparent" in event:
        _join(event, os.environ.get("GOOGLE_CLOUD_PROJECT"))
    return event


def _join(event: dict[str, Any], project: str | None) -> None:
    parts = event["traceparent"].split("-")
    if project and len(parts) == 4:
        event[_TRACE] = f"projects/{project}/traces/{parts[1]}"
        event[_SPAN] = parts[2]
        event[_SAMPLED] = parts[3] == "01"
