"""What is asked of a bootstrap: the options, what they must look like, and those of the last run. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lastmile_sls.bootstrap.document import Asked, BootstrapPlan, Cloud
from lastmile_sls.errors import LastmileError
from lastmile_sls.spec.section import ACCOUNT, EMAIL, GOOGLE_REGION, GUID, LOCATION, PROJECT, REGION
from lastmile_sls.spec.tags import MAX_LENGTH, encode

_DEFAULT: Asked = {
    "owner": "platform",
    "cost_center": "shared",
    "billing": True,
    "registry": True,
    "kms": False,
    "activate_tags": False,
    "inherit_tags": False,
    "notify": [],
}
"""What is asked when nothing is said: all that costs nothing while it is not used."""
_OTHERWISE: Mapping[Cloud, Mapping[str, Any]] = {
    "aws": {},
    "gcp": {},
    "azure": {"registry": False, "inherit_tags": True},  # a registry costs as long as it is there
}
_ONLY: Mapping[str, tuple[Cloud, str]] = {
    "activate_tags": ("aws", "AWS alone has tags that must be activated before a bill tells them apart"),
    "inherit_tags": ("azure", "Azure alone can give charges the tags of their resource group"),
    "notify": ("aws", "only AWS has Cost Anomaly Detection as a resource; budgets are of a model's own spec"),
}
_ACCOUNTS: Mapping[Cloud, tuple[str, str]] = {
    "aws": (ACCOUNT, "an AWS account's twelve digits"),
    "gcp": (PROJECT, "a Google Cloud project's id, such as my-project-123"),
    "azure": (GUID, "a subscription's id, such as 00000000-0000-0000-0000-000000000000"),
}
_REGIONS: Mapping[Cloud, tuple[str, str]] = {
    "aws": (REGION, "a region such as eu-west-1"),
    "gcp": (GOOGLE_REGION, "a region such as europe-west1"),
    "azure": (LOCATION, "a location such as westeurope"),
}
_BILLED_ELSEWHERE = ("cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-")
"""AWS's partitions that Data Exports does not serve from us-east-1 (botocore 1.44, endpoints of bcm-data-exports)."""
_STACK = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}")


@dataclass(frozen=True)
class Wanted:
    """Where, and the options in full."""

    target: Cloud
    account: str
    region: str
    stack: str
    asked: Asked


def stack_of(target: Cloud, account: str) -> str:
    """Return the name of an account's stack."""
    return f"{target}-{account.lower()}"


def wanted(
    target: Cloud,
    account: str,
    region: str | None,
    stack: str | None,
    given: Mapping[str, Any],
    last: BootstrapPlan | None,
) -> Wanted:
    """Return the options: those given, else those of the last run, else the cloud's own.

    Args:
        target: The cloud.
        account: AWS's account, Google's project, Azure's subscription.
        region: Where; the last run's by default.
        stack: The stack's name; made of the account by default.
        given: The options that were given, by the names of `Asked`; None for one that was not.
        last: The plan of the last run.

    Raises LastmileError, which names the option, its value and the rule.
    """
    region = region or (last["region"] if last else None)
    if region is None:
        raise LastmileError("--region is missing: the state must lie somewhere.", _example(target, account))
    name = stack or stack_of(target, account)
    _check("--account", account, *_ACCOUNTS[target])
    _check("--region", region, *_REGIONS[target])
    if not _STACK.fullmatch(name):
        raise LastmileError(
            f"--stack is {name!r}, but Pulumi takes letters, digits, and _ . - after the first, at most 100."
        )
    if target == "aws" and region.startswith(_BILLED_ELSEWHERE):
        raise LastmileError(
            f"--region is {region!r}, but AWS exports bills from us-east-1, for its own partition alone.",
            "Bootstrap a region of the partition aws; another partition's accounts are billed apart.",
        )
    told = {option: value for option, value in given.items() if value is not None}
    _check_given(target, told)
    asked: Any = {**_DEFAULT, **_OTHERWISE[target], **(last["asked"] if last else {}), **told}
    return Wanted(target, account, region, name, asked)


def _check(option: str, value: str, pattern: str, rule: str) -> None:
    if not re.search(pattern, value):
        raise LastmileError(f"{option} is {value!r}, but must be {rule}.")


def _check_given(target: Cloud, given: Mapping[str, Any]) -> None:
    for option, (only, why) in _ONLY.items():
        if given.get(option) and target != only:
            raise LastmileError(f"--{option.replace('_', '-')} is not for {target}: {why}.", "Leave it out.")
    for address in given.get("notify", ()):
        _check("--notify", address, EMAIL, "an e-mail address")
    for option in ("owner", "cost_center"):
        value = given.get(option, "-")
        if not 0 < len(encode(value)) <= MAX_LENGTH:
            raise LastmileError(
                f"--{option.replace('_', '-')} is {value!r}, which takes {len(encode(value))} characters as a tag, "
                f"but clouds allow 1 to {MAX_LENGTH} (a capital or special character takes three)."
            )


def _example(target: Cloud, account: str) -> str:
    regions = {"aws": "eu-west-1", "gcp": "europe-west1", "azure": "westeurope"}
    return f"Name one: lastmile bootstrap --target {target} --account {account} --region {regions[target]}"
