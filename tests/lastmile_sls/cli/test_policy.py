"""The policy as a user types it: rules, schema, pack, check, and what preview and up make of it."""

from __future__ import annotations

import json

import pytest

from lastmile_sls.policy.rules import RULES
from tests.lastmile_sls.cli.test_clouds import AWS, Played
from tests.lastmile_sls.commands import Workspace

STRICT = "functions: {max_memory_mb: 256}\nlogs: {max_days: 7}\nrules: {log-retention: advisory}\n"
MEMORY = (
    "memory: Function doubler-dev-predict: memorySize is 512 MB; at most 256 MB are allowed. "
    "Lower resources.memory_mb."
)
LOGS = "log-retention: LogGroup doubler-dev-predict-logs: retentionInDays is 30; 1 to 7 days are allowed."


def test_a_preview_says_what_up_would_refuse(work: Workspace) -> None:
    work.write_spec(**AWS)
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(work.home)}
    policy = work.folder / "lastmile.policy.yaml"
    policy.write_text(STRICT)
    run = work.run("preview", "--target", "aws", environ=environ, check=False)
    assert run.returncode == 1
    assert "+ create Function doubler-dev-predict" in run.stderr
    assert f"  ! {LOGS} Set operations.log_retention_days." in run.stderr
    assert (
        f"error: there is one thing that breaks the policy of {policy}; nothing was deployed.\n  {MEMORY}\n"
        "hint: What each rule demands: lastmile policy rules\n"
    ) in run.stderr

    checked = work.run("policy", "check", "--target", "aws", "--json", environ=environ, check=False)
    assert checked.returncode == 1
    document = json.loads(checked.stdout)
    assert (document["file"], document["kept"]) == (str(policy), False)
    broken = [v for v in document["verdicts"] if v["severity"] == "mandatory" and v["outcome"] == "violation"]
    assert broken == [
        {
            "rule": "memory",
            "severity": "mandatory",
            "outcome": "violation",
            "type": "aws:lambda/function:Function",
            "name": "doubler-dev-predict",
            "problem": "memorySize is 512 MB; at most 256 MB are allowed.",
            "fix": "Lower resources.memory_mb.",
        }
    ]
    shown = work.run("preview", "--target", "aws", "--json", environ=environ, check=False)
    assert shown.returncode == 1
    assert json.loads(shown.stdout)["policy"] == document

    policy.unlink()
    without = work.run("preview", "--target", "aws", "--json", environ=environ)
    assert "policy" not in json.loads(without.stdout)


@pytest.mark.pulumi_cli
def test_up_refuses_before_anything_is_made(work: Workspace) -> None:
    work.write_spec(**AWS)
    played = Played(work)
    (work.folder / "strict.yaml").write_text(STRICT)
    refused = played.run("up", "--target", "aws", "--policy", "strict.yaml", check=False)
    assert refused.returncode == 1
    assert f"  {MEMORY}\n" in refused.stderr
    assert "created" not in refused.stderr
    assert not (work.home / "world" / "calls.jsonl").exists()
    assert not (work.home / "pulumi").exists()


def test_rules_schema_and_pack(work: Workspace) -> None:
    (work.folder / "lastmile.policy.yaml").write_text("rules: {memory: advisory, tls: off}")
    listed = work.json("policy", "rules")
    assert [rule["rule"] for rule in listed] == [rule.id for rule in RULES]
    weights = {rule["rule"]: rule["severity"] for rule in listed}
    assert (weights["memory"], weights["tls"], weights["tags"]) == ("advisory", "off", "mandatory")
    told = work.run("policy", "rules").stdout
    assert "memory (advisory): No instance of a function has more memory than is allowed.\n" in told
    assert "    Lower resources.memory_mb.\n" in told
    assert json.loads(work.run("policy", "schema").stdout)["title"] == "lastmile.policy.yaml"
    written = work.run("policy", "pack")
    assert written.stdout == "policy-pack\n"
    assert "set it up once: cd policy-pack && pulumi install" in written.stderr
    assert (work.folder / "policy-pack" / "lastmile.policy.yaml").read_text().startswith("rules:")
    work.write_spec()
    assert "target is local, but every rule is on what is made in a cloud." in work.fails("policy", "check")
