"""AWS Lambda: what a function is billed for, and what it costs to keep instances of it warm. Pure.

aws.amazon.com/lambda/pricing (copy of 2026-09-20). Since 2025-08-01 a cold start's initialization is billed as duration,
of managed runtimes as well (aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lastmile_sls.estimate.aws.units import MB, billed_s, own, seconds
from lastmile_sls.estimate.document import NOTHING, SECONDS, WHOLE, Component, FunctionLoad, Work
from lastmile_sls.estimate.load import shadows_through
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import ByVersion, count, times, total
from lastmile_sls.policy.resource import Resource, at, items

_TMP_MB = 512
"""Included."""


@dataclass(frozen=True)
class _Shape:
    """What a function's time is weighed with."""

    memory_gb: Decimal
    processor: str
    tmp_gb: Decimal
    """Above what is included."""
    snapshot: bool


def function(resource: Resource, month: Month) -> list[Component]:
    """Price a function: requests, billed time, cold starts, /tmp, SnapStart's snapshots, and the secrets that it reads."""
    load = month.load_of(str(at(resource.inputs, "name")))
    shape, work = _shape(resource, load), invocations(load, month)
    spent = seconds(work)
    on_demand = times(spent, beyond_warm(load, month) * shape.memory_gb)
    parts = {
        ("Requests", f"requests.{shape.processor}"): count(work),
        ("Duration", f"duration.{shape.processor}"): on_demand,
        ("Temporary files above 512 MB", f"tmp.{shape.processor}"): times(spent, shape.tmp_gb),
    }
    made = [_of_lambda(month, *meter, total(each), each) for meter, each in parts.items() if total(each)]
    return [*made, *_cold_starts(month, load, shape), *_secrets(month, load)]


def provisioned_concurrency(resource: Resource, month: Month) -> list[Component]:
    """Price instances that are kept warm: their memory all month, and the time in which they answer, at a lower price."""
    load = month.load_of(str(at(resource.inputs, "functionName")))
    shape, warm = _shape(None, load), Decimal(load.function["min_instances"])
    kept = warm * shape.memory_gb * SECONDS
    answering = times(seconds(invocations(load, month)), (WHOLE - beyond_warm(load, month)) * shape.memory_gb)
    reserved, duration = (
        f"{what}.{shape.processor}" for what in ("provisioned-concurrency", "provisioned-duration")
    )
    made = [_of_lambda(month, "Kept warm", reserved, kept, own(load, kept), usage_based=False)]
    if total(answering):
        made.append(_of_lambda(month, "Duration of warm instances", duration, total(answering), answering))
    return made


def invocations(load: FunctionLoad, month: Month) -> list[Work]:
    """Return the work that Lambda is called for: a shadow in the process itself is part of its request."""
    apart = shadows_through(month.plan) == "queue"
    return [one for one in load.work if one.kind != "shadow" or apart]


def beyond_warm(load: FunctionLoad, month: Month) -> Decimal:
    """Return the share of the work that finds no warm instance, 0 to 1.

    All of it is taken to come as at the busiest moment, when the most are beyond: what really comes may cost less.
    """
    warm, peak = load.function["min_instances"], month.traffic.peak_concurrency
    return max(NOTHING, WHOLE - warm / peak) if warm else WHOLE


def _cold_starts(month: Month, load: FunctionLoad, shape: _Shape) -> list[Component]:
    """Price starts: from nothing, billed as duration; or from a snapshot, which is billed per GB, and kept all month.

    A snapshot is billed until its version is deleted: this is one version's.
    """
    if shape.snapshot:
        kept, restored = shape.memory_gb * SECONDS, load.cold_starts * shape.memory_gb
        cache = _of_lambda(
            month, "Snapshot of one version", "snapstart-cache", kept, own(load, kept), usage_based=False
        )
        name = "Snapshots restored"
        restore = (
            [_of_lambda(month, name, "snapstart-restore", restored, own(load, restored))] if restored else []
        )
        return [cache, *restore]
    started = load.cold_starts * billed_s(load.init_ms) * shape.memory_gb
    if not started:
        return []
    return [_of_lambda(month, "Initialization", f"duration.{shape.processor}", started, own(load, started))]


def _secrets(month: Month, load: FunctionLoad) -> list[Component]:
    """Price what each cold start asks the vault (see `lastmile_runtime.secrets`)."""
    asked = load.cold_starts * len(load.function["secrets"])
    if not asked:
        return []
    meter, by_version = "aws.secretsmanager.requests", own(load, asked)
    return [month.component("Secrets read", meter, asked, usage_based=True, by_version=by_version)]


def _shape(resource: Resource | None, load: FunctionLoad) -> _Shape:
    """Return a function's shape: as its resource has it where that is known, else as the plan does."""
    inputs = resource.inputs if resource else {}
    processors = items(inputs, "architectures")
    known = processors[0] if processors and isinstance(processors[0], str) else load.function["processor"]
    return _Shape(
        memory_gb=_number(inputs, "memorySize", load.function["memory_mb"]) / MB,
        processor=known or "x86_64",
        tmp_gb=max(NOTHING, _number(inputs, "ephemeralStorage.size", _TMP_MB) - _TMP_MB) / MB,
        snapshot=load.function["snapshot"],
    )


def _number(inputs: Any, path: str, otherwise: int) -> Decimal:
    found = at(inputs, path)
    return Decimal(str(found)) if isinstance(found, (int, float)) else Decimal(otherwise)


def _of_lambda(
    month: Month, name: str, meter: str, quantity: Decimal, by_version: ByVersion, *, usage_based: bool = True
) -> Component:
    return month.component(
        name, f"aws.lambda.{meter}", quantity, usage_based=usage_based, by_version=by_version
    )
