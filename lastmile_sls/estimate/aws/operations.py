"""CloudWatch, KMS and Secrets Manager: logs, metrics, alarms, the dashboard, keys and secrets. Pure.

aws.amazon.com/cloudwatch/pricing (quoted 2026-08-08): a custom metric is one combination of name and dimensions, "prorated
by the hour and charges are incurred only when metrics are sent"; an alarm is billed by the metrics that it watches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from lastmile_sls.estimate.aws.functions import invocations
from lastmile_sls.estimate.aws.units import KB
from lastmile_sls.estimate.document import HOURS, NOTHING, WHOLE, Component, FunctionLoad, Work
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import DAYS, ByVersion, count, times, total
from lastmile_sls.policy.resource import Resource, at, items

_GROUPS = "/aws/lambda/"
_ALWAYS, _AGE, _COLD = 2, 1, 2
"""What a function writes, by combination of dimensions: duration_ms and faas.errors; of messages queue_age_s; of cold starts
faas.coldstarts and faas.init_duration (`lastmile_runtime.forms.emf`)."""


def log_group(resource: Resource, month: Month) -> list[Component]:
    """Price a function's log: what is taken in, what is kept, and the metrics that CloudWatch makes of it.

    What is kept is compressed by as much as nobody says, so it is taken as it came.
    """
    load = _function_of(resource, month)
    if load is None:
        return []
    work = invocations(load, month)
    taken = times(count(work), month.traffic.log_kb / KB)
    kept = times(taken, _days(resource, load) / DAYS)
    made = [
        _of_cloudwatch(month, name, meter, total(parts), parts)
        for name, meter, parts in (
            ("Logs taken in", "logs-ingested", taken),
            ("Logs kept", "logs-stored", kept),
        )
        if total(parts)
    ]
    metrics, own = _metrics(load, work)
    return [*made, _of_cloudwatch(month, "Metrics", "metrics", metrics, own)] if metrics else made


def alarm(resource: Resource, month: Month) -> list[Component]:
    """Price an alarm by the metrics that it watches; an expression is none."""
    queries = [query for query in items(resource.inputs, "metricQueries") if isinstance(query, Mapping)]
    watched = Decimal(sum("metric" in query for query in queries)) or WHOLE
    return [month.component("Metrics watched", "aws.cloudwatch.alarms", watched, usage_based=False)]


def dashboard(resource: Resource, month: Month) -> list[Component]:
    """Price a dashboard."""
    return [month.component("Dashboard", "aws.cloudwatch.dashboards", WHOLE, usage_based=False)]


def key(resource: Resource, month: Month) -> list[Component]:
    """Price a key in its first year: each of its first two rotations adds a key's price (aws.amazon.com/kms/pricing,
    quoted 2026-08-08)."""
    return [month.component("Key", "aws.kms.keys", WHOLE, usage_based=False)]


def secret(resource: Resource, month: Month) -> list[Component]:
    """Price a secret; whoever reads it pays for that."""
    return [month.component("Secret", "aws.secretsmanager.secrets", WHOLE, usage_based=False)]


def _metrics(load: FunctionLoad, work: list[Work]) -> tuple[Decimal, ByVersion]:
    """Return the metric-months that a function causes, all of them and each version's own.

    A metric is billed for the hours in which it has a number; requests come as they like, one by one.
    """
    calls = [one for one in work if one.kind in ("request", "call")]
    messages = [one for one in work if one.kind not in ("request", "call")]
    cold = load.cold_starts / started if (started := _all(work)) else NOTHING
    own = {version: _hours(number, _ALWAYS, cold) for version, number in count(calls).items()}
    shared = _hours(_all(calls), _ALWAYS, cold) + _hours(_all(messages), _ALWAYS + _AGE, cold)
    return total(own) + shared, own


def _hours(events: Decimal, metrics: int, cold: Decimal) -> Decimal:
    """Return the metric-months of so many events, of which a share is cold."""
    return metrics * _share_of_hours(events) + _COLD * _share_of_hours(events * cold)


def _share_of_hours(events: Decimal) -> Decimal:
    """Return the share of the month's hours in which at least one of so many events falls."""
    return WHOLE - (-events / HOURS).exp()


def _all(work: Iterable[Work]) -> Decimal:
    return total(count(work))


def _function_of(resource: Resource, month: Month) -> FunctionLoad | None:
    """Return the function whose log it is; None for another log."""
    name = at(resource.inputs, "name")
    if not isinstance(name, str) or not name.startswith(_GROUPS):
        return None
    return month.load_of(name.removeprefix(_GROUPS))


def _days(resource: Resource, load: FunctionLoad) -> Decimal:
    """Return how long the log is kept: for ever counts as one month."""
    found = at(resource.inputs, "retentionInDays")
    days = found if isinstance(found, (int, float)) else load.function["log_retention_days"]
    return Decimal(str(days)) if days else DAYS


def _of_cloudwatch(
    month: Month, name: str, meter: str, quantity: Decimal, by_version: ByVersion
) -> Component:
    return month.component(name, f"aws.cloudwatch.{meter}", quantity, usage_based=True, by_version=by_version)
