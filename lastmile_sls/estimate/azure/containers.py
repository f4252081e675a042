"""Container Apps' price of an app in the Consumption profile. Pure.

A replica is billed for its processors and memory from its start to its end, at the active price, and at the idle one while
it is one of the least that there are and has nothing to do; requests are billed that come from outside the environment
(learn.microsoft.com/azure/container-apps/billing, 2025-12-09).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.azure.functions import egress
from lastmile_sls.estimate.document import NOTHING, SECONDS, WHOLE, Component, FunctionLoad
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import ByVersion, count, requests, times, total, used
from lastmile_sls.policy.resource import Resource, at, items

LINGERS_S = Decimal(300)
"""How long the last replica stays after its last request, where there may be none
(azure-mgmt-app, Scale, cooldown_period)."""
_GIB = "Gi"


@dataclass(frozen=True)
class Replica:
    """What a replica has."""

    cpu: Decimal
    memory_gib: Decimal
    kept: Decimal
    """How many there always are."""


def app(resource: Resource, month: Month) -> list[Component]:
    """Return what an app costs, with what it sends to the internet."""
    load, replica = month.load_of(at(resource.inputs, "containerAppName")), replica_of(resource)
    worked = worked_s(load)
    started_s = load.cold_starts * load.init_ms / 1000
    besides_s = started_s if replica.kept else alive_s(load) - total(worked)
    found = _kept(month, replica, worked)
    for name, meter, amount in _sizes(replica, "active"):
        found.append(used(month, name, meter, times(worked, amount), besides_s * amount))
    return [*found, *_requests(month, load), *egress(month, load)]


def replica_of(resource: Resource) -> Replica:
    """Return what a replica of an app has. Raises LastmileError for an app that does not say it."""
    (container,) = items(resource.inputs, "template.containers")
    size = at(container, "resources")
    memory = size.get("memory") if isinstance(size, Mapping) else None
    if not isinstance(memory, str) or not memory.endswith(_GIB):
        raise LastmileError(
            f"the memory of {resource} is {memory!r}, which is no number of Gi.", "Write 2Gi."
        )
    kept = at(resource.inputs, "template.scale.minReplicas") or 0
    return Replica(_decimal(size.get("cpu")), _decimal(memory.removesuffix(_GIB)), _decimal(kept))


def worked_s(load: FunctionLoad) -> dict[str, Decimal]:
    """Return the seconds of replicas that each version's work takes: requests in flight at once share them."""
    found: dict[str, Decimal] = {}
    for one in load.work:
        seconds = one.count * one.duration_ms / 1000 / load.effective_concurrency
        found[one.version] = found.get(one.version, NOTHING) + seconds
    return found


def alive_s(load: FunctionLoad) -> Decimal:
    """Return the seconds of replicas in a month, where there may be none.

    With Poisson arrivals, one at least is there as long as another request came within the time that it lingers:
    1 - e^-(rate x (lingering + work)) of the month. More are there while the work needs more.
    """
    number, work_s = total(count(load.work)), total(worked_s(load))
    if not number:
        return NOTHING
    there = 1 - (-(number / SECONDS) * (LINGERS_S + work_s / number)).exp()
    return max(there * SECONDS, work_s) + load.cold_starts * load.init_ms / 1000


def _kept(month: Month, replica: Replica, worked: ByVersion) -> list[Component]:
    """Return the price of replicas that are always there, and what of it is not billed because they work meanwhile."""
    found: list[Component] = []
    kept_s, busy_s = replica.kept * SECONDS, total(worked)
    if not kept_s:
        return found
    share = min(WHOLE, kept_s / busy_s) if busy_s else NOTHING
    for name, meter, amount in _sizes(replica, "idle"):
        found.append(month.component(name, meter, kept_s * amount, usage_based=False))
        if busy_s:
            found.append(_less(month, f"{name}, not while active", meter, times(worked, share * amount)))
    return found


def _less(month: Month, name: str, meter: str, by_version: ByVersion) -> Component:
    """Return what is taken off, at a meter's price."""
    one = used(month, name, meter, by_version)
    split = {version: -cost for version, cost in one.by_version.items()}
    return replace(one, quantity=-one.quantity, cost=-one.cost, by_version=split)


def _sizes(replica: Replica, state: str) -> tuple[tuple[str, str, Decimal], ...]:
    return (
        (f"vCPU, {state}", f"azure.containerapps.vcpu.{state}", replica.cpu),
        (f"Memory, {state}", f"azure.containerapps.memory.{state}", replica.memory_gib),
    )


def _requests(month: Month, load: FunctionLoad) -> list[Component]:
    if month.plan["endpoint"]["function"] != load.function["name"]:
        return []
    return [used(month, "Requests", "azure.containerapps.requests", requests(month))]


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise LastmileError(f"a container's size is {value!r}, which is no number.", "Say it as a number.")
    return Decimal(str(value))
