"""What a month may cost: a budget of the billing account, which sends alerts and stops nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from lastmile_infra.gcp.scope import Scope
from lastmile_sls.plan.document import AlertPlan, BudgetPlan

_BASES = {"actual": "CURRENT_SPEND", "forecast": "FORECASTED_SPEND"}


def make_budget(
    scope: Scope,
    plan: BudgetPlan,
    project: pulumi.Input[str],
    channels: Sequence[gcp.monitoring.NotificationChannel],
) -> None:
    """Make the budget of the model, in this project.

    A budget takes one label (the discovery document of billingbudgets v1, Filter.labels): the model's, so that all of the
    model's environments in the project share it.

    Args:
        scope: Whose model.
        plan: How much, and when somebody is told. Raises ValueError where it says no billing account.
        project: The deployment's, by its id.
        channels: Who is told; nobody else is.
    """
    if plan["billing_account"] is None:
        raise ValueError("budget.billing_account is None, but Google Cloud's budgets belong to one.")
    number = gcp.organizations.get_project_output(
        project_id=project,
        opts=pulumi.InvokeOutputOptions(
            parent=scope.opts.parent, provider=scope.opts.provider, depends_on=scope.opts.depends_on
        ),
    ).number
    units, nanos = amount_of(plan["monthly_limit"])
    gcp.billing.Budget(
        f"{scope.name}-budget",
        billing_account=plan["billing_account"],
        display_name=plan["resource"],
        amount=gcp.billing.BudgetAmountArgs(
            specified_amount=gcp.billing.BudgetAmountSpecifiedAmountArgs(
                currency_code=plan["currency"], units=units, nanos=nanos
            )
        ),
        budget_filter=gcp.billing.BudgetBudgetFilterArgs(
            projects=[pulumi.Output.concat("projects/", number)],
            labels={"model": scope.labels["model"]},
            calendar_period="MONTH",
        ),
        threshold_rules=[_rule(alert) for alert in plan["alerts"]],
        all_updates_rule=gcp.billing.BudgetAllUpdatesRuleArgs(
            monitoring_notification_channels=[channel.id for channel in channels],
            disable_default_iam_recipients=True,
        ),
        opts=scope.opts,
    )


def amount_of(limit: str) -> tuple[str, int]:
    """Return a decimal number as whole units and billionths (google.type.Money)."""
    units, _, fraction = limit.partition(".")
    return units, int(fraction.ljust(9, "0")[:9])


def _rule(alert: AlertPlan) -> gcp.billing.BudgetThresholdRuleArgs:
    return gcp.billing.BudgetThresholdRuleArgs(
        threshold_percent=alert["percent"] / 100, spend_basis=_BASES[alert["of"]]
    )
