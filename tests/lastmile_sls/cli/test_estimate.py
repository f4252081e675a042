"""An estimate as a user types it: built, previewed offline, priced, compared, written."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft4Validator

from lastmile_sls.cli.estimate import command
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.cli.test_clouds import AWS, Played
from tests.lastmile_sls.commands import Workspace

SCHEMA = Path(__file__).parents[2] / "data" / "infracost.schema.json"
TRAFFIC = """
idle: {requests: 0}
steady: {requests: 1000000, later_share: 0}
"""
SECRET = "aws:secretsmanager/secret:Secret"
GIVEN = ("--target", "aws", "--duration", "20", "--init-ms", "300")


def environ(work: Workspace) -> dict[str, str]:
    """Return an environment without the Pulumi CLI."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(work.home), "COLUMNS": "80"}


def test_from_a_spec_to_a_comment_on_a_pull_request(work: Workspace) -> None:
    (work.folder / "traffic.yaml").write_text(TRAFFIC)
    shapes = (*GIVEN, "--traffic", "traffic.yaml")
    first = work.run("estimate", *shapes, "--json", environ=environ(work))
    document = json.loads(first.stdout)
    assert [one["shape"] for one in document["estimates"]] == ["idle", "steady"]
    idle, steady = document["estimates"]
    assert (idle["deployment"], idle["target"], idle["region"], idle["currency"]) == (
        *("doubler-dev", "aws", "eu-west-1", "USD"),
    )
    assert Decimal(idle["monthly"]) < Decimal(steady["monthly"])
    assert {one["status"] for one in steady["resources"]} == {"priced", "free"}
    types = [one["type"] for one in steady["resources"]]
    assert "aws:lambda/function:Function" in types
    assert "pulumi:pulumi:Stack" in types
    assert [one["name"] for one in steady["resources"]] == sorted(one["name"] for one in steady["resources"])
    total = sum(Decimal(one["monthly"]) for one in steady["resources"])
    assert abs(total - Decimal(steady["monthly"])) < Decimal("1e-9")
    assert {one["version"]: one["share"] for one in steady["versions"]} == {"v1": "1", "v2": "0"}

    for one in document["estimates"]:  # as if there had been no secret, and half the memory
        one["resources"] = [line for line in one["resources"] if line["type"] != SECRET]
        (function,) = (line for line in one["resources"] if line["type"] == "aws:lambda/function:Function")
        for component in function["components"]:
            component["monthly"] = str(Decimal(component["monthly"]) / 2)
    (work.folder / "before.json").write_text(json.dumps(document))
    written = ("--markdown", "comment.md", "--infracost", "infracost.json")
    told = work.run("estimate", *shapes, "--against", "before.json", *written, environ=environ(work)).stdout
    assert max(map(len, told.splitlines())) <= 80
    assert "doubler-dev on aws, eu-west-1, steady: 1\u00a0000\u00a0000 requests a month" in told
    assert told.count("  ~ Function doubler-dev-predict  +") == 1
    assert told.count("  + Secret doubler-dev-key-secret  +0.40") == 2
    comment = (work.folder / "comment.md").read_text()
    assert comment.startswith("<!-- lastmile estimate: doubler-dev on aws -->\n### What doubler-dev costs\n")
    assert "| idle | 0 |" in comment
    infracost = json.loads((work.folder / "infracost.json").read_text())
    Draft4Validator(json.loads(SCHEMA.read_text())).validate(infracost)
    assert [one["name"] for one in infracost["projects"]] == [
        "doubler-dev (aws, idle)",
        "doubler-dev (aws, steady)",
    ]
    assert Decimal(infracost["diffTotalMonthlyCost"]) > 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--target", "aws"], "the traffic does not say how many requests a month has."),
        (["--target", "local", "--requests", "5"], "target is local, and this machine has no meter"),
        (["--requests", "-1"], "--requests is '-1', but must be a number of at least 0."),
        (["--requests", "5", "--cold-share", "2"], "--cold-share is '2', but must be a share from 0 to 1"),
        (["--requests", "5", "--duration", "v1=x"], "--duration is 'x', but must be a number above 0."),
        (["--requests", "5"], "doubler has a place on aws, gcp and azure."),
        (
            ["--target", "aws", "--requests", "5", "--against", "before.json"],
            "before.json: its format is 'other', but must be 'lastmile.estimate/1'.",
        ),
        (
            ["--target", "aws", "--requests", "5", "--against", "before.json", "--diff"],
            "--diff and --against exclude each other.",
        ),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_built(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str
) -> None:
    (work.folder / "before.json").write_text('{"format": "other"}')
    monkeypatch.chdir(work.folder)
    with pytest.raises(LastmileError) as caught:
        CliRunner().invoke(command, words, catch_exceptions=False)
    assert told in caught.value.message
    assert not (work.folder / ".lastmile").exists()


@pytest.mark.pulumi_cli
def test_what_changes_beside_what_stands(work: Workspace) -> None:
    work.write_spec(**AWS)
    played = Played(work)
    played.run("up", "--target", "aws")
    work.write_spec(**AWS, resources={"memory_mb": 1024}, queue={})
    (found,) = played.json("estimate", *GIVEN, "--requests", "1000000", "--diff")["estimates"]
    changes = {(one["fate"], one["type"], one["name"]): one for one in found["diff"]["resources"]}
    function = changes["changed", "aws:lambda/function:Function", "doubler-dev-predict"]
    assert Decimal(function["after"]) > Decimal(function["before"]) > 0
    assert ("added", "aws:sqs/queue:Queue", "doubler-dev-jobs") in changes
    assert "removed" not in {fate for fate, _, _ in changes}
    assert abs(
        sum(Decimal(one["delta"]) for one in changes.values()) - Decimal(found["diff"]["delta"])
    ) < Decimal("1e-6")
    assert Decimal(found["diff"]["before"]) + Decimal(found["diff"]["delta"]) == Decimal(found["monthly"])
