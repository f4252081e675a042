"""`lastmile bootstrap` as a platform engineer runs it: previewed without an account, made with providers that play AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.bootstrap.document import Cloud
from tests.lastmile_sls.bootstrap.plans import ACCOUNTS, REGIONS
from tests.lastmile_sls.cli.test_clouds import Played
from tests.lastmile_sls.commands import Workspace

AWS = ("bootstrap", "--target", "aws", "--account", ACCOUNTS["aws"])


def test_a_preview_needs_no_cli_account_or_network(work: Workspace) -> None:
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(work.home), "COLUMNS": "80"}
    run = work.run(*AWS, "--region", "eu-west-1", "--preview", environ=environ)
    assert "+ create Export lastmile-focus" in run.stderr
    assert "previewed offline: nothing of this was asked of the cloud" in run.stderr
    for heading in ("what it makes, and what that costs", "what it will not do:", "what comes next:"):
        assert heading in run.stdout
    assert "  all of it, while nobody uses it: $0.00 a month" in run.stdout


@pytest.mark.parametrize("target", ["gcp", "azure"])
def test_a_preview_as_a_document(work: Workspace, target: Cloud) -> None:
    where = ("--account", ACCOUNTS[target], "--region", REGIONS[target])
    document = work.json("bootstrap", "--target", target, *where, "--kms", "--preview")
    assert document["changes"]["create"] == len(document["steps"])
    assert {"state", "billing", "key"} <= {cost["part"] for cost in document["costs"]}
    assert all(cost["source"].startswith("https://") for cost in document["costs"])
    assert document["will_not"]
    assert document["by_hand"]
    assert document["plan"]["asked"]["kms"] is True
    folder = Path(document["project"])
    assert folder == work.home / "bootstrap" / f"{target}-{ACCOUNTS[target]}"
    made = {path.name for path in folder.iterdir()} - {"__pycache__"}  # which Python leaves where it may
    assert sorted(made) == ["Pulumi.yaml", "__main__.py", "plan.json"]


def test_what_is_missing_is_told_before_anything_is_written(work: Workspace) -> None:
    assert "--region is missing: the state must lie somewhere." in work.fails(*AWS, "--preview")
    told = work.fails(*AWS, "--region", "eu-west-1", "--preview", "--destroy")
    assert "--preview, --move-state and --destroy exclude each other." in told
    run = work.run(*AWS, "--region", "eu-west-1", "--yes", check=False, environ={"PATH": "/usr/bin:/bin"})
    assert (run.returncode, "the Pulumi CLI is not on PATH." in run.stderr) == (1, True)
    assert not (work.home / "bootstrap").exists()


@pytest.mark.pulumi_cli
def test_an_account_is_bootstrapped_and_left(work: Workspace) -> None:
    played = Played(work)
    made = played.run(*AWS, "--region", "eu-west-1", "--yes")
    assert "Export lastmile-focus created" in made.stderr
    assert "  state: s3://lastmile-state-123456789012-eu-west-1?region=eu-west-1" in made.stdout
    assert made.stdout.count("what it will not do:") == 1
    assert "lastmile bootstrap --target aws --account 123456789012 --activate-tags" in made.stdout
    told = played.run(*AWS, "--destroy", "--yes")
    assert "will be deleted: Export" in told.stderr
    assert "is kept: Bucket lastmile-state-123456789012-eu-west-1" in told.stderr
    assert "with --data" not in told.stderr
    gone = played.run(*AWS, "--destroy", "--yes", check=False)
    assert "there is no stack aws-123456789012 of lastmile-bootstrap: nothing to destroy." in gone.stderr
