"""The deployment's dashboard on Azure: a workbook over its log."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_azure_native import applicationinsights

from lastmile_infra.azure import events
from lastmile_infra.azure.operations import FRONT_DOOR, REQUESTS, STATUS, TOO_MANY, Watched
from lastmile_infra.azure.scope import Scope

_WORKSPACES = "microsoft.operationalinsights/workspaces"
_SCHEMA = "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json"
_TIME_RANGE = "TimeRange"
_HOUR_MS = 3_600_000
_SPANS_MS = (_HOUR_MS, 4 * _HOUR_MS, 24 * _HOUR_MS, 7 * 24 * _HOUR_MS, 30 * 24 * _HOUR_MS)
_PARAMETERS, _QUERY, _METRIC = 9, 3, 10
"""Kinds of a workbook's items (the schema above)."""
_KQL_IN_LOGS, _TIME, _LINES, _SUM, _IS = 0, 4, 2, 1, 0
"""Of a query, the language; of a parameter, a range of time; of a metric, how it is drawn, added up and filtered."""


def make_dashboard(scope: Scope, name: str, watched: Watched) -> pulumi.Output[str]:
    """Make the workbook; return where a person opens it."""
    profile = watched.guard.profile.id if watched.guard else None
    content = pulumi.Output.all(watched.router, watched.workspace.id, profile).apply(
        lambda told: json.dumps(workbook(graphs(watched, told[0], told[2]), told[1]))
    )
    made = applicationinsights.Workbook(
        f"{scope.name}-dashboard",
        resource_name_=workbook_id(name),
        kind=applicationinsights.WorkbookSharedTypeKind.SHARED,
        category="workbook",
        display_name=name,
        source_id=watched.workspace.id,
        serialized_data=content,
        **scope.here,
        opts=scope.opts,
    )
    return pulumi.Output.concat(
        "https://portal.azure.com/#@", scope.tenant, "/resource", made.id, "/workbook"
    )


def workbook_id(name: str) -> str:
    """Return a workbook's own name, which must be a GUID and is its alone in its resource group
    (azure-mgmt-applicationinsights, WorkbooksOperations.create_or_update)."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def graphs(watched: Watched, router: str, profile: str | None) -> dict[str, dict[str, Any]]:
    """Return the graphs' items by their titles, in the order in which they are read.

    Args:
        watched: What is shown.
        router: The name of the router's function in its log.
        profile: Front Door's id, if it is in front: then it is what refuses requests when there are too many.
    """
    form = watched.form
    shown = {
        "Requests": _of_log(events.requests_graph(form, router)),
        "Errors": _of_log(events.errors_graph(form, router)),
        "Latency": _of_log(events.latency_graph(form, router)),
        "Throttles": _of_metric(profile) if profile else _of_log(events.throttles_graph(form, router)),
    }
    if watched.dead_letters:
        shown["Queue"] = _of_log(events.queue_graph(form, watched.dead_letters))
    return {**shown, "Traffic by version": _of_log(events.versions_graph(form, router))}


def workbook(shown: Mapping[str, Mapping[str, Any]], workspace: str) -> dict[str, Any]:
    """Return a workbook: a choice of the time, and below it the graphs, two in a row."""
    return {
        "version": "Notebook/1.0",
        "items": [_time_range(), *(_titled(title, graph) for title, graph in shown.items())],
        "fallbackResourceIds": [workspace],
        "$schema": _SCHEMA,
    }


def _time_range() -> dict[str, Any]:
    parameter = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, _TIME_RANGE)),
        "version": "KqlParameterItem/1.0",
        "name": _TIME_RANGE,
        "label": "Time",
        "type": _TIME,
        "isRequired": True,
        "value": {"durationMs": 4 * _HOUR_MS},
        "typeSettings": {
            "selectableValues": [{"durationMs": span} for span in _SPANS_MS],
            "allowCustom": True,
        },
    }
    content = {
        "version": "KqlParameterItem/1.0",
        "parameters": [parameter],
        "style": "pills",
        "queryType": _KQL_IN_LOGS,
        "resourceType": _WORKSPACES,
    }
    return {"type": _PARAMETERS, "content": content, "name": "time"}


def _titled(title: str, graph: Mapping[str, Any]) -> dict[str, Any]:
    content = {**graph["content"], "title": title, "size": 0, "timeContextFromParameter": _TIME_RANGE}
    return {**graph, "content": content, "customWidth": "50", "name": title.lower()}


def _of_log(query: str) -> dict[str, Any]:
    content = {
        "version": "KqlItem/1.0",
        "query": query,
        "queryType": _KQL_IN_LOGS,
        "resourceType": _WORKSPACES,
        "visualization": "timechart",
    }
    return {"type": _QUERY, "content": content}


def _of_metric(profile: str) -> dict[str, Any]:
    namespace = FRONT_DOOR.lower()
    content = {
        "version": "MetricsItem/2.0",
        "chartId": "throttles",
        "chartType": _LINES,
        "metricScope": 0,
        "resourceType": namespace,
        "resourceIds": [profile],
        "metrics": [{"namespace": namespace, "metric": f"{namespace}--{REQUESTS}", "aggregation": _SUM}],
        "filters": [{"id": "1", "key": STATUS, "operator": _IS, "values": [TOO_MANY]}],
    }
    return {"type": _METRIC, "content": content}
