"""Cloud Run's price of a function: by the requests it works on, or by its instances' lives. Pure.

By request (`cpuIdle` true, what a plan without a GPU has) an instance is billed while it starts and while it works on at
least one request, each such time rounded up to 100 ms; instances that are kept are billed at a lower price for the rest.
By instance (with a GPU) it is billed from its start to its end, and requests are free (cloud.google.com/run/pricing,
2026-10-08).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal

from lastmile_sls.estimate.document import NOTHING, SECONDS, WHOLE, Component, FunctionLoad
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import (
    KIB_PER_GIB,
    ByVersion,
    count,
    logged_kb,
    sent_gib,
    times,
    total,
    used,
)
from lastmile_sls.policy.resource import Resource, at, items, of_type

STEP_MS = Decimal(100)
LINGERS_S = Decimal(15 * 60)
"""The longest that an instance is kept after its last request (docs.cloud.google.com/run/docs/configuring/billing-settings,
2026-10-07); Cloud Run may end it sooner, so that this is the most that it costs. The least is a minute."""
_BOOSTED: Mapping[int, int] = {1: 2, 2: 4, 4: 8, 6: 8, 8: 8}
"""Processors while an instance starts, by the most that it has (docs.cloud.google.com/run/docs/configuring/services/cpu,
"Startup CPU boost", unverified); they are billed. For ten seconds more they are there, and billed while it works; that is
not added."""
_UNITS = {"Ki": Decimal(2) ** -20, "Mi": Decimal(2) ** -10, "Gi": WHOLE, "M": Decimal(10**6) / 2**30}


@dataclass(frozen=True)
class Room:
    """What an instance has, and how it is billed."""

    cpu: Decimal
    starting_cpu: Decimal
    memory_gib: Decimal
    by_request: bool
    kept: Decimal
    """Instances that are always there."""
    most: Decimal | None
    gpu: str | None
    zonal: bool
    """Whether the GPU is there in a second zone as well."""


def room_of(resource: Resource) -> Room:
    """Return what a service's instances have. Raises ValueError for a size that is none of Cloud Run's."""
    inputs = resource.inputs
    (container,) = items(inputs, "template.containers")
    limits = at(container, "resources.limits") or {}
    cpu = _cpu(str(limits.get("cpu", "1")))
    boosted = at(container, "resources.startupCpuBoost") is True
    kept = max(
        Decimal(at(inputs, f"{where}.minInstanceCount") or 0) for where in ("scaling", "template.scaling")
    )
    most = at(inputs, "template.scaling.maxInstanceCount")
    return Room(
        cpu=cpu,
        starting_cpu=_starting(cpu) if boosted else cpu,
        memory_gib=_gib(str(limits.get("memory", "512Mi"))),
        by_request=at(container, "resources.cpuIdle") is not False,
        kept=kept,
        most=Decimal(most) if most else None,
        gpu=at(inputs, "template.nodeSelector.accelerator"),
        zonal=at(inputs, "template.gpuZonalRedundancyDisabled") is not True,
    )


def service(resource: Resource, month: Month) -> list[Component]:
    """Return what a function costs, with its log where that has no bucket of its own, and what it sends to the internet."""
    load, room = month.load_of(resource.inputs["name"]), room_of(resource)
    found = _by_request(month, load, room) if room.by_request else _by_instance(month, load, room)
    return [*found, *_secrets(month, load), *_log(month, load), *_egress(month, load)]


def worked_s(load: FunctionLoad) -> dict[str, Decimal]:
    """Return the seconds of instances that each version's work is billed for: requests in flight at once share them."""
    found: dict[str, Decimal] = {}
    for one in load.work:
        seconds = one.count * _rounded_s(one.duration_ms) / load.effective_concurrency
        found[one.version] = found.get(one.version, NOTHING) + seconds
    return found


def alive_s(load: FunctionLoad, room: Room) -> Decimal:
    """Return the seconds of instances in a month in which each lives from its start to its end.

    With Poisson arrivals, one instance at least is there as long as another request came within the time that it lingers:
    1 - e^-(rate x (lingering + work)) of the month. More are there while the work needs more. What is kept is there always.
    """
    number, work_s = total(count(load.work)), total(worked_s(load))
    started_s = load.cold_starts * _rounded_s(load.init_ms)
    if not number:
        return room.kept * SECONDS
    each_s = work_s / number
    there = 1 - (-(number / SECONDS) * (LINGERS_S + each_s)).exp()
    most = room.most * SECONDS if room.most else None
    needed = max(there * SECONDS, work_s) + started_s
    return max(room.kept * SECONDS, min(needed, most) if most else needed)


def _by_request(month: Month, load: FunctionLoad, room: Room) -> list[Component]:
    worked, started_s = worked_s(load), load.cold_starts * _rounded_s(load.init_ms)
    return [
        *_kept(month, room, worked),
        used(month, "CPU", "gcp.run.cpu.request", times(worked, room.cpu), started_s * room.starting_cpu),
        used(
            month,
            "Memory",
            "gcp.run.memory.request",
            times(worked, room.memory_gib),
            started_s * room.memory_gib,
        ),
        used(month, "Requests", "gcp.run.requests", count(load.work)),
    ]


def _kept(month: Month, room: Room, worked: ByVersion) -> list[Component]:
    """Return the price of instances that are kept, and what of it is not billed because they work meanwhile."""
    if not room.kept:
        return []
    found = []
    kept_s = room.kept * SECONDS
    busy_s = total(worked)
    share = min(WHOLE, kept_s / busy_s) if busy_s else NOTHING
    for name, meter, amount in (
        ("CPU, kept", "gcp.run.cpu.idle", room.cpu),
        ("Memory, kept", "gcp.run.memory.idle", room.memory_gib),
    ):
        found.append(month.component(name, meter, kept_s * amount, usage_based=False))
        if busy_s:
            less = times(worked, share * amount)
            found.append(_less(month, f"{name}, not while it works", meter, less))
    return found


def _less(month: Month, name: str, meter: str, by_version: ByVersion) -> Component:
    """Return what is taken off at a meter's price; it follows the traffic."""
    one = used(month, name, meter, by_version)
    split = {version: -cost for version, cost in one.by_version.items()}
    return replace(one, quantity=-one.quantity, cost=-one.cost, by_version=split)


def _by_instance(month: Month, load: FunctionLoad, room: Room) -> list[Component]:
    """Return the price of instances' lives: what is kept, and what the traffic adds; that is split by the work."""
    kept_s = room.kept * SECONDS
    added_s = alive_s(load, room) - kept_s
    worked = worked_s(load)
    shares = times(worked, added_s / total(worked)) if total(worked) else {}
    meters = [
        ("CPU", "gcp.run.cpu.instance", room.cpu),
        ("Memory", "gcp.run.memory.instance", room.memory_gib),
    ]
    if room.gpu:
        meters.append(("GPU", f"gcp.run.gpu.{room.gpu}{'.zonal' if room.zonal else ''}", WHOLE))
    found = []
    for name, meter, amount in meters:
        if kept_s:
            found.append(month.component(f"{name}, kept", meter, kept_s * amount, usage_based=False))
        found.append(used(month, name, meter, times(shares, amount)))
    return found


def _secrets(month: Month, load: FunctionLoad) -> list[Component]:
    """Return the price of reading the variables that are secrets: each when an instance starts."""
    number = load.cold_starts * len(load.function["secrets"])
    if not number:
        return []
    return [month.component("Secrets read", "gcp.secrets.accesses", number, usage_based=True)]


def _log(month: Month, load: FunctionLoad) -> list[Component]:
    if of_type(month.resources, "gcp:logging/projectBucketConfig:ProjectBucketConfig"):
        return []
    return [used(month, "Log", "gcp.logging.stored", times(logged_kb(month, load.work), 1 / KIB_PER_GIB))]


def _egress(month: Month, load: FunctionLoad) -> list[Component]:
    """Return the price of answers to the internet: of the function that callers reach, unless a load balancer sends them.

    Between functions of a region, and to a load balancer, it is free (cloud.google.com/run/pricing, 2026-10-08).
    """
    endpoint = month.plan["endpoint"]
    if endpoint["function"] != load.function["name"] or endpoint["gateway"] == "load_balancer":
        return []
    return [used(month, "Data to the internet", "gcp.run.egress", sent_gib(month))]


def _rounded_s(duration_ms: Decimal) -> Decimal:
    """Return seconds, rounded up to what Cloud Run counts in."""
    return (duration_ms / STEP_MS).to_integral_value(ROUND_CEILING) * STEP_MS / 1000


def _starting(cpu: Decimal) -> Decimal:
    return Decimal(next((boosted for most, boosted in _BOOSTED.items() if cpu <= most), cpu))


def _cpu(text: str) -> Decimal:
    """Return processors of a limit such as 2 or 500m."""
    return Decimal(text[:-1]) / 1000 if text.endswith("m") else Decimal(text)


def _gib(text: str) -> Decimal:
    """Return GiB of a limit such as 512Mi."""
    found = re.fullmatch(r"([0-9.]+)([A-Za-z]+)", text)
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"memory is {text!r}, which is not a size of Cloud Run's, such as 512Mi or 2Gi.")
    return Decimal(found[1]) * _UNITS[found[2]]
