from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pytest

from tests.lastmile_infra.aws.recorded import ACCOUNT, provisioned, provisioned_plan
from tests.lastmile_infra.plans import plan_of, spec_of

ANOTHER = "999999999999"


def test_a_provider_of_the_plans_place(tmp_path: Path) -> None:
    run = provisioned(spec_of(), tmp_path)
    provider = run.one("aws", "churn-dev-aws")
    assert provider.type == "pulumi:providers:aws"
    assert provider.inputs["region"] == "eu-west-1"
    assert "allowedAccountIds" not in provider.inputs
    assert run.calls == ["aws:index/getCallerIdentity:getCallerIdentity"]
    made = [r for r in run.resources if r.type.startswith("aws:")]
    assert made
    assert {r.request.provider.rpartition("::")[0] for r in made} == {
        "urn:pulumi:dev-aws::churn::lastmile:index:Deployment$pulumi:providers:aws::churn-dev-aws"
    }
    assert not run.one("Key").request.provider


def test_an_account_is_refused_any_other_and_asked_for_nothing(tmp_path: Path) -> None:
    run = provisioned(spec_of(targets={"aws": {"account": ANOTHER}}), tmp_path)
    assert json.loads(run.inputs("aws")["allowedAccountIds"]) == [ANOTHER]
    assert run.calls == []
    assert f":{ANOTHER}:log-group:" in run.inputs("RolePolicy")["policy"]


def test_a_providers_own_account(tmp_path: Path) -> None:
    assert f":{ACCOUNT}:log-group:" in provisioned(spec_of(), tmp_path).inputs("RolePolicy")["policy"]


def test_a_provider_that_the_users_program_brings(tmp_path: Path) -> None:
    def theirs() -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(providers=[aws.Provider("theirs", region="eu-west-1")])

    run = provisioned_plan(plan_of(spec_of(), "aws"), tmp_path, theirs)
    assert [r.name for r in run.all("aws")] == ["theirs"]
    assert {r.request.provider.split("::")[3] for r in run.resources if r.type.startswith("aws:")} == {
        "theirs"
    }


def test_a_plan_without_a_place(tmp_path: Path) -> None:
    plan = plan_of(spec_of(), "aws")
    plan["place"] = None
    with pytest.raises(ValueError, match=r"^the plan says no place, which a deployment to AWS needs\.$"):
        provisioned_plan(plan, tmp_path)
