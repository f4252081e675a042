"""What a plan says about who is told of what, and what a month may cost. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from lastmile_sls.plan.document import AlarmPlan, AlertPlan, BudgetPlan, OperationsPlan, Signal, Target
from lastmile_sls.plan.names import short
from lastmile_sls.spec.model import Spec

WINDOW_S = 300
_DEFAULT_LATENCY = 0.8
"""Of resources.timeout_s: later, the caller gets no answer at all."""
_LONGEST_NAME = 60
"""Azure's budget has the shortest, 63 (azure-mgmt-consumption, BudgetsOperations.create_or_update)."""


def operations_of(spec: Spec) -> OperationsPlan | None:
    """Return the alarms and the dashboard."""
    operations = spec.operations
    if operations is None:
        return None
    return OperationsPlan(
        resource=_resource(spec, "alarms"),
        notify=list(operations.notify),
        alarms=list(_alarms(spec)),
        dashboard=_resource(spec, "dashboard") if operations.dashboard else None,
    )


def _alarms(spec: Spec) -> Iterator[AlarmPlan]:
    assert spec.operations is not None
    alarms, minutes = spec.operations.alarms, WINDOW_S // 60
    latency = alarms.latency_p95_ms or round(spec.resources.timeout_s * 1000 * _DEFAULT_LATENCY)
    told: dict[Signal, tuple[float, str]] = {
        "errors": (
            alarms.errors_percent,
            f"{alarms.errors_percent:g} % or more of the answers in {minutes} minutes are errors of the server's.",
        ),
        "latency": (latency, f"One answer in twenty takes {latency} ms or longer."),
        "throttles": (
            alarms.throttles,
            f"{alarms.throttles} or more requests in {minutes} minutes were refused because there were too many.",
        ),
    }
    if spec.queue or spec.schedule:
        told["queue-age"] = (
            alarms.queue_age_s,
            f"A message of the queue has waited for {alarms.queue_age_s} s or longer.",
        )
        told["dead-letters"] = (
            alarms.dead_letters,
            f"{alarms.dead_letters} or more messages were set aside: lastmile queue peek, then lastmile queue redrive.",
        )
    for signal, (threshold, description) in told.items():
        yield AlarmPlan(
            signal=signal,
            resource=_resource(spec, signal),
            description=f"{spec.name} ({spec.environment}): {description}",
            threshold=float(threshold),
            window_s=WINDOW_S,
        )


def budget_of(target: Target, spec: Spec) -> BudgetPlan | None:
    """Return what a month may cost."""
    budget = spec.budget
    if budget is None:
        return None
    alerts = [
        *(AlertPlan(percent=percent, of="actual") for percent in sorted(budget.alerts_percent)),
        *(AlertPlan(percent=percent, of="forecast") for percent in sorted(budget.forecast_percent)),
    ]
    return BudgetPlan(
        resource=_resource(spec, "budget"),
        monthly_limit=f"{Decimal(str(budget.monthly_limit)).normalize():f}",
        currency=budget.currency,
        alerts=alerts,
        notify=list(spec.alerted()),
        billing_account=spec.targets.gcp.billing_account if target == "gcp" else None,
    )


def _resource(spec: Spec, name: str) -> str:
    return short(f"{spec.name}-{spec.environment}-{name}", _LONGEST_NAME)
