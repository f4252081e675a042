"""Holding a project to the user's policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.cli.verdicts import show_verdicts
from lastmile_sls.compliance import find_policy, policy_or_defaults, require, require_cloud, resources_of
from lastmile_sls.engine.interface import UNKNOWN, Event, Secret
from lastmile_sls.errors import LastmileError
from lastmile_sls.policy import resource
from lastmile_sls.policy.parameters import Parameters
from lastmile_sls.policy.rule import Severity
from lastmile_sls.policy.verdict import Outcome, Verdict


def test_the_policy_lies_beside_the_spec_or_is_named(tmp_path: Path) -> None:
    spec, beside = tmp_path / "lastmile.yaml", tmp_path / "lastmile.policy.yaml"
    assert find_policy(None, spec) is None
    assert policy_or_defaults(None, spec).parameters == Parameters()
    beside.write_text("functions: {max_memory_mb: 512}")
    found = find_policy(None, spec)
    assert found is not None
    assert (found.path, found.parameters.functions.max_memory_mb) == (beside, 512)
    assert find_policy(tmp_path, tmp_path / "elsewhere" / "lastmile.yaml") == found
    with pytest.raises(LastmileError, match=r"no\.yaml cannot be read"):
        find_policy(tmp_path / "no.yaml", spec)


def test_resources_are_seen_through_their_secrets() -> None:
    steps = [
        Event("log", message="hello"),
        Event("planned", "delete", "aws:s3/bucket:Bucket", "old", "urn:old"),
        Event(
            "planned",
            "create",
            "azure-native:storage/v20240101:Queue",
            "jobs",
            "urn:jobs",
            inputs={"a": Secret({"b": [UNKNOWN, 1]}), "__defaults": []},
        ),
    ]
    (seen,) = resources_of(steps)
    assert (seen.type, seen.name, seen.urn) == ("azure-native:storage:Queue", "jobs", "urn:jobs")
    assert seen.inputs == {"a": {"b": [resource.UNKNOWN, 1]}}


def verdict(severity: Severity, outcome: Outcome) -> Verdict:
    return Verdict(
        rule="memory",
        severity=severity,
        outcome=outcome,
        type="aws:lambda/function:Function",
        name="predict",
        urn="urn:predict",
        problem="it is large.",
        fix="Shrink it.",
    )


def test_what_is_mandatory_stops(tmp_path: Path) -> None:
    policy = policy_or_defaults(None, tmp_path / "lastmile.yaml")
    require([verdict("advisory", "violation"), verdict("mandatory", "unknown")], policy)
    with pytest.raises(LastmileError) as caught:
        require([verdict("mandatory", "violation"), verdict("advisory", "violation")], policy)
    assert caught.value.message == (
        "there is one thing that breaks the policy of the defaults; nothing was deployed.\n"
        "  memory: Function predict: it is large. Shrink it."
    )
    assert caught.value.hint == "What each rule demands: lastmile policy rules"
    with pytest.raises(LastmileError, match="there are 2 things that break the policy"):
        require([verdict("mandatory", "violation")] * 2, policy)


def test_no_rule_says_anything_of_this_machine() -> None:
    require_cloud("aws")
    with pytest.raises(LastmileError, match="target is local, but every rule is on what is made in a cloud"):
        require_cloud("local")


def test_what_is_advised_and_what_is_not_known_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = policy_or_defaults(None, tmp_path / "lastmile.yaml")
    show_verdicts(
        [
            verdict("advisory", "violation"),
            verdict("mandatory", "violation"),
            *[verdict("mandatory", "unknown")] * 2,
        ],
        policy,
    )
    assert capsys.readouterr().err == (
        "  ! memory: Function predict: it is large. Shrink it.\n"
        "what the policy demands of these is known only after creation:\n"
        "  ? memory: Function predict, Function predict\n"
    )
    show_verdicts([], policy)
    assert capsys.readouterr().err == "the policy of the defaults is kept\n"
