from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.lastmile_infra.gcp.recorded import PROJECT, run_of
from tests.lastmile_infra.gcp.test_metrics import BEHIND, MEASURED
from tests.lastmile_infra.gcp.test_operations import OPERATIONS, WATCHED
from tests.lastmile_infra.recorded import Run

TITLES = ["Requests", "Errors", "Latency", "Throttles", "Queue", "Traffic by version"]


def charts_of(run: Run) -> dict[str, Any]:
    """Return a dashboard's charts by title, in order."""
    content = json.loads(run.inputs("Dashboard")["dashboardJson"])
    assert content["displayName"] == "churn-dev-dashboard"
    tiles = content["mosaicLayout"]["tiles"]
    places = [(tile["xPos"], tile["yPos"], tile["width"], tile["height"]) for tile in tiles]
    expected = [(24 * (index % 2), 16 * (index // 2), 24, 16) for index in range(len(tiles))]
    assert (content["mosaicLayout"]["columns"], places) == (48, expected)
    return {tile["widget"]["title"]: tile["widget"]["xyChart"] for tile in tiles}


def lines_of(chart: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (data["legendTemplate"], data["timeSeriesQuery"]["prometheusQuery"], data["targetAxis"])
        for data in chart["dataSets"]
    ]


def test_what_somebody_looks_at_who_was_woken(tmp_path: Path) -> None:
    run = run_of(tmp_path, **WATCHED)
    charts = charts_of(run)
    assert list(charts) == TITLES
    assert {title: lines_of(chart) for title, chart in charts.items()} == {
        "Requests": [("requests", MEASURED.requests(), "Y1")],
        "Errors": [("errors", MEASURED.errors(), "Y1")],
        "Latency": [
            ("p50", MEASURED.latency(0.5), "Y1"),
            ("p95", MEASURED.latency(0.95), "Y1"),
            ("p99", MEASURED.latency(0.99), "Y1"),
        ],
        "Throttles": [
            ("refused", MEASURED.throttles(), "Y1"),
            (
                "instances ${state}",
                MEASURED.instances().replace("|churn-dev-predict-v2", ""),
                "Y2",
            ),
        ],
        "Queue": [
            ("waiting", MEASURED.waiting(), "Y1"),
            ("set aside", MEASURED.set_aside(), "Y1"),
            ("oldest", MEASURED.queue_age(), "Y2"),
        ],
        "Traffic by version": [("${version}", MEASURED.share(), "Y1")],
    }
    thresholds = {
        title: [(line["value"], line["targetAxis"]) for line in chart["thresholds"]]
        for title, chart in charts.items()
    }
    assert thresholds == {
        "Requests": [],
        "Errors": [(2.5, "Y1")],
        "Latency": [(1500, "Y1")],
        "Throttles": [(3, "Y1")],
        "Queue": [(600, "Y2")],
        "Traffic by version": [],
    }
    units = {
        title: (chart["yAxis"]["label"], chart.get("y2Axis", {}).get("label"))
        for title, chart in charts.items()
    }
    assert units == {
        "Requests": ("requests in 5 minutes", None),
        "Errors": ("percent", None),
        "Latency": ("ms", None),
        "Throttles": ("refused in 5 minutes", "instances"),
        "Queue": ("messages", "s"),
        "Traffic by version": ("percent", None),
    }
    assert charts["Traffic by version"]["dataSets"][0]["plotType"] == "STACKED_AREA"
    assert run.outputs["dashboard"] == (
        f"https://console.cloud.google.com/monitoring/dashboards/builder/d-1?project={PROJECT}"
    )


def test_what_is_not_there_is_not_shown(tmp_path: Path) -> None:
    run = run_of(tmp_path, **OPERATIONS, endpoint={"domain": "a.example.com"})
    charts = charts_of(run)
    assert list(charts) == [title for title in TITLES if title != "Queue"]
    assert lines_of(charts["Throttles"])[0] == ("refused", BEHIND.throttles(), "Y1")


def test_no_dashboard_if_none_is_wanted(tmp_path: Path) -> None:
    run = run_of(tmp_path, operations={**OPERATIONS["operations"], "dashboard": False})
    assert not run.all("Dashboard")
    assert "dashboard" not in run.outputs
