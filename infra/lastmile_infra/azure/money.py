"""What a month of a deployment may cost on Azure: a budget over its resource groups, and whom it tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pulumi
from pulumi_azure_native import consumption

from lastmile_infra.azure.scope import Scope
from lastmile_sls.plan.document import BudgetPlan

_TOLD_OF = {"actual": consumption.ThresholdType.ACTUAL, "forecast": consumption.ThresholdType.FORECASTED}


def make_budget(
    scope: Scope, plan: BudgetPlan, groups: Sequence[pulumi.Output[str]], today: date
) -> consumption.Budget:
    """Make the budget. It sends e-mails; it stops nothing.

    It counts what is in the resource groups, which are the deployment's alone, for not all that costs has tags
    (learn.microsoft.com/azure/cost-management-billing/costs/quick-acm-cost-analysis, "Group costs", 2026-11-29). The limit
    is in the currency that the subscription is billed in.

    Args:
        scope: Where.
        plan: How much, and whom it tells of what share.
        groups: The deployment's own resource groups, by name.
        today: A new budget must begin in the current month, one that is there keeps its beginning (azure-mgmt-consumption,
            Budget, time_period).
    """
    return consumption.Budget(
        f"{scope.name}-budget",
        budget_name=plan["resource"],
        scope=pulumi.Output.concat("/subscriptions/", scope.subscription),
        category=consumption.CategoryType.COST,
        amount=float(plan["monthly_limit"]),
        time_grain=consumption.TimeGrainType.MONTHLY,
        time_period=consumption.BudgetTimePeriodArgs(start_date=f"{today:%Y-%m}-01T00:00:00Z"),
        filter=consumption.BudgetFilterArgs(
            dimensions=consumption.BudgetComparisonExpressionArgs(
                name="ResourceGroupName",
                operator=consumption.BudgetOperatorType.IN_,
                values=list(groups),
            )
        ),
        notifications={
            _key(alert["of"], alert["percent"]): consumption.NotificationArgs(
                enabled=True,
                operator=consumption.OperatorType.GREATER_THAN_OR_EQUAL_TO,
                threshold=alert["percent"],
                threshold_type=_TOLD_OF[alert["of"]],
                contact_emails=plan["notify"],
            )
            for alert in plan["alerts"]
        },
        opts=pulumi.ResourceOptions.merge(scope.opts, pulumi.ResourceOptions(ignore_changes=["timePeriod"])),
    )


def _key(of: str, percent: float) -> str:
    """Return an alert's name, which no two have: `actual_62_5`."""
    return f"{of}_{percent:g}".replace(".", "_")
