"""Plans of bootstraps, as options make them."""

from __future__ import annotations

from typing import Any

from lastmile_sls.bootstrap.document import BootstrapPlan, Cloud
from lastmile_sls.bootstrap.make import make_plan
from lastmile_sls.bootstrap.options import wanted

ACCOUNTS: dict[Cloud, str] = {
    "aws": "123456789012",
    "gcp": "a-project",
    "azure": "00000000-0000-4000-8000-000000000001",
}
REGIONS: dict[Cloud, str] = {"aws": "eu-west-1", "gcp": "europe-west1", "azure": "westeurope"}
EVERYTHING: dict[Cloud, dict[str, Any]] = {
    "aws": {"kms": True, "activate_tags": True, "notify": ["finops@example.com"]},
    "gcp": {"kms": True},
    "azure": {"kms": True, "registry": True},
}
"""The options with which everything is made that a cloud has."""


def bootstrap_plan(target: Cloud, region: str | None = None, **given: Any) -> BootstrapPlan:
    """Return a cloud's plan with these options."""
    return make_plan(wanted(target, ACCOUNTS[target], region or REGIONS[target], None, given, None))
