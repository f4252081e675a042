"""The queries of Azure's alarms and dashboards: Microsoft's own parser takes them, and they find what the runtime writes.

The tables' columns are those of learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces and
.../containerappconsolelogs (read 2026-11-29). The parser is `@kusto/language-service-next`; what runs the queries is
`duckdb-kql`, which others wrote, and which is not Azure's.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lastmile_infra.azure import events
from lastmile_infra.azure.dashboard import graphs
from lastmile_infra.azure.events import Form
from lastmile_infra.azure.operations import Watched
from tests.lastmile_infra.azure.recorded import WATCHED, provisioned
from tests.lastmile_infra.azure.telemetry import NOW, Answered, Worked, console, set_aside, traces
from tests.lastmile_infra.plans import spec_of

pytestmark = pytest.mark.conformance
NODE = Path(__file__).with_name("node")
ROUTER, OTHER, DEAD = "churn-dev-predict-1234567", "churn-dev-predict-v2-1234567", "churn-dev-jobs-poison"
TABLES = {
    "AppTraces": {
        "TimeGenerated": "datetime",
        "Message": "string",
        "SeverityLevel": "int",
        "AppRoleName": "string",
        "AppRoleInstance": "string",
    },
    "ContainerAppConsoleLogs": {
        "TimeGenerated": "datetime",
        "Log": "string",
        "Stream": "string",
        "ContainerAppName": "string",
        "ContainerGroupName": "string",
        "RevisionName": "string",
    },
}
TYPES = {"datetime": "TIMESTAMP", "string": "VARCHAR", "int": "INTEGER"}
NUMBERS = {"long", "real"}


def bound(queries: Sequence[str]) -> list[dict[str, Any]]:
    """Return what Microsoft's parser finds wrong with each query, and the columns that it gives."""
    node = shutil.which("node")
    if not node or not (NODE / "node_modules" / "@kusto").is_dir():
        pytest.skip(f"{NODE} has no node_modules (make conformance puts them there), or node is not on PATH")
    sent = json.dumps({"tables": TABLES, "queries": [shown(query) for query in queries]})
    done = subprocess.run(
        [node, "kusto.mjs"], input=sent, cwd=NODE, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def shown(query: str) -> str:
    """Return a query as a workbook sends it: with the length of a step in the place of its name."""
    return query.replace("{TimeRange:grain}", "5m")


def graphs_of(form: Form, dead_letters: str | None) -> list[str]:
    nothing: Any = None
    watched = Watched(nothing, form, nothing, None, dead_letters)
    return [item["content"]["query"] for item in graphs(watched, ROUTER, None).values()]


def test_microsofts_parser_takes_every_query(tmp_path: Path) -> None:
    alarms = []
    for package in ("zip", "image"):
        changes = WATCHED if package == "zip" else {"operations": WATCHED["operations"]}
        run = provisioned(spec_of(**changes, targets={"azure": {"package": package}}), tmp_path / package)
        alarms += [r.inputs["criteria"]["allOf"][0]["query"] for r in run.all("ScheduledQueryRule")]
    drawn = [*graphs_of("zip", DEAD), *graphs_of("image", None)]
    answers = bound([*alarms, *drawn, "AppTraces | where Massage == 1"])
    *right, wrong = answers
    assert (len(alarms), len(drawn)) == (8, 11)
    assert [answer["errors"] for answer in right] == [[] for _ in right]
    assert "The name 'Massage' does not refer to any known column" in wrong["errors"][0]
    for alarm in right[: len(alarms)]:
        assert alarm["columns"].keys() == {"TimeGenerated", "value"}
        assert alarm["columns"]["value"] in NUMBERS
    for graph in right[len(alarms) :]:
        (time, when), *others = graph["columns"].items()
        assert (time, when) == ("TimeGenerated", "datetime")
        assert {type_ for name, type_ in others if name != "version"} <= NUMBERS


class Tables:
    """A workspace's tables, which are asked in KQL."""

    def __init__(self) -> None:
        self._kql: Any = pytest.importorskip("duckdb_kql")
        self._connection = self._kql.connect()
        for table, columns in TABLES.items():
            written = ", ".join(f"{name} {TYPES[type_]}" for name, type_ in columns.items())
            self._connection.execute(f"CREATE TABLE {table} ({written})")

    def add(self, lines: Sequence[str], *, instance: str = "i1", minutes: float = 0) -> None:
        """Add what a function app, or its host, logged."""
        at = NOW.replace(tzinfo=None) + timedelta(minutes=minutes)
        rows = [(at, line, 1, "churn", instance) for line in lines]
        self._connection.executemany("INSERT INTO AppTraces VALUES (?, ?, ?, ?, ?)", rows)

    def add_console(self, app: str, lines: Sequence[str]) -> None:
        """Add what a container app wrote."""
        rows = [(NOW.replace(tzinfo=None), line, "stdout", app, f"{app}-1", "r1") for line in lines]
        self._connection.executemany("INSERT INTO ContainerAppConsoleLogs VALUES (?, ?, ?, ?, ?, ?)", rows)

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        found = self._kql.query(self._connection, shown(query))
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]

    def number(self, query: str) -> float | None:
        """Return an alarm's number; None when it has nothing to say."""
        rows = self.ask(query)
        assert len(rows) <= 1
        return rows[0]["value"] if rows else None


@pytest.fixture
def tables() -> Tables:
    return Tables()


SLOW = [Answered(duration_ms=10.0 * number) for number in range(1, 101)]


def test_alarms_tell_what_the_router_answered(tables: Tables) -> None:
    failed = [Answered(status=500), Answered(status=503), Answered(status=404), Answered(status=429)]
    tables.add(traces(ROUTER, *SLOW, *failed, Worked(waited_s=900, fails=True)))
    tables.add(traces(OTHER, Answered(status=500, duration_ms=99_999), Answered(status=429)))
    tables.add(
        ["no JSON at all", '{"level": "warning", "error": "an event that tells of no invocation"}', "[]"]
    )
    assert tables.number(events.error_share("zip", ROUTER)) == pytest.approx(100 * 2 / 104)
    assert tables.number(events.latency("zip", ROUTER)) == pytest.approx(950, abs=20)
    assert tables.number(events.throttled("zip", ROUTER)) == 1


def test_alarms_tell_of_the_queue(tables: Tables) -> None:
    tables.add(traces(ROUTER, Answered(), Worked(waited_s=30), Worked(waited_s=1200, fails=True)))
    tables.add([set_aside(DEAD), set_aside(DEAD), set_aside("another-poison")])
    assert tables.number(events.queue_age("zip")) == pytest.approx(1200, abs=30)
    assert tables.number(events.dead_letters(DEAD)) == 2


def test_alarms_tell_what_a_container_answered(tables: Tables) -> None:
    tables.add_console("churn-dev-predict", console(*SLOW, Answered(status=500), Answered(status=429)))
    tables.add_console("churn-dev-predict-v2", console(Answered(status=500, duration_ms=99_999)))
    tables.add_console("churn-dev-predict", ["a line of the user's own"])
    assert tables.number(events.error_share("image", "churn-dev-predict")) == pytest.approx(100 / 102)
    assert tables.number(events.latency("image", "churn-dev-predict")) == pytest.approx(950, abs=20)
    assert tables.number(events.throttled("image", "churn-dev-predict")) == 1


def test_without_anything_to_tell_no_alarm_has_a_number(tables: Tables) -> None:
    tables.add(traces(ROUTER, Worked(waited_s=5)))
    asked = (events.error_share, events.latency, events.throttled)
    assert [tables.number(query("zip", ROUTER)) for query in asked] == [None, None, None]
    assert tables.number(events.dead_letters(DEAD)) is None


def test_graphs_show_what_happened_in_each_step(tables: Tables) -> None:
    tables.add(traces(ROUTER, Answered(), Answered(version="v2")))
    tables.add(
        traces(ROUTER, Answered(), Answered(status=500), Answered(status=404)), instance="i2", minutes=2
    )
    tables.add(traces(ROUTER, Worked(waited_s=60), Worked(waited_s=700, fails=True)), minutes=7)
    tables.add([set_aside(DEAD)], minutes=7)
    requests, errors, _, _, queue, versions = (tables.ask(query) for query in graphs_of("zip", DEAD))
    start = NOW.replace(tzinfo=None)
    assert requests == [{"TimeGenerated": start, "requests": 5, "instances": 2}]
    assert errors == [{"TimeGenerated": start, "server": 1, "callers": 1}]
    assert sorted((row["version"], row["requests"]) for row in versions) == [("v1", 4), ("v2", 1)]
    (worked,) = queue
    assert worked["TimeGenerated"] == start + timedelta(minutes=5)
    assert (worked["worked"], worked["failed"], worked["set_aside"]) == (1, 1, 1)
    assert worked["oldest_s"] == pytest.approx(700, abs=30)
