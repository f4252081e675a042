"""What each cloud can carry of operations and budgets. Pure."""

from __future__ import annotations

from lastmile_sls.plan.document import Target
from lastmile_sls.spec.model import Spec
from lastmile_sls.targets.limits import limit_of
from lastmile_sls.targets.refusal import Refusal, missing
from lastmile_sls.targets.rules import nearest_allowed

_BUDGET_UNIT = "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Spend.html"
_LOGS: dict[Target, str] = {"aws": "CloudWatch", "gcp": "Cloud Logging", "azure": "Azure Monitor"}


def refusals(target: Target, spec: Spec) -> list[Refusal]:
    """Return what a cloud cannot carry of the spec's operations and budget."""
    return [*_operations(target, spec), *_budget(target, spec)]


def _operations(target: Target, spec: Spec) -> list[Refusal]:
    if spec.operations is None:
        return []
    days = spec.operations.log_retention_days
    return nearest_allowed(target, "log retention", "operations.log_retention_days", days, _LOGS[target])


def _budget(target: Target, spec: Spec) -> list[Refusal]:
    budget = spec.budget
    if budget is None:
        return []
    found: list[Refusal] = []
    if target == "gcp" and spec.targets.gcp.billing_account is None:
        rule = "Google Cloud's budgets belong to a billing account"
        found.append(
            missing("targets.gcp.billing_account", rule, "Add its id: gcloud billing accounts list.")
        )
    if target == "aws" and budget.currency != "USD":
        rule = f"AWS bills, and counts budgets, in USD ({_BUDGET_UNIT})"
        found.append(Refusal("budget.currency", budget.currency, rule, "Write USD, and the limit in it."))
    limit = limit_of(target, "budget alerts")
    alerts = (*budget.alerts_percent, *budget.forecast_percent)
    if limit is not None and not limit.allows(len(alerts)):
        rule = f"with forecast_percent there are {len(alerts)} alerts, and a budget has {limit.allowed} ({limit.stated})"
        found.append(Refusal("budget.alerts_percent", list(budget.alerts_percent), rule, "Name fewer."))
    return [*found, *_alerted(target, spec)]


def _alerted(target: Target, spec: Spec) -> list[Refusal]:
    """Refuse more addresses than a budget tells."""
    limit, addresses = limit_of(target, "budget addresses"), spec.alerted()
    if limit is None or limit.allows(len(addresses)):
        return []
    rule = f"a budget tells {limit.allowed} ({limit.stated})"
    change = "Name fewer, or an address of a list of people."
    return [Refusal("budget.notify", list(addresses), rule, change)]
