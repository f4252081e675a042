"""Where a bootstrap makes things, as deployments say it."""

from __future__ import annotations

from lastmile_sls.bootstrap.document import BootstrapPlan
from lastmile_sls.plan.document import PlacePlan


def place_of(plan: BootstrapPlan) -> PlacePlan:
    """Return the account and the region; nothing was there before."""
    return {
        "account": plan["account"],
        "region": plan["region"],
        "resource_group": None,
        "vault": None,
        "tenant": None,
        "application": None,
    }
