"""Google's price of what is stored: the bucket, the images, the secrets. Pure."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.estimate.document import NOTHING, SECONDS, WHOLE, Component, FunctionLoad
from lastmile_sls.estimate.gcp.functions import alive_s, room_of, worked_s
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import (
    DAYS,
    KIB_PER_GIB,
    count,
    plus,
    router_of,
    times,
    total,
    used,
)
from lastmile_sls.policy.resource import Resource, at, of_type

_JOB_WRITES, _JOB_READS = Decimal(2), Decimal(3)
"""A job's record and its result are written; both are read before it is worked on, and the result once by who asked
(`lastmile_runtime.jobs`)."""
_PIECE_WRITES, _PIECE_READS = Decimal(2), Decimal(3)
"""A piece of a file: its rows, the plan and its neighbours are read, a part and a note written
(`lastmile_runtime.batch`)."""
_BASE64 = Decimal(4) / 3
_RESULTS = "results/"
IMAGE_GIB = Decimal("0.2")
"""Of a function, compressed: Python's slim image has 0.05, the rest is the bundle's; assumed, since no resource says it."""


def bucket(resource: Resource, month: Month) -> list[Component]:
    """Return what the deployment's bucket costs: answers that are kept for their callers, and what is read and written.

    A result that expired is a former version for some days, and soft-deleted for some more: it is paid for until it is gone
    (cloud.google.com/storage/docs/soft-delete). The routing document is read by each instance that works, no more often than
    its `max_age_s` says. What callers' own files take in the bucket is not counted.
    """
    work = router_of(month).work
    jobs, pieces = count(work, "job"), count(work, "batch")
    kib = (month.traffic.request_kb + month.traffic.response_kb) * _BASE64
    stored = times(jobs, kib / KIB_PER_GIB * _kept_days(resource, month) / DAYS)
    writes = plus(times(jobs, _JOB_WRITES), times(pieces, _PIECE_WRITES))
    reads = plus(times(jobs, _JOB_READS), times(pieces, _PIECE_READS))
    return [
        used(month, "Stored", "gcp.storage.stored", stored),
        used(month, "Writes", "gcp.storage.writes", writes),
        used(month, "Reads", "gcp.storage.reads", reads, _routing_reads(month)),
    ]


def images(resource: Resource, month: Month) -> list[Component]:
    """Return what the registry costs: each function's image, once; what several images share is stored once."""
    gib = IMAGE_GIB * len(month.plan["functions"])
    name = f"Images, {IMAGE_GIB} GiB each (assumed)"
    return [month.component(name, "gcp.registry.stored", gib, usage_based=False)]


def secret_version(resource: Resource, month: Month) -> list[Component]:
    """Return what a secret's value costs; replicated by Google itself it counts once
    (cloud.google.com/secret-manager/pricing, 2026-11-30 in a public copy).
    """
    return [month.component("Version", "gcp.secrets.versions", WHOLE, usage_based=False)]


def _kept_days(resource: Resource, month: Month) -> Decimal:
    plan = month.plan["storage"]
    if plan is None:
        return NOTHING
    soft_s = Decimal(at(resource.inputs, "softDeletePolicy.retentionDurationSeconds") or 0)
    return Decimal(plan["expire_days"].get(_RESULTS, 0) + plan["old_versions_days"]) + soft_s / 86_400


def _routing_reads(month: Month) -> Decimal:
    """Return how often the routing document is read."""
    return sum((_reads_of(month, load) for load in month.loads.values()), NOTHING)


def _reads_of(month: Month, load: FunctionLoad) -> Decimal:
    """Return how often a function's instances read it: with requests, or all the time where the process keeps running."""
    function = load.function
    if function["routing_document"] is None:
        return NOTHING
    max_age_s = Decimal(str(function["routing"]["max_age_s"]))
    services = of_type(month.resources, "gcp:cloudrunv2/service:Service")
    (service,) = (one for one in services if one.inputs["name"] == function["resource"])
    room = room_of(service)
    if not room.by_request:
        return alive_s(load, room) / (max_age_s / 3)
    instances = max(WHOLE, total(worked_s(load)) / SECONDS)
    return min(total(count(load.work)), instances * SECONDS / max_age_s)
