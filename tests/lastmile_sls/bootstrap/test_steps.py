from __future__ import annotations

import shlex

import pytest

from lastmile_sls.bootstrap.document import Cloud
from lastmile_sls.bootstrap.steps import next_steps
from tests.lastmile_sls.bootstrap.plans import EVERYTHING, bootstrap_plan


@pytest.mark.parametrize("target", ["aws", "gcp", "azure"])
def test_every_command_is_one_that_a_shell_reads(target: Cloud) -> None:
    plan = bootstrap_plan(target, **EVERYTHING[target])
    steps = dict(next_steps(plan))
    assert steps["Keep every deployment's state there:"] == (
        f"export PULUMI_BACKEND_URL='{plan['state']['url']}'",
    )
    for commands in steps.values():
        for command in commands:
            assert len(shlex.split(command)) > 1
    assert plan["key"]
    (init,) = next(commands for why, commands in steps.items() if why.startswith("Encrypt"))
    assert init == f"pulumi stack init STACK --secrets-provider '{plan['key']['url']}'"


def test_without_a_key_there_is_a_passphrase() -> None:
    steps = dict(next_steps(bootstrap_plan("azure")))
    assert ("export PULUMI_CONFIG_PASSPHRASE='...'",) in steps.values()
    assert "Sign in to the registry:" not in steps


def test_what_is_done_already_is_not_told() -> None:
    first = [why for why, _ in next_steps(bootstrap_plan("aws"))]
    assert first[-2:] == [
        "Move this stack's own state there too:",
        "In 24 hours, when AWS has seen the tags:",
    ]
    done = {**bootstrap_plan("aws", activate_tags=True), "backend": "s3://x"}
    told = [why for why, _ in next_steps(done)]  # type: ignore[arg-type]  # a plan with one value changed
    assert not {*first[-2:]} & {*told}
