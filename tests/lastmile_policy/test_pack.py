"""One planted violation per rule on each cloud, judged as `lastmile preview` does and by the pack under the real CLI."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.compliance import resources_of
from lastmile_sls.engine.interface import EngineError, Event, Program
from lastmile_sls.policy.rules import RULES
from lastmile_sls.policy.verdict import Verdict, judge
from tests.clouds.stacks import Stack
from tests.lastmile_policy.planted import CLOUDS, POLICY, parameters, planted
from tests.lastmile_policy.told import as_the_pack_tells, from_the_pack, pack_with

ONLY_ON_AWS = {"encrypted", "buckets-tls", "log-groups"}
NOT_BROKEN = {"aws": set[str](), "gcp": ONLY_ON_AWS, "azure": ONLY_ON_AWS | {"no-anonymous"}}
"""Rules that nothing in the programs can break there: the cloud itself sees to it."""
NOT_NAMED_FOR_IT = {("alarms", "planted-test")}


def verdicts_on(program: Program, home: Path) -> list[Verdict]:
    """Return the verdicts that `lastmile preview` comes to."""
    stack, steps = Stack("embedded", program, home), list[Event]()
    with stack._environment():
        stack.engine.preview(program, steps.append)
    return judge(resources_of(steps), parameters())


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_rule_finds_what_was_planted_for_it_and_nothing_else(cloud: str, tmp_path: Path) -> None:
    verdicts = verdicts_on(planted(cloud, tmp_path / "project"), tmp_path / "home")
    broken = {(v.rule, v.name) for v in verdicts if v.outcome == "violation"} - NOT_NAMED_FOR_IT
    assert all(name.startswith(f"breaks-{rule}") for rule, name in broken)
    assert {rule for rule, _ in broken} == {rule.id for rule in RULES} - NOT_BROKEN[cloud]
    assert {v.name for v in verdicts if v.outcome == "unknown"} == {"not-known-yet"}
    assert {v.severity for v in verdicts} == {"mandatory"}


@pytest.mark.pulumi_cli
@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_pack_under_the_cli_says_the_same_and_refuses(
    cloud: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = planted(cloud, tmp_path / "project")
    expected = as_the_pack_tells(verdicts_on(program, tmp_path / "embedded"))
    stack, said = Stack("pulumi", program, tmp_path / "cli"), list[tuple[str, str]]()
    monkeypatch.setenv("PULUMI_OPTION_POLICY_PACK", str(pack_with(tmp_path / "pack", POLICY)))
    with stack._environment(), pytest.raises(EngineError) as caught:
        stack.engine.preview(program, lambda event: said.append((event.urn, event.message)))
    assert from_the_pack(said) == expected
    refused = ", ".join(sorted({rule.id for rule in RULES} - NOT_BROKEN[cloud]))
    assert caught.value.message == f"the policy pack lastmile refuses it: {refused}."
