"""Requests by day and version, from what the runtime writes into the deployment's workspace."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from lastmile_sls.control.azure.client import Azure, ResourceId
from lastmile_sls.control.azure.log import CONTAINER_APPS, SITES, ask, rows_of
from lastmile_sls.control.usage import Counted, mean

_DURATIONS = {
    SITES: "todouble(event.duration_ms)",
    CONTAINER_APPS: '1000 * todouble(trim_end("s", tostring(event.httpRequest.latency)))',
}
"""As `lastmile_runtime.forms.application_insights` and `.cloud_logging` write it."""


def counted(azure: Azure, app: ResourceId, workspace: str, since: date) -> tuple[Counted, ...]:
    """Return each version's days, as far back as the workspace keeps its log. Raises LastmileError."""
    rows = ask(azure, workspace, "the requests of each day", kusto_of(app, since))
    return tuple(_counted(row) for row in rows)


def kusto_of(app: ResourceId, since: date) -> str:
    """Return the question (learn.microsoft.com/azure/data-explorer/kusto/query)."""
    duration = f"duration_ms = avg({_DURATIONS[app.kind]})"
    steps = [
        rows_of(app),
        f"where TimeGenerated >= datetime({since})",
        "extend event = parse_json(line)",
        'where tostring(event["faas.trigger"]) == "http" and isnotempty(tostring(event.version))',
        f"summarize requests = count(), {duration} by day = bin(TimeGenerated, 1d), version = tostring(event.version)",
        "order by day asc, version asc",
    ]
    return "\n| ".join(steps)


def _counted(row: dict[str, Any]) -> Counted:
    at: datetime = row["day"]
    day = at.astimezone(UTC).date() if at.tzinfo else at.date()
    return Counted(day, str(row["version"]), int(row["requests"]), _mean(row["duration_ms"]))


def _mean(value: Any) -> Decimal | None:
    return None if value is None else mean(float(value))
