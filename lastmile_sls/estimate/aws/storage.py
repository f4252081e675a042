"""S3 and ECR: what is kept in the deployment's bucket and asked of it, packages and images. Pure.

aws.amazon.com/s3/pricing (2026-09-06): storage by GB-month, PUT, COPY, POST and LIST at one price, GET and all others at
another; DELETE costs nothing.
"""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.estimate.aws.functions import invocations
from lastmile_sls.estimate.aws.units import KB, MB
from lastmile_sls.estimate.document import NOTHING, SECONDS, Component, FunctionLoad
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import DAYS
from lastmile_sls.policy.resource import Resource

_ENCODED = Decimal(4) / 3
"""A job's request and answer are kept in base 64 (`lastmile_runtime.jobs`)."""
_OF_A_JOB = (2, 3)
"""Writes and reads: its record and its result; the record, the result that is not there yet, and the answer as it is fetched
(`lastmile_runtime.jobs`)."""
_OF_A_PIECE = (2, 3)
"""Writes and reads: the part and its note; the plan, the note and the rows (`lastmile_runtime.batch.one_file`)."""
_LONGEST_MESSAGE_KB = 1024
_PACKAGE_MB = 250
"""The most that a function's code may have, unpacked (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html,
2026-11-23)."""
_IMAGE_GB = 10
"""The most that an image may have, unpacked (the same)."""


def bucket(resource: Resource, month: Month) -> list[Component]:
    """Price the deployment's bucket: jobs and predictions that are kept, and what functions read and write.

    What others put into it, such as files to score, is not in it.
    """
    writes, reads = _requests(month)
    quantities = (
        ("Storage", "storage", _kept_gb(month)),
        ("Writes", "writes", writes),
        ("Reads", "reads", reads),
    )
    return [
        month.component(name, f"aws.s3.{meter}", quantity, usage_based=True)
        for name, meter, quantity in quantities
        if quantity
    ]


def package(resource: Resource, month: Month) -> list[Component]:
    """Price a function's package in the bucket: as large as Lambda takes one."""
    kept = Decimal(_PACKAGE_MB) / MB
    return [month.component("Package, at most 250 MB", "aws.s3.storage", kept, usage_based=False)]


def repository(resource: Resource, month: Month) -> list[Component]:
    """Price a repository of images: one, as large as Lambda takes one."""
    kept = Decimal(_IMAGE_GB)
    return [month.component("Image, at most 10 GB", "aws.ecr.storage", kept, usage_based=False)]


def _requests(month: Month) -> tuple[Decimal, Decimal]:
    """Return writes and reads."""
    load = month.loads[month.plan["functions"][0]["name"]]
    counts = {kind: _count(load, month, kind) for kind in ("job", "batch", "shadow")}
    long = month.traffic.request_kb + month.traffic.response_kb > _LONGEST_MESSAGE_KB
    shadows = counts["shadow"] if long else NOTHING
    writes, reads = (
        counts["job"] * of_a_job + counts["batch"] * of_a_piece + shadows
        for of_a_job, of_a_piece in zip(_OF_A_JOB, _OF_A_PIECE, strict=True)
    )
    return writes, reads + _routing_reads(month, load)


def _routing_reads(month: Month, load: FunctionLoad) -> Decimal:
    """Return how often the live routing document is read: by every instance at its start, and when its copy is too old.

    No more often than there are requests; and as if as many instances worked all month as at the busiest moment.
    """
    routing = month.plan["routing"]
    if routing is None:
        return NOTHING
    requests = sum((one.count for one in load.work), NOTHING)
    max_age_s = Decimal(str(routing["content"]["max_age_s"]))
    if not max_age_s:
        return requests
    return min(requests, load.cold_starts + month.traffic.peak_concurrency * SECONDS / max_age_s)


def _kept_gb(month: Month) -> Decimal:
    """Return the GB-months: each job as long as the bucket keeps it, and a month's predictions."""
    traffic, load = month.traffic, month.loads[month.plan["functions"][0]["name"]]
    job_gb = (traffic.request_kb + traffic.response_kb) * _ENCODED / KB
    jobs = _count(load, month, "job") * job_gb * _job_days(month) / DAYS
    batch = load.function["batch"]
    inside = batch is not None and "://" not in batch["output"]
    return jobs + (traffic.rows * traffic.response_kb / KB if inside else NOTHING)


def _job_days(month: Month) -> Decimal:
    """Return how long a job is kept; for ever counts as one month.

    The bucket has versions: what expires is kept as a former one (docs.aws.amazon.com/AmazonS3/latest/userguide/
    lifecycle-expire-general-considerations.html, 2026-11-30), until those are deleted as well.
    """
    storage, path = month.plan["storage"], month.plan["functions"][0]["jobs"]
    if storage is None:
        return DAYS
    for prefix, days in storage["expire_days"].items():
        if f"{path}/".startswith(prefix):
            return Decimal(days + storage["old_versions_days"])
    return DAYS


def _count(load: FunctionLoad, month: Month, kind: str) -> Decimal:
    return sum((one.count for one in invocations(load, month) if one.kind == kind), NOTHING)
