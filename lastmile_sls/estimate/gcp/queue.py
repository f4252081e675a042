"""Pub/Sub's price of the messages that wait, and Cloud Scheduler's of the clock. Pure."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.estimate.document import WHOLE, Component
from lastmile_sls.estimate.load import shadows_through
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import count, plus, router_of, times, total, used
from lastmile_sls.policy.resource import Resource

SMALLEST_BYTES = Decimal(1000)
"""What a request to publish or a push counts as, at the least (cloud.google.com/pubsub/pricing, 2026-08-05)."""
_STAMP_BYTES = Decimal(40)
"""A message's time, 20 bytes, and its id (the same page)."""
_TIB = Decimal(2**40)
_KIB = Decimal(2**10)


def topic(resource: Resource, month: Month) -> list[Component]:
    """Return the price of what is published; nothing for the topic of what was set aside."""
    queue = month.plan["queue"]
    return _throughput(month, "Published", is_used=queue is not None and queue["resource"] == _name(resource))


def subscription(resource: Resource, month: Month) -> list[Component]:
    """Return the price of what is pushed, once each; nothing for what was set aside, which is pulled by hand."""
    pushed = "pushConfig" in resource.inputs
    return _throughput(month, "Delivered", is_used=pushed)


def schedule(resource: Resource, month: Month) -> list[Component]:
    """Return the price of a clock, however often it strikes (cloud.google.com/scheduler/pricing)."""
    return [month.component("Job", "gcp.scheduler.jobs", WHOLE, usage_based=False)]


def _throughput(month: Month, name: str, *, is_used: bool) -> list[Component]:
    by_version = _bytes(month) if is_used else {}
    if not total(by_version):
        return []
    return [used(month, name, "gcp.pubsub.throughput", times(by_version, 1 / _TIB))]


def _bytes(month: Month) -> dict[str, Decimal]:
    """Return what one way of all messages counts as: a shadow's has the request and its answer, others a name."""
    work, traffic = router_of(month).work, month.traffic
    found = times(count(work, "job", "batch"), SMALLEST_BYTES)
    if shadows_through(month.plan) == "queue":
        each = max(SMALLEST_BYTES, (traffic.request_kb + traffic.response_kb) * _KIB + _STAMP_BYTES)
        found = plus(found, times(count(work, "shadow"), each))
    return found


def _name(resource: Resource) -> str:
    return str(resource.inputs.get("name"))
