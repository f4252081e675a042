"""The price lists as a user asks for them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from lastmile_sls.cli.prices import command
from lastmile_sls.errors import LastmileError
from lastmile_sls.prices.shelf import keep
from tests.lastmile_sls.prices.test_shelf import refreshed


@pytest.fixture
def run(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("LASTMILE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    return CliRunner()


def test_lists_are_told_with_their_age(run: CliRunner, tmp_path: object) -> None:
    path = keep({"LASTMILE_HOME": str(tmp_path)}, refreshed(eu_west_1="5"))
    told = run.invoke(command, ["list", "--target", "aws"], catch_exceptions=False).output
    assert told.startswith("aws, shipped: ")
    assert f"aws, {path}: 1 meter in 1 region, 1 price in USD, read 2026-11-30 (the oldest " in told
    shipped, mine = json.loads(run.invoke(command, ["list", "--target", "aws", "--json"]).output)
    assert (shipped["origin"], shipped["prices"] > 100) == ("shipped", True)
    assert {name: mine[name] for name in ("regions", "prices", "unverified", "oldest", "newest")} == {
        "regions": ["eu-west-1"],
        "prices": 1,
        "unverified": 0,
        "oldest": "2026-11-30",
        "newest": "2026-11-30",
    }


def test_a_meters_prices_are_shown_with_their_source(run: CliRunner) -> None:
    asked = ["show", "aws.lambda.requests.arm64", "--region", "us-east-1"]
    told = run.invoke(command, asked, catch_exceptions=False).output
    assert "aws.lambda.requests.arm64  us-east-1  0.0000002  request" in told
    assert "https://" in told
    (price,) = json.loads(run.invoke(command, [*asked, "--json"]).output)
    assert (price["meter"], price["region"], price["tiers"]) == (
        *("aws.lambda.requests.arm64", "us-east-1", [["0", "0.0000002"]]),
    )
    narrow = run.invoke(command, asked, env={"COLUMNS": "60"}, catch_exceptions=False).output
    assert narrow.startswith("aws.lambda.requests.arm64 in us-east-1: ")
    with pytest.raises(LastmileError) as caught:
        run.invoke(command, ["show", "aws.lambda", "--region", "mars-1"], catch_exceptions=False)
    assert caught.value.message == "there is no price of aws.lambda in mars-1."
    assert caught.value.hint.endswith("lastmile prices refresh --target aws --region mars-1")


def test_a_refresh_says_what_changed(run: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [refreshed(eu_west_1="5"), refreshed(eu_west_1="5"), refreshed(eu_west_1="6")]
    monkeypatch.setattr("lastmile_sls.prices.aws.refresh", lambda *_: answers.pop(0))
    asked = ["refresh", "--target", "aws", "--region", "eu-west-1"]
    first, second = (run.invoke(command, asked, catch_exceptions=False).output for _ in range(2))
    assert first.splitlines()[1] == "  aws.x.requests in eu-west-1: new -> 5"
    assert second.splitlines()[1] == "  none of them has changed"
    third = json.loads(run.invoke(command, [*asked, "--json"], catch_exceptions=False).output)
    assert third["changes"] == [
        {"meter": "aws.x.requests", "region": "eu-west-1", "before": [["0", "5"]], "after": [["0", "6"]]}
    ]
