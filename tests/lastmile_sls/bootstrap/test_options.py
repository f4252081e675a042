from __future__ import annotations

from typing import Any

import pytest

from lastmile_sls.bootstrap.options import stack_of, wanted
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bootstrap.plans import ACCOUNTS, bootstrap_plan

ACCOUNT = ACCOUNTS["aws"]


def test_what_is_left_out_is_as_the_last_run_had_it_and_as_the_cloud_has_it_before() -> None:
    first = wanted("aws", ACCOUNT, "eu-west-1", None, {"kms": None, "owner": None}, None)
    assert (first.stack, first.region) == ("aws-123456789012", "eu-west-1")
    assert first.asked == {
        "owner": "platform",
        "cost_center": "shared",
        "billing": True,
        "registry": True,
        "kms": False,
        "activate_tags": False,
        "inherit_tags": False,
        "notify": [],
    }
    last = bootstrap_plan("aws", kms=True, owner="data")
    again = wanted("aws", ACCOUNT, None, None, {"kms": None, "owner": "ml", "registry": False}, last)
    assert again.region == "eu-west-1"
    assert (again.asked["kms"], again.asked["owner"], again.asked["registry"]) == (True, "ml", False)


def test_what_costs_while_nobody_uses_it_is_off_on_azure() -> None:
    asked = wanted("azure", ACCOUNTS["azure"], "westeurope", None, {}, None).asked
    assert (asked["registry"], asked["inherit_tags"]) == (False, True)
    assert stack_of("azure", "ABCDEF00-0000-4000-8000-000000000001").startswith("azure-abcdef00-")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"region": None}, "--region is missing: the state must lie somewhere."),
        ({"account": "acme"}, "--account is 'acme', but must be an AWS account's twelve digits."),
        ({"region": "europe"}, "--region is 'europe', but must be a region such as eu-west-1."),
        (
            {"region": "cn-north-1"},
            "--region is 'cn-north-1', but AWS exports bills from us-east-1, for its own partition alone.",
        ),
        (
            {"stack": "../x"},
            "--stack is '../x', but Pulumi takes letters, digits, and _ . - after the first, at most 100.",
        ),
        ({"given": {"notify": ["me"]}}, "--notify is 'me', but must be an e-mail address."),
        (
            {"given": {"inherit_tags": True}},
            "--inherit-tags is not for aws: Azure alone can give charges the tags of their resource group.",
        ),
        (
            {
                "target": "gcp",
                "account": "a-project",
                "region": "europe-west1",
                "given": {"activate_tags": True},
            },
            "--activate-tags is not for gcp: AWS alone has tags that must be activated before a bill tells them apart.",
        ),
        (
            {"given": {"owner": "É" * 11}},
            (
                f"--owner is {'É' * 11!r}, which takes 66 characters as a tag, but clouds allow 1 to 63 "
                "(a capital or special character takes three)."
            ),
        ),
    ],
)
def test_what_cannot_be_asked(changes: dict[str, Any], message: str) -> None:
    whole: dict[str, Any] = {
        "target": "aws",
        "account": ACCOUNT,
        "region": "eu-west-1",
        "stack": None,
        "given": {},
        "last": None,
        **changes,
    }
    with pytest.raises(LastmileError) as caught:
        wanted(**whole)
    assert caught.value.message == message
