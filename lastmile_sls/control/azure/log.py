"""A function's log in a Log Analytics workspace, asked in Kusto."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lastmile_sls.control.azure.client import Azure, ResourceId
from lastmile_sls.control.events import read_event
from lastmile_sls.control.follow import matches
from lastmile_sls.control.times import told_ms
from lastmile_sls.control.told import Event, Query

SITES, CONTAINER_APPS = "microsoft.web/sites", "microsoft.app/containerapps"
_TABLES: Mapping[str, str] = {
    SITES: "AppTraces | where AppRoleName =~ {name} | extend line = Message, said = SeverityLevel, by = AppRoleInstance",
    CONTAINER_APPS: "ContainerAppConsoleLogs | where ContainerAppName =~ {name} "
    "| extend line = Log, said = -1, by = strcat(ContainerGroupName, Stream)",
}
"""Where an app's lines are: learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces and, there too,
containerappconsolelogs (read 2026-11-29)."""
_LEVELS = {0: "info", 1: "info", 2: "warning", 3: "error", 4: "error"}
"""Application Insights' SeverityLevel: Verbose, Information, Warning, Error, Critical."""
_ERROR = 'said >= 3 or tostring(event.level) == "error" or tostring(event.severity) == "ERROR"'


class WorkspaceLog:
    """What an app wrote."""

    late_s = 300.0
    """Lines arrive after 20 s to 3 min (learn.microsoft.com/azure/azure-monitor/logs/data-ingestion-time, 2026-11-29)."""

    def __init__(self, azure: Azure, function: str, workspace: str, app: ResourceId) -> None:
        self._azure = azure
        self._function = function
        self._workspace = workspace
        self._app = app

    def read(self, query: Query) -> list[Event]:
        """Return the newest events, oldest first. Raises LastmileError."""
        what = f"the log of {self._function}"
        rows = ask(self._azure, self._workspace, what, kusto_of(self._app, query))
        found = [self._event(row) for row in rows]
        return sorted((event for event in found if matches(event, query)), key=lambda event: event.at)

    def _event(self, row: Mapping[str, Any]) -> Event:
        at: datetime = row["TimeGenerated"]
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        said = _LEVELS.get(int(row["said"]))
        line = str(row["line"])
        id_ = hashlib.sha256(f"{at.isoformat()}\0{row['by']}\0{line}".encode()).hexdigest()
        return read_event(line, at, self._function, id_=id_, level=said)


def rows_of(app: ResourceId) -> str:
    """Return the question for an app's lines: `line`, when it was, `said` and `by`."""
    return _TABLES[app.kind].format(name=_quoted(app.name))


def kusto_of(app: ResourceId, query: Query) -> str:
    """Return the question (learn.microsoft.com/azure/data-explorer/kusto/query)."""
    if isinstance(query.since, timedelta):
        since = f"ago({int(query.since.total_seconds())}s)"
    else:
        since = f"datetime({told_ms(query.since)})"
    steps = [
        rows_of(app),
        f"where TimeGenerated >= {since}",
        "extend event = parse_json(line)",
    ]
    steps += [f"where {_ERROR}"] if query.errors else []
    if query.request_id is not None:
        wanted = _quoted(query.request_id)
        steps.append(
            f'where tostring(event.request_id) == {wanted} or tostring(event["faas.invocation_id"]) == {wanted}'
        )
    steps += [f"top {query.lines} by TimeGenerated desc", "project TimeGenerated, line, said, by"]
    return "\n| ".join(steps)


def errors_of(azure: Azure, app: ResourceId, workspace: str) -> int:
    """Return how many errors of the last hour have arrived in the log. Raises LastmileError."""
    steps = [
        rows_of(app),
        "where TimeGenerated >= ago(3600s)",
        "extend event = parse_json(line)",
        f"where {_ERROR}",
        "count",
    ]
    (row,) = ask(azure, workspace, "the errors of the last hour", "\n| ".join(steps))
    return int(row["Count"])


def ask(azure: Azure, workspace: str, what: str, question: str) -> list[dict[str, Any]]:
    """Return the rows that answer a question, by column. Raises LastmileError."""
    with azure.asking(what):
        answer = azure.client("logs").query_workspace(workspace, question, timespan=None)
    tables = getattr(answer, "tables", None)
    if tables is None:  # Log Analytics gave a part of the answer, and says why
        if getattr(answer, "partial_error", None) and not answer.partial_data:
            raise azure.asked.failed(what, str(answer.partial_error))
        tables = answer.partial_data
    return [dict(zip(table.columns, row, strict=True)) for table in tables[:1] for row in table.rows]


def _quoted(text: str) -> str:
    """Return a string literal of Kusto's."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
