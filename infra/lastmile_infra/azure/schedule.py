"""The schedule on Azure: a timer trigger of the router's function, which the setting LASTMILE_SCHEDULE turns on."""

from __future__ import annotations

import pulumi

from lastmile_infra.azure.function import App
from lastmile_sls.plan.document import SchedulePlan

_FUNCTION = "scheduled"
"""As `lastmile_runtime.adapters.azure` names it."""


def schedule_of(plan: SchedulePlan | None, router: App) -> pulumi.Output[str] | None:
    """Return the resource id of the timer's function, None without a schedule: there is nothing to make.

    The plan's setting has the clock, and the host keeps the times of the last and the next run in its own storage, which
    it owns (learn.microsoft.com/azure/azure-functions/functions-bindings-timer, 2026-11-29).
    """
    return pulumi.Output.concat(router.id, "/functions/", _FUNCTION) if plan else None
