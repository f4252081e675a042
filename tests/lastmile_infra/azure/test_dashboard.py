from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from lastmile_infra.azure import events
from lastmile_infra.azure.dashboard import workbook_id
from tests.lastmile_infra.azure.recorded import GROUP, WATCHED, Run, provisioned
from tests.lastmile_infra.azure.test_operations import DEAD, FRONT_DOOR, FRONT_DOOR_METRICS, ROUTER
from tests.lastmile_infra.plans import spec_of

WORKSPACE = f"{GROUP}/Microsoft.OperationalInsights/workspaces/churn-dev-1234567"
TITLES = ["Requests", "Errors", "Latency", "Throttles", "Queue", "Traffic by version"]


def content_of(watched: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(watched.inputs("Workbook")["serializedData"])
    return found


def test_a_workbook(watched: Run) -> None:
    told = watched.inputs("Workbook")
    del told["serializedData"]
    assert told == {
        "resourceName": workbook_id("churn-dev-dashboard"),
        "kind": "shared",
        "category": "workbook",
        "displayName": "churn-dev-dashboard",
        "sourceId": WORKSPACE,
    }


def test_its_name_is_a_guid_that_stays() -> None:
    assert workbook_id("churn-dev-dashboard") == workbook_id("churn-dev-dashboard")
    assert workbook_id("churn-dev-dashboard") != workbook_id("churn-prod-dashboard")
    assert str(UUID(workbook_id("a"))) == workbook_id("a")


def test_its_graphs(watched: Run) -> None:
    content = content_of(watched)
    time, *graphs = content.pop("items")
    assert content.pop("$schema").endswith("/schema/workbook.json")
    assert content == {"version": "Notebook/1.0", "fallbackResourceIds": [WORKSPACE]}
    (parameter,) = time["content"]["parameters"]
    assert (time["type"], parameter["name"], parameter["type"]) == (9, "TimeRange", 4)
    assert parameter["value"] in parameter["typeSettings"]["selectableValues"]
    queries = [
        events.requests_graph("zip", ROUTER),
        events.errors_graph("zip", ROUTER),
        events.latency_graph("zip", ROUTER),
        events.throttles_graph("zip", ROUTER),
        events.queue_graph("zip", DEAD),
        events.versions_graph("zip", ROUTER),
    ]
    assert graphs == [
        {
            "type": 3,
            "content": {
                "version": "KqlItem/1.0",
                "query": query,
                "title": title,
                "size": 0,
                "queryType": 0,
                "resourceType": "microsoft.operationalinsights/workspaces",
                "timeContextFromParameter": "TimeRange",
                "visualization": "timechart",
            },
            "customWidth": "50",
            "name": title.lower(),
        }
        for title, query in zip(TITLES, queries, strict=True)
    ]


def test_without_a_queue_there_is_none_to_show(tmp_path: Path) -> None:
    run = provisioned(spec_of(operations={"notify": ["a@example.com"]}), tmp_path)
    shown = [item["content"].get("title") for item in content_of(run)["items"]]
    assert shown == [None, *(title for title in TITLES if title != "Queue")]


def test_with_front_door_its_metric_tells_of_what_was_refused(tmp_path: Path) -> None:
    run = provisioned(spec_of(**WATCHED, **FRONT_DOOR), tmp_path)
    (graph,) = [item for item in content_of(run)["items"] if item["content"].get("title") == "Throttles"]
    content = graph["content"]
    assert graph["type"] == 10
    assert content["resourceIds"] == [f"{GROUP}/Microsoft.Cdn/profiles/churn-dev-front-door-1234567"]
    (metric,), (narrowed,) = content["metrics"], content["filters"]
    namespace, _, name = metric["metric"].partition("--")
    assert namespace == metric["namespace"] == content["resourceType"] == "microsoft.cdn/profiles"
    assert narrowed == {"id": "1", "key": "HttpStatus", "operator": 0, "values": ["429"]}
    assert narrowed["key"] in FRONT_DOOR_METRICS[name]
