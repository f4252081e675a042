"""What a month may cost: a budget of what the deployment's tags are on. It tells, and stops nothing."""

from __future__ import annotations

import pulumi_aws as aws

from lastmile_infra.aws.scope import Scope
from lastmile_sls.plan.document import AlertPlan, BudgetPlan

_KINDS = {"actual": "ACTUAL", "forecast": "FORECASTED"}
_OF_THE_DEPLOYMENT = ("model", "environment")
"""The tags that no other deployment has the same values of; they must be active as cost-allocation tags."""


def make_budget(scope: Scope, plan: BudgetPlan) -> None:
    """Make the budget with all of its alerts, each by e-mail."""
    filtered = [
        aws.budgets.BudgetFilterExpressionAndArgs(
            tags=aws.budgets.BudgetFilterExpressionAndTagsArgs(key=key, values=[scope.tags[key]])
        )
        for key in _OF_THE_DEPLOYMENT
    ]
    aws.budgets.Budget(
        f"{scope.name}-budget",
        name=plan["resource"],
        budget_type="COST",
        time_unit="MONTHLY",
        limit_amount=plan["monthly_limit"],
        limit_unit=plan["currency"],
        filter_expression=aws.budgets.BudgetFilterExpressionArgs(ands=filtered),
        metrics="UnblendedCost",  # what is billed for the usage itself, as it is used
        notifications=[_alert(alert, plan["notify"]) for alert in plan["alerts"]],
        tags=scope.tags,
        opts=scope.opts,
    )


def _alert(alert: AlertPlan, notify: list[str]) -> aws.budgets.BudgetNotificationArgs:
    return aws.budgets.BudgetNotificationArgs(
        comparison_operator="GREATER_THAN",
        notification_type=_KINDS[alert["of"]],
        threshold=alert["percent"],
        threshold_type="PERCENTAGE",
        subscriber_email_addresses=notify,
    )
