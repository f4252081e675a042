"""Who is told of what: a topic with its addresses, the alarms, and the dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from lastmile_infra.aws import dashboard, metrics, resource_policies
from lastmile_infra.aws.dashboard import router_of
from lastmile_infra.aws.metrics import Metric
from lastmile_infra.aws.policies import Place
from lastmile_infra.aws.scope import Scope
from lastmile_sls.plan.document import AlarmPlan, OperationsPlan, Plan

_KEY_GOES_AFTER_DAYS = 7
"""The fewest; it costs nothing meanwhile (docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html, 2026-11-29)."""
_P95 = "p95"


@dataclass(frozen=True)
class Operations:
    """What watches a deployment."""

    alarms: Mapping[str, pulumi.Output[str]]
    """Each alarm's name by its signal."""
    dashboard: pulumi.Output[str] | None
    """Its address."""


def make_operations(scope: Scope, plan: Plan, operations: OperationsPlan) -> Operations:
    """Make the topic, the alarms and the dashboard. Raises ValueError for a signal that AWS does not have."""
    topic = _make_topic(scope, operations)
    alarms: dict[str, pulumi.Output[str]] = {
        alarm["signal"]: _make_alarm(scope, plan, alarm, topic) for alarm in operations["alarms"]
    }
    name = operations["dashboard"]
    return Operations(alarms, _make_dashboard(scope, plan, name) if name else None)


def _make_topic(scope: Scope, plan: OperationsPlan) -> aws.sns.Topic:
    """Make what alarms go through, encrypted with a key of its own; each address has to confirm that it wants them."""
    name, alarms = f"{scope.name}-alarms", [alarm["resource"] for alarm in plan["alarms"]]
    key = aws.kms.Key(
        f"{name}-key",
        description=f"What alarms say on their way through {plan['resource']}.",
        enable_key_rotation=True,
        deletion_window_in_days=_KEY_GOES_AFTER_DAYS,
        policy=scope.policy(lambda place: resource_policies.key_policy(place, alarms)),
        tags=scope.tags,
        opts=scope.opts,
    )
    topic = aws.sns.Topic(
        name, name=plan["resource"], kms_master_key_id=key.arn, tags=scope.tags, opts=scope.opts
    )
    aws.sns.TopicPolicy(
        f"{name}-policy",
        arn=topic.arn,
        policy=scope.policy(lambda place: resource_policies.topic_policy(place, plan["resource"], alarms)),
        opts=scope.opts,
    )
    for address in plan["notify"]:
        aws.sns.TopicSubscription(
            f"{name}-{address}", topic=topic.arn, protocol="email", endpoint=address, opts=scope.opts
        )
    return topic


def _make_alarm(scope: Scope, plan: Plan, alarm: AlarmPlan, topic: aws.sns.Topic) -> pulumi.Output[str]:
    made = aws.cloudwatch.MetricAlarm(
        f"{scope.name}-{alarm['signal']}",
        name=alarm["resource"],
        alarm_description=alarm["description"],
        comparison_operator="GreaterThanOrEqualToThreshold",
        threshold=alarm["threshold"],
        evaluation_periods=1,
        treat_missing_data="notBreaching",
        alarm_actions=[topic.arn],
        ok_actions=[topic.arn],
        **_watched(plan, alarm),
        tags=scope.tags,
        opts=scope.opts,
    )
    name: pulumi.Output[str] = made.name
    return name


def _watched(plan: Plan, alarm: AlarmPlan) -> dict[str, Any]:
    """Return what an alarm looks at. Raises ValueError."""
    router, queue, window_s = router_of(plan), plan["queue"], alarm["window_s"]
    match alarm["signal"]:
        case "errors":
            return _made_of(metrics.errors(router), metrics.PERCENT_OF_ERRORS, "% of the answers", window_s)
        case "latency":
            return _metric(metrics.latency(router, _P95), window_s)
        case "throttles":
            each = [metrics.throttles(function["resource"]) for function in plan["functions"]]
            if len(each) == 1:
                return _metric(each[0], window_s)
            named = {f"f{number}": metric for number, metric in enumerate(each)}
            return _made_of(named, metrics.total(list(named)), "refused", window_s)
        case "queue-age" if queue:
            return _metric(metrics.oldest(queue["resource"]), window_s)
        case "dead-letters" if queue:
            return _metric(metrics.waiting(queue["dead_letters"]), window_s)
        case other:
            raise ValueError(f"an alarm's signal is {other!r}, which this deployment to AWS does not have.")


def _metric(metric: Metric, window_s: int) -> dict[str, Any]:
    percentile = metric.statistic.startswith("p")
    return {
        "namespace": metric.namespace,
        "metric_name": metric.name,
        "dimensions": dict(metric.dimensions),
        "extended_statistic" if percentile else "statistic": metric.statistic,
        "period": window_s,
    }


def _made_of(named: Mapping[str, Metric], expression: str, label: str, window_s: int) -> dict[str, Any]:
    query, inner = aws.cloudwatch.MetricAlarmMetricQueryArgs, aws.cloudwatch.MetricAlarmMetricQueryMetricArgs
    queries = [query(id="watched", expression=expression, label=label, return_data=True)]
    for id_, metric in named.items():
        told = inner(
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=dict(metric.dimensions),
            stat=metric.statistic,
            period=window_s,
        )
        queries.append(query(id=id_, metric=told))
    return {"metric_queries": queries}


def _make_dashboard(scope: Scope, plan: Plan, name: str) -> pulumi.Output[str] | None:
    made = aws.cloudwatch.Dashboard(
        f"{scope.name}-dashboard",
        dashboard_name=name,
        dashboard_body=dashboard.body(plan, scope.region),
        opts=scope.opts,
    )
    address = dashboard.address(Place(scope.region, "").partition, scope.region, name)
    return made.dashboard_arn.apply(lambda _: address) if address else None
