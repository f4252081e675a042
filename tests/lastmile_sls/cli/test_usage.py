"""`lastmile usage` of a played cloud: the table, the files, and what is needed to name the rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from lastmile_sls.control.usage import Counted
from lastmile_sls.costs.usage import read_usage
from tests.lastmile_sls.cli.clouds import Played
from tests.lastmile_sls.control.commands import Typist


@pytest.fixture
def counting(played: Played) -> Played:
    today = datetime.now(UTC).date()
    played.counts = (
        Counted(today - timedelta(days=40), "v1", 5, Decimal(1)),
        Counted(today - timedelta(days=1), "v1", 12_000, Decimal("2.25")),
        Counted(today - timedelta(days=1), "challenger", 7, None),
        Counted(today, "v1", 0, None),
    )
    return played


def test_a_table_files_and_json(typist: Typist, counting: Played) -> None:
    told = typist.ask("usage", "--environment", "dev")
    day = str(datetime.now(UTC).date() - timedelta(days=1))
    assert (told.code, told.out.splitlines()) == (
        0,
        [
            "day         version         requests        mean",
            f"{day}  challenger             7",
            f"{day}  v1                12,000      2.2 ms",
            "                              12,007",
        ],
    )
    assert counting.asked_since == datetime.now(UTC).date() - timedelta(days=29)
    rows = [
        {
            "day": day,
            "model": "churn",
            "environment": "dev",
            "version": "challenger",
            "requests": 7,
            "duration_ms": None,
        },
        {
            "day": day,
            "model": "churn",
            "environment": "dev",
            "version": "v1",
            "requests": 12_000,
            "duration_ms": "2.25",
        },
    ]
    assert typist.ask("usage", "--environment", "dev", "--json").json == rows
    for name in ("usage.csv", "usage.jsonl"):
        written = typist.ask("usage", "--environment", "dev", "-o", name)
        assert (written.code, written.out, written.err) == (0, "", f"2 rows of 30 days: {name}\n")
    folder = typist.outputs_file.parent
    assert (folder / "usage.csv").read_text() == (
        "day,model,environment,version,requests,duration_ms\n"
        f"{day},churn,dev,challenger,7,\n{day},churn,dev,v1,12000,2.25\n"
    )
    assert [json.loads(line) for line in (folder / "usage.jsonl").read_text().splitlines()] == rows
    assert read_usage([folder / "usage.csv"]) == read_usage([folder / "usage.jsonl"])


def test_more_days_and_none(typist: Typist, counting: Played) -> None:
    assert len(typist.ask("usage", "--environment", "dev", "--days", "41", "--json").json) == 3
    counting.counts = ()
    told = typist.ask("usage", "--environment", "dev")
    assert (told.code, told.err) == (
        0,
        "no version answered a request in 30 days, as far as telemetry says\n",
    )


def test_the_environment_must_be_known(typist: Typist, counting: Played) -> None:
    told = typist.ask("usage")
    assert (told.code, told.err.splitlines()) == (
        1,
        [
            "error: the outputs of churn-dev do not say which part of its name is the environment.",
            "hint: Say it: --environment NAME, or the spec: -f SPEC",
        ],
    )
    told = typist.ask("usage", "--environment", "prod")
    assert told.err.splitlines()[0] == "error: --environment is 'prod', but the deployment is churn-dev."
