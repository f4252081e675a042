"""Who is told of what on Azure: an action group, and an alert for each of the plan's signals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import monitor

from lastmile_infra.azure import events
from lastmile_infra.azure.events import Form
from lastmile_infra.azure.front_door import Guard
from lastmile_infra.azure.logs import Workspace
from lastmile_infra.azure.names import LONGEST_SHORT_NAME
from lastmile_infra.azure.scope import Scope
from lastmile_sls.plan.document import AlarmPlan, OperationsPlan
from lastmile_sls.plan.names import short

_SEVERITY = 2
"""Warning, of five (azure-mgmt-monitor, AlertSeverity)."""
_AT_LEAST = "GreaterThanOrEqual"
"""azure-mgmt-monitor, ConditionOperator. The SDK's own enum of that name is another one's, whose values are refused."""
_EVERY = "PT1M"
"""How often a metric is looked at."""
FRONT_DOOR, REQUESTS, STATUS, TOO_MANY = "Microsoft.Cdn/profiles", "RequestCount", "HttpStatus", "429"
"""Front Door's metric of what it answered, and its dimension
(learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-cdn-profiles-metrics, read 2026-11-29)."""


@dataclass(frozen=True)
class Watched:
    """What is watched."""

    workspace: Workspace
    form: Form
    """Of the functions."""
    router: pulumi.Output[str]
    """The name of the router's function in its log."""
    guard: Guard | None
    """What is in front of it."""
    dead_letters: str | None
    """The queue in which messages are set aside, if there is one."""


def make_alarms(scope: Scope, plan: OperationsPlan, watched: Watched) -> dict[str, pulumi.Output[str]]:
    """Make the alerts; return their ids by signal.

    All but one are queries over the runtime's own events, because Azure's metrics know neither a function's status codes on
    Flex Consumption nor one queue of an account, whose messages they count once an hour
    (learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-web-sites-metrics and
    .../microsoft-storage-storageaccounts-queueservices-metrics, read 2026-11-29). What comes late into the log is looked for
    again (learn.microsoft.com/azure/azure-monitor/alerts/alerts-troubleshoot-log, "Check the log ingestion latency").
    """
    group = _make_group(scope, plan)
    return {
        alarm["signal"]: _watch_metric(scope, alarm, watched.guard, group)
        if alarm["signal"] == "throttles" and watched.guard
        else _watch_log(scope, alarm, watched, group)
        for alarm in plan["alarms"]
    }


def _make_group(scope: Scope, plan: OperationsPlan) -> pulumi.Output[str]:
    """Make what notifications go through; return its id."""
    group = monitor.ActionGroup(
        f"{scope.name}-alarms",
        action_group_name=plan["resource"],
        group_short_name=short(scope.deployment, LONGEST_SHORT_NAME),
        enabled=True,
        email_receivers=[
            monitor.MicrosoftCommonEmailReceiverArgs(
                name=address, email_address=address, use_common_alert_schema=True
            )
            for address in plan["notify"]
        ],
        **scope.everywhere,
        opts=scope.opts,
    )
    id_: pulumi.Output[str] = group.id
    return id_


def _query(alarm: AlarmPlan, watched: Watched) -> pulumi.Output[str]:
    """Return the query for an alarm's number. Raises ValueError for a signal that nothing here can tell."""
    form = watched.form
    of_router: dict[str, Callable[[Form, str], str]] = {
        "errors": events.error_share,
        "latency": events.latency,
        "throttles": events.throttled,
    }
    match alarm["signal"]:
        case "errors" | "latency" | "throttles" as signal:
            query = of_router[signal]
            return watched.router.apply(lambda name: query(form, name))
        case "queue-age":
            return pulumi.Output.from_input(events.queue_age(form))
        case "dead-letters" if watched.dead_letters:
            return pulumi.Output.from_input(events.dead_letters(watched.dead_letters))
    raise ValueError(f"the plan has an alarm of {alarm['signal']!r}, but nothing that tells of it.")


def _watch_log(
    scope: Scope, alarm: AlarmPlan, watched: Watched, group: pulumi.Output[str]
) -> pulumi.Output[str]:
    condition = monitor.ConditionArgs(
        query=_query(alarm, watched),
        metric_measure_column="value",
        time_aggregation=monitor.TimeAggregation.MAXIMUM,
        operator=_AT_LEAST,
        threshold=alarm["threshold"],
        failing_periods=monitor.ConditionFailingPeriodsArgs(
            number_of_evaluation_periods=1, min_failing_periods_to_alert=1
        ),
    )
    window = f"PT{alarm['window_s'] // 60}M"
    rule = monitor.ScheduledQueryRule(
        f"{scope.name}-{alarm['signal']}",
        rule_name=alarm["resource"],
        display_name=alarm["resource"],
        description=alarm["description"],
        kind=monitor.Kind.LOG_ALERT,
        enabled=True,
        severity=_SEVERITY,
        scopes=[watched.workspace.id],
        window_size=window,
        evaluation_frequency=window,
        criteria=monitor.ScheduledQueryRuleCriteriaArgs(all_of=[condition]),
        auto_mitigate=True,
        # A new workspace may not have the table yet, which comes with its first row.
        skip_query_validation=True,
        actions=monitor.ActionsArgs(action_groups=[group]),
        **scope.here,
        opts=scope.opts,
    )
    id_: pulumi.Output[str] = rule.id
    return id_


def _watch_metric(
    scope: Scope, alarm: AlarmPlan, guard: Guard, group: pulumi.Output[str]
) -> pulumi.Output[str]:
    """Watch what Front Door answers, by itself or from behind: it is Front Door that refuses what is too much."""
    criteria = monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
        odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
        all_of=[
            monitor.MetricCriteriaArgs(
                criterion_type="StaticThresholdCriterion",
                name=alarm["signal"],
                metric_namespace=FRONT_DOOR,
                metric_name=REQUESTS,
                time_aggregation=monitor.AggregationTypeEnum.TOTAL,
                operator=monitor.Operator.GREATER_THAN_OR_EQUAL,
                threshold=alarm["threshold"],
                dimensions=[monitor.MetricDimensionArgs(name=STATUS, operator="Include", values=[TOO_MANY])],
            )
        ],
    )
    rule = monitor.MetricAlert(
        f"{scope.name}-{alarm['signal']}",
        rule_name=alarm["resource"],
        description=alarm["description"],
        enabled=True,
        severity=_SEVERITY,
        scopes=[guard.profile.id],
        window_size=f"PT{alarm['window_s'] // 60}M",
        evaluation_frequency=_EVERY,
        criteria=criteria,
        auto_mitigate=True,
        actions=[monitor.MetricAlertActionArgs(action_group_id=group)],
        **scope.everywhere,
        opts=scope.opts,
    )
    id_: pulumi.Output[str] = rule.id
    return id_
