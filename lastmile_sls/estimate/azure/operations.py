"""Azure Monitor's price of looking after a deployment: its log, and alerts. Pure."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.document import WHOLE, Component
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import DAYS, logged_kb, times, used
from lastmile_sls.policy.resource import Resource, at, of_type

_KIB = Decimal(1024)
_GB = Decimal(10**9)
"""Log Analytics' (learn.microsoft.com/azure/azure-monitor/logs/cost-logs, unverified)."""
_INSIGHTS = "azure-native:applicationinsights:Component"
INCLUDED_DAYS, INCLUDED_DAYS_OF_INSIGHTS = 31, 90
"""For how long keeping is free: a workspace's tables, and those that Application Insights fills
(azure.microsoft.com/pricing/details/monitor; learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure,
2026-11-29)."""
_BY_FREQUENCY = {"PT1M": 1, "PT5M": 5, "PT10M": 10, "PT15M": 15, "PT30M": 15, "PT1H": 15, "P1D": 15}
"""The meter in minutes; what looks less often than every 15 minutes costs as much as that (the same page)."""


def workspace(resource: Resource, month: Month) -> list[Component]:
    """Return what the functions' log costs: taking it in, and keeping it for longer than is free."""
    taken = times(logged_kb(month, (one for load in month.loads.values() for one in load.work)), _KIB / _GB)
    found = [used(month, "Log", "azure.loganalytics.ingestion", taken)]
    included = INCLUDED_DAYS_OF_INSIGHTS if of_type(month.resources, _INSIGHTS) else INCLUDED_DAYS
    more_days = Decimal(at(resource.inputs, "retentionInDays") or included) - included
    if more_days > 0:
        kept = times(taken, more_days / DAYS)
        found.append(used(month, f"Log, after {included} days", "azure.loganalytics.retention", kept))
    return found


def log_alert(resource: Resource, month: Month) -> list[Component]:
    """Return what an alert costs that asks the log, by how often it asks. Raises LastmileError for another time."""
    every = at(resource.inputs, "evaluationFrequency")
    minutes = _BY_FREQUENCY.get(every) if isinstance(every, str) else None
    if minutes is None:
        known = ", ".join(_BY_FREQUENCY)
        raise LastmileError(
            f"evaluationFrequency of {resource} is {every!r}, and only {known} are priced.",
            "Use one of them.",
        )
    meter = f"azure.monitor.log-alert.{minutes}-min"
    return [month.component(f"Every {minutes} min", meter, WHOLE, usage_based=False)]


def metric_alert(resource: Resource, month: Month) -> list[Component]:
    """Return what an alert costs that watches one series of a metric."""
    return [month.component("Series", "azure.monitor.metric-alert", WHOLE, usage_based=False)]
