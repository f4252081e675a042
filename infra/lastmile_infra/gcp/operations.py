"""Who is told of what: channels of e-mail, metrics that are made of the log, alerting policies over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pulumi
import pulumi_gcp as gcp

from lastmile_infra.gcp.dashboard import make_dashboard
from lastmile_infra.gcp.logs import keep_logs
from lastmile_infra.gcp.metrics import LATENCY, REQUESTS, Measured, metric_of
from lastmile_infra.gcp.queue import PUSH_PATH
from lastmile_infra.gcp.scope import Scope
from lastmile_sls.plan.document import AlarmPlan, OperationsPlan, Plan

_EVALUATED_S = 60
"""A policy is asked so often; Cloud Run's and Pub/Sub's numbers come as often."""
_CLOSED_S = 1800
"""An incident is over when nothing was heard for so long, the least that Cloud Monitoring takes
(cloud.google.com/monitoring/alerts/concepts-indepth, "autoclose", unverified)."""
_FINEST_S, _GROWTH, _BUCKETS = 0.001, 1.2, 84
"""Of the distribution: each bucket is a fifth wider than the one before, from a millisecond to more than an hour, which
is Cloud Run's longest answer. A metric takes 200 buckets (cloud.google.com/logging/docs/logs-based-metrics, unverified)."""


def make_channels(scope: Scope, addresses: Iterable[str]) -> dict[str, gcp.monitoring.NotificationChannel]:
    """Make a channel to each address, by address."""
    return {
        address: gcp.monitoring.NotificationChannel(
            f"{scope.name}-tells-{address}",
            type="email",
            display_name=f"{scope.name}: {address}",
            labels={"email_address": address},
            user_labels=scope.labels,
            opts=scope.opts,
        )
        for address in addresses
    }


def oversee(
    scope: Scope,
    plan: Plan,
    operations: OperationsPlan,
    channels: Sequence[gcp.monitoring.NotificationChannel],
    account: gcp.serviceaccount.Account,
    balancer: pulumi.Output[str] | None,
) -> tuple[dict[str, pulumi.Output[str]], pulumi.Output[str] | None]:
    """Keep the log, measure, and make the alarms and the dashboard; return their names, and the address.

    Args:
        scope: Where, and with which labels.
        plan: Whose.
        operations: What is watched, and how.
        channels: Who is told.
        account: The functions' own.
        balancer: The load balancer's URL map, if there is one.
    """
    services = {function["name"]: function["resource"] for function in plan["functions"]}
    days = plan["functions"][0]["log_retention_days"]
    if days is not None:
        keep_logs(scope, plan["deployment"], list(services.values()), days, account)
    asked = services[plan["endpoint"]["function"]]
    metrics = make_metrics(scope, plan["deployment"], asked)
    queue = plan["queue"]

    def measure(url_map: str | None) -> Measured:
        return Measured(
            deployment=plan["deployment"],
            service=asked,
            services=list(services.values()),
            region=scope.region,
            window_s=max(alarm["window_s"] for alarm in operations["alarms"]),
            balancer=url_map,
            subscription=queue["resource"] if queue else None,
            dead_letters=queue["dead_letters"] if queue else None,
        )

    measured = pulumi.Output.from_input(balancer).apply(measure)
    alarms = make_alarms(scope, operations, measured, channels, metrics)
    name = operations["dashboard"]
    return alarms, make_dashboard(scope, name, operations["alarms"], measured) if name else None


def make_metrics(scope: Scope, deployment: str, service: str) -> list[gcp.logging.Metric]:
    """Have Cloud Logging count the endpoint's requests, and measure them (see `lastmile_infra.gcp.metrics`).

    Lines that a sink leaves out count as well, and each metric is charged for as a custom one
    (docs.cloud.google.com/logging/docs/logs-based-metrics, read 2026-11-29).
    """
    of = (
        f'resource.type="cloud_run_revision" AND resource.labels.location="{scope.region}" AND '
        f'resource.labels.service_name="{service}"'
    )
    return [_count(scope, deployment, of), _measure(scope, deployment, of)]


def _count(scope: Scope, deployment: str, of: str) -> gcp.logging.Metric:
    """Count what Cloud Run says of each request, whether the function answered it or not; pushes are none."""
    return gcp.logging.Metric(
        f"{scope.name}-{REQUESTS}",
        name=metric_of(deployment, REQUESTS),
        description=f"Requests of {deployment}, by the status of the answer.",
        filter=f'{of} AND log_id("run.googleapis.com/requests") AND NOT httpRequest.requestUrl:"{PUSH_PATH}"',
        label_extractors={"status": "EXTRACT(httpRequest.status)"},
        metric_descriptor=_descriptor("INT64", "1", "status", "The answer's status."),
        opts=scope.opts,
    )


def _measure(scope: Scope, deployment: str, of: str) -> gcp.logging.Metric:
    """Measure what the function itself says of each request (`lastmile_runtime.forms.cloud_logging`)."""
    return gcp.logging.Metric(
        f"{scope.name}-{LATENCY}",
        name=metric_of(deployment, LATENCY),
        description=f"How long the answers of {deployment} took, by version.",
        filter=f'{of} AND log_id("run.googleapis.com/stdout") AND jsonPayload."faas.trigger"="http"',
        value_extractor="EXTRACT(httpRequest.latency)",
        label_extractors={"version": "EXTRACT(jsonPayload.version)"},
        metric_descriptor=_descriptor("DISTRIBUTION", "s", "version", "The version that answered."),
        bucket_options=gcp.logging.MetricBucketOptionsArgs(
            exponential_buckets=gcp.logging.MetricBucketOptionsExponentialBucketsArgs(
                scale=_FINEST_S, growth_factor=_GROWTH, num_finite_buckets=_BUCKETS
            )
        ),
        opts=scope.opts,
    )


def _descriptor(
    value: str, unit: str, label: str, description: str
) -> gcp.logging.MetricMetricDescriptorArgs:
    named = gcp.logging.MetricMetricDescriptorLabelArgs(
        key=label, value_type="STRING", description=description
    )
    return gcp.logging.MetricMetricDescriptorArgs(
        metric_kind="DELTA", value_type=value, unit=unit, labels=[named]
    )


def make_alarms(
    scope: Scope,
    plan: OperationsPlan,
    measured: pulumi.Output[Measured],
    channels: Sequence[gcp.monitoring.NotificationChannel],
    metrics: Sequence[gcp.logging.Metric],
) -> dict[str, pulumi.Output[str]]:
    """Make an alerting policy of each alarm, and return their full names by signal.

    A condition in PromQL is at or above its threshold, which others cannot be (the discovery document of monitoring v3,
    MetricThreshold.comparison), and may ask for a metric that is new: one that is made of the log is there for others
    after up to ten minutes (github.com/hashicorp/terraform-provider-google/issues/11102).
    """
    return {
        alarm["signal"]: gcp.monitoring.AlertPolicy(
            f"{scope.name}-{alarm['signal']}",
            display_name=alarm["resource"],
            combiner="OR",
            conditions=[_condition(alarm, measured)],
            notification_channels=[channel.id for channel in channels],
            documentation=gcp.monitoring.AlertPolicyDocumentationArgs(
                content=alarm["description"], mime_type="text/markdown"
            ),
            alert_strategy=gcp.monitoring.AlertPolicyAlertStrategyArgs(auto_close=f"{_CLOSED_S}s"),
            user_labels=scope.labels,
            opts=scope.options(depends_on=list(metrics)),
        ).name
        for alarm in plan["alarms"]
    }


def _condition(
    alarm: AlarmPlan, measured: pulumi.Output[Measured]
) -> gcp.monitoring.AlertPolicyConditionArgs:
    return gcp.monitoring.AlertPolicyConditionArgs(
        display_name=alarm["signal"],
        condition_prometheus_query_language=gcp.monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgs(
            query=measured.apply(lambda found: query_of(alarm, found)),
            duration="0s",
            evaluation_interval=f"{_EVALUATED_S}s",
            disable_metric_validation=True,
        ),
    )


def query_of(alarm: AlarmPlan, measured: Measured) -> str:
    """Return when an alarm is raised, in PromQL."""
    measured = replace(measured, window_s=alarm["window_s"])
    match alarm["signal"]:
        case "errors":
            value = measured.errors()
        case "latency":
            value = measured.latency(0.95)
        case "throttles":
            value = measured.throttles()
        case "queue-age":
            value = measured.queue_age()
        case "dead-letters":
            value = measured.set_aside()
        case other:
            raise ValueError(f"the alarm's signal is {other!r}, of which nothing is measured.")
    return f"{value} >= {alarm['threshold']:.12g}"
