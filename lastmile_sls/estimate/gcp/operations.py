"""Google's price of looking after a deployment: its log, and what is measured of it. Pure."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.estimate.document import HOURS, Component
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import DAYS, KIB_PER_GIB, logged_kb, requests, times, total, used
from lastmile_sls.policy.resource import Resource, at

INCLUDED_DAYS = 30
"""Of a log's keeping, with the price of taking it in (cloud.google.com/products/observability/pricing, 2026-08-05)."""
_POINT_BYTES = {"INT64": Decimal(8), "DISTRIBUTION": Decimal(80)}
"""What a point of a metric counts as (the same page, "Bytes ingested"; that of a distribution unverified)."""
_MINUTES = HOURS * 60
_MIB = Decimal(2**20)


def log_bucket(resource: Resource, month: Month) -> list[Component]:
    """Return what the functions' log costs: taking it in, and keeping it for longer than is included."""
    taken = times(
        logged_kb(month, (one for load in month.loads.values() for one in load.work)), 1 / KIB_PER_GIB
    )
    found = [used(month, "Log", "gcp.logging.stored", taken)]
    more_days = Decimal(at(resource.inputs, "retentionDays") or INCLUDED_DAYS) - INCLUDED_DAYS
    if more_days > 0:
        found.append(
            used(
                month, f"Log, after {INCLUDED_DAYS} days", "gcp.logging.kept", times(taken, more_days / DAYS)
            )
        )
    return found


def metric(resource: Resource, month: Month) -> list[Component]:
    """Return what a metric costs that is made of the log: a point for each minute in which there are requests.

    Requests are counted by the status of the answer, of which one is taken to be common; measured they are by version.
    """
    kind = str(at(resource.inputs, "metricDescriptor.valueType"))
    asked = requests(month)
    if kind == "INT64":
        points = min(total(asked), _MINUTES)
        shares = times(asked, points / total(asked)) if points else {}
    else:
        shares = {version: min(number, _MINUTES) for version, number in asked.items()}
    return [used(month, "Points", "gcp.monitoring.metrics", times(shares, _POINT_BYTES[kind] / _MIB))]
