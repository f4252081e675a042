from __future__ import annotations

import re

import pytest

from lastmile_infra.azure.names import LONGEST_ACCOUNT, LONGEST_VAULT, letters, stem

LONGEST = "a" * 40 + "-" + "b" * 20
"""The longest deployment's name that a spec can have."""


@pytest.mark.parametrize("deployment", ["a-b", "churn-dev", LONGEST])
def test_an_accounts_name(deployment: str) -> None:
    names = {letters(deployment, LONGEST_ACCOUNT, end) + "0123abcd" for end in ("host", "data")}
    assert len(names) == 2
    assert all(re.fullmatch("[a-z0-9]{3,24}", name) for name in names)


@pytest.mark.parametrize("deployment", ["a-b", "churn-dev", LONGEST])
def test_a_vaults_name(deployment: str) -> None:
    name = stem(deployment, LONGEST_VAULT) + "0123abcd"
    assert re.fullmatch("[a-z](-?[a-z0-9]){2,23}", name)
    assert len(name) <= LONGEST_VAULT


def test_names_tell_themselves() -> None:
    assert letters("churn-dev", LONGEST_ACCOUNT, "host") == "churndevhost"
    assert stem("churn-dev", LONGEST_VAULT) == "churn-dev"
