"""What an AWS account shares is carried out on moto: it holds together, changes nothing twice, and its data outlives it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError

from lastmile_sls.program.write import write_bootstrap
from tests.clouds.stacks import read_golden
from tests.conformance.aws import billing
from tests.conformance.aws.account import Account, moto_account
from tests.conformance.aws.carry_out import World
from tests.conformance.aws.judge import findings
from tests.conformance.aws.requests import Inputs
from tests.lastmile_infra.bootstrap.test_stacks import GOLDEN
from tests.lastmile_sls.bootstrap.plans import EVERYTHING, bootstrap_plan

pytestmark = pytest.mark.conformance
KEPT = [
    "ecr lastmile",
    "s3 lastmile-billing-123456789012-eu-west-1",
    "s3 lastmile-state-123456789012-eu-west-1",
]


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with moto_account() as account:
        yield account


def world_of(account: Account, folder: Path, **given: Any) -> World:
    plan = bootstrap_plan("aws", **given)
    return World(account, write_bootstrap(plan, folder / "project"), folder / "stacks")


def test_an_account_is_bootstrapped_in_two_runs_and_left(account: Account, tmp_path: Path) -> None:
    world = world_of(account, tmp_path, kms=True)
    world.up()
    assert findings(world.record) == []
    assert [line for line in account.inventory() if line[:3] != "kms"] == KEPT

    write_bootstrap(bootstrap_plan("aws", **EVERYTHING["aws"]), world.program.folder)
    outputs = world.up().outputs
    assert outputs["state"] == "s3://lastmile-state-123456789012-eu-west-1?region=eu-west-1"
    assert {line.split()[1].rpartition(":")[2] for line in world.done()} == {
        "CostAllocationTag",
        "AnomalyMonitor",
        "AnomalySubscription",
    }
    world.up()
    assert world.done() == []

    world.destroy()
    assert [line for line in account.inventory() if line[:3] != "kms"] == KEPT
    (key,) = (line.split()[1] for line in account.inventory() if line[:3] == "kms")
    assert account.call("kms", "describe_key", KeyId="alias/lastmile-pulumi")["KeyMetadata"]["KeyId"] == key


def test_an_export_that_aws_would_refuse_is_refused(account: Account) -> None:
    (export,) = (r for r in read_golden(GOLDEN / "aws.json") if r.type == "aws:bcmdata/export:Export")
    wrong = {**export.inputs["export"], "name": ""}
    with pytest.raises(ParamValidationError, match=r"Invalid length for parameter Export\.Name"):
        billing.KINDS[export.type].make(
            account, Inputs("focus", {"export": wrong}, Path()), {"model": "shared"}
        )
