"""`lastmile usage` by each cloud's telemetry, which is what the runtime writes; and a budget's month in S3 (moto)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from lastmile_runtime.stores import open_store
from lastmile_sls.control.azure.client import ResourceId
from lastmile_sls.control.azure.usage import counted as azure_counted
from lastmile_sls.control.azure.usage import kusto_of
from lastmile_sls.control.gcp import client, control
from tests.conformance.aws.account import REGION, Account, moto_account
from tests.conformance.emulators import s3
from tests.conformance.google_apis import Session
from tests.conformance.test_azure_queries import Tables, bound
from tests.conformance.test_control_aws import FUNCTION
from tests.conformance.test_control_gcp import OUTPUTS as GOOGLE
from tests.lastmile_infra.azure.telemetry import NOW, Answered, Worked, console, traces
from tests.lastmile_sls.budget.months import Month
from tests.lastmile_sls.budget.test_enforce import walk_through
from tests.lastmile_sls.control.commands import Typist

pytestmark = pytest.mark.conformance
TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/churn-dev/providers"


@pytest.fixture
def typist(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typist:
    return Typist(tmp_path, monkeypatch, capsys)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with moto_account() as made:
        made.empty()
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


def measure(aws: Account, version: str | None, day: date, *durations: float) -> None:
    """Do what CloudWatch does with the runtime's lines in the embedded metric format."""
    dimensions = [{"Name": "function", "Value": FUNCTION}]
    dimensions += [{"Name": "version", "Value": version}] if version else []
    at = datetime.combine(day, time(0, 1), UTC)
    data = [
        {"MetricName": "duration_ms", "Dimensions": dimensions, "Value": value, "Timestamp": at}
        for value in durations
    ]
    aws.call("cloudwatch", "put_metric_data", Namespace="lastmile", MetricData=data)


def row(day: date, version: str, requests: int, duration_ms: str | None) -> dict[str, Any]:
    named = {"day": str(day), "model": "churn", "environment": "dev", "version": version}
    return {**named, "requests": requests, "duration_ms": duration_ms}


def test_aws(aws: Account, typist: Typist) -> None:
    functions = {"predict": f"arn:aws:lambda:{REGION}:123456789012:function:{FUNCTION}"}
    typist.write_outputs(
        {
            "deployment": "churn-dev",
            "target": "aws",
            "url": "https://x",
            "versions": ["v1"],
            "functions": functions,
        }
    )
    assert typist.ask("usage", "--environment", "dev", "--json").json == []
    measure(aws, "v1", YESTERDAY, 1, 2, 3.5)
    measure(aws, "v1", TODAY, 7)
    measure(aws, "v0", YESTERDAY, 4)  # it is not deployed any more
    measure(aws, "v1", TODAY - timedelta(days=40), 9)
    assert typist.ask("usage", "--environment", "dev", "--json").json == [
        row(YESTERDAY, "v0", 1, "4.000"),
        row(YESTERDAY, "v1", 3, "2.167"),
        row(TODAY, "v1", 1, "7.000"),
    ]


def distribution(version: str, end: datetime, count: int, mean_s: float) -> dict[str, Any]:
    point = {
        "interval": {"startTime": end.isoformat(), "endTime": end.strftime("%Y-%m-%dT%H:%M:%SZ")},
        "value": {"distributionValue": {"count": str(count), "mean": mean_s}},
    }
    return {"metric": {"labels": {"version": version}}, "points": [point]}


def test_google(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    session, now = Session(), datetime.combine(TODAY, time(6), UTC)
    midnight = now.replace(hour=0)
    google = partial(client.Google, session=session, transport=lambda _: None, pause=lambda seconds: None)
    monkeypatch.setattr(control, "Google", google)
    monkeypatch.setattr("lastmile_sls.control.clock.CloudClock.now", lambda clock: now)

    def measured(parameters: dict[str, Any]) -> dict[str, Any]:
        assert 'metric.type="logging.googleapis.com/user/churn-dev/latency"' in parameters["filter"]
        assert parameters["aggregation.groupByFields"] == "metric.labels.version"
        if parameters["aggregation.alignmentPeriod"] == "86400s":
            assert parameters["interval.endTime"] == midnight.strftime("%Y-%m-%dT%H:%M:%SZ")
            if "pageToken" not in parameters:
                return {"timeSeries": [distribution("v1", midnight, 3, 0.002)], "nextPageToken": "more"}
            return {"timeSeries": [distribution("", midnight, 8, 0.0001)]}
        assert parameters["aggregation.alignmentPeriod"] == "21600s"
        return {"timeSeries": [distribution("v2", now, 1, 0.0074), distribution("v1", now, 0, 0)]}

    session.answers["/timeSeries"] = measured
    typist.write_outputs(GOOGLE)
    assert typist.ask("usage", "--environment", "dev", "--json").json == [
        row(YESTERDAY, "v1", 3, "2.000"),
        row(TODAY, "v2", 1, "7.400"),
    ]
    session.refusals = [(404, "Cannot find metric")]
    told = typist.ask("usage", "--environment", "dev")
    assert (told.code, told.err.splitlines()[1]) == (
        1,
        (
            "hint: They are made of the log where the spec has operations: add them, and run "
            "`lastmile up --target gcp`."
        ),
    )


def test_azure() -> None:
    site, app = (
        ResourceId.read(f"{GROUP}/{kind}/churn-dev")
        for kind in ("Microsoft.Web/sites", "Microsoft.App/containerApps")
    )
    answers = [Answered(duration_ms=1.0), Answered(duration_ms=2.0), Answered(version="v2", duration_ms=4.0)]
    tables = Tables()
    tables.add(["no JSON", *traces("churn", *answers, Worked(waited_s=5))])
    tables.add(traces("churn", Answered(duration_ms=8.0)), minutes=-60 * 24)
    tables.add_console("churn-dev", console(*answers))
    day = NOW.date()

    class Asked:
        """A workspace's client."""

        def client(self, name: str) -> Any:
            return self

        def asking(self, what: str) -> Any:
            from contextlib import nullcontext

            return nullcontext()

        def query_workspace(self, workspace: str, question: str, timespan: Any) -> Any:
            rows = tables.ask(question.replace('AppRoleName =~ "churn-dev"', 'AppRoleName =~ "churn"'))
            columns = ["day", "version", "requests", "duration_ms"]
            table = type(
                "Table", (), {"columns": columns, "rows": [[one[c] for c in columns] for one in rows]}
            )
            return type("Answer", (), {"tables": [table]})

    asked: Any = Asked()
    found = azure_counted(asked, site, "w", day - timedelta(days=1))
    assert [(one.day, one.version, one.requests, one.duration_ms) for one in found] == [
        (day - timedelta(days=1), "v1", 1, Decimal("8.000")),
        (day, "v1", 2, Decimal("1.500")),
        (day, "v2", 1, Decimal("4.000")),
    ]
    assert [one.requests for one in azure_counted(asked, app, "w", day)] == [2, 1]
    answers_of_parser = bound([kusto_of(site, day), kusto_of(app, day)])
    assert [answer["errors"] for answer in answers_of_parser] == [[], []]
    kinds = {"day": "datetime", "version": "string", "requests": "long", "duration_ms": "real"}
    assert [answer["columns"] for answer in answers_of_parser] == [kinds, kinds]


def test_a_month_of_a_budget_in_s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    with s3(monkeypatch, tmp_path) as url:
        walk_through(Month(open_store(f"{url}/churn-dev")))
