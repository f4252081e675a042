"""Flex Consumption's price of a function app: on demand, and where instances are always ready. Pure.

Billed are executions, and GB-seconds: an instance's size for as long as it works on anything, however many executions share
it, at least 1 000 ms each time and then rounded up to 100 ms. Instances that are always ready are billed all the time at a
low price, and what runs on them at one of their own, of which nothing is free. What an app does before its first execution,
and after an answer, is not execution (learn.microsoft.com/azure/azure-functions/flex-consumption-plan, "Billing",
2026-11-29). A GB-second is 1 024 000 MB-milliseconds (learn.microsoft.com/azure/azure-functions/functions-consumption-costs,
2025-10-28).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.document import NOTHING, SECONDS, WHOLE, Component, FunctionLoad, Kind
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import ByVersion, count, plus, sent_gib, times, used
from lastmile_sls.policy.resource import Resource, at, items

STEP_MS = Decimal(100)
SHORTEST_MS = Decimal(1000)
_MB_PER_GB = Decimal(1024)
_HTTP: tuple[Kind, ...] = ("request", "call")
"""What the group of always ready instances that is named http works on."""
_OTHERS: tuple[Kind, ...] = ("job", "batch")
"""What a queue's and a timer's triggers start, in groups of their own."""


def app(resource: Resource, month: Month) -> list[Component]:
    """Return what a function app costs, with what it sends to the internet where nothing is in front of it.

    Requests go to always ready instances first; those in flight at the busiest moment that they have no place for are taken
    to be on demand all the time.
    """
    load = month.load_of(resource.name)
    gb = Decimal(_known(resource, "functionAppConfig.scaleAndConcurrency.instanceMemoryMB")) / _MB_PER_GB
    ready = _ready(resource)
    share = _share(month, load, ready)
    http, others = gb_seconds(load, gb, *_HTTP), gb_seconds(load, gb, *_OTHERS)
    asked, started = count(load.work, *_HTTP), count(load.work, *_OTHERS)
    return [
        *_always_ready(month, ready * gb, times(http, share), times(asked, share)),
        *_on_demand(month, plus(times(http, 1 - share), others), plus(times(asked, 1 - share), started)),
        *egress(month, load),
    ]


def gb_seconds(load: FunctionLoad, gb: Decimal, *kinds: Kind) -> dict[str, Decimal]:
    """Return the GB-seconds that each version's executions of these kinds are billed for; `gb` is an instance's size."""
    found: dict[str, Decimal] = {}
    for one in load.work:
        if one.kind in kinds:
            each = one.count * billed_ms(one.duration_ms) / 1000 * gb / load.effective_concurrency
            found[one.version] = found.get(one.version, NOTHING) + each
    return found


def billed_ms(duration_ms: Decimal) -> Decimal:
    """Return what an execution that runs alone is billed for."""
    return max(SHORTEST_MS, (duration_ms / STEP_MS).to_integral_value(ROUND_CEILING) * STEP_MS)


def egress(month: Month, load: FunctionLoad) -> list[Component]:
    """Return what the router's function sends to the internet; what it sends to Front Door is free.

    learn.microsoft.com/azure/frontdoor/billing (2023-12-28)
    """
    plan = month.plan["endpoint"]
    if plan["function"] != load.function["name"] or plan["gateway"] == "front_door":
        return []
    return [used(month, "Data to callers", "azure.bandwidth.egress", sent_gib(month))]


def _always_ready(month: Month, ready_gb: Decimal, time: ByVersion, executions: ByVersion) -> list[Component]:
    if not ready_gb:
        return []
    meter = "azure.functions"
    return [
        month.component(
            "Always ready", f"{meter}.baseline.always-ready", ready_gb * SECONDS, usage_based=False
        ),
        used(month, "Time, always ready", f"{meter}.duration.always-ready", time),
        used(month, "Executions, always ready", f"{meter}.executions.always-ready", executions),
    ]


def _on_demand(month: Month, time: ByVersion, executions: ByVersion) -> list[Component]:
    return [
        used(month, "Time, on demand", "azure.functions.duration.on-demand", time),
        used(month, "Executions, on demand", "azure.functions.executions.on-demand", executions),
    ]


def _ready(resource: Resource) -> Decimal:
    groups = items(resource.inputs, "functionAppConfig.scaleAndConcurrency.alwaysReady")
    return sum((_count(resource, group) for group in groups), NOTHING)


def _count(resource: Resource, group: Any) -> Decimal:
    if not isinstance(group, Mapping):
        raise LastmileError(
            f"{resource} does not say how many instances are always ready.", "Say it as a number."
        )
    return Decimal(group.get("instanceCount") or 0)


def _share(month: Month, load: FunctionLoad, ready: Decimal) -> Decimal:
    """Return which share of the requests always ready instances have places for, 0 to 1."""
    places = ready * load.function["concurrency"]
    return min(WHOLE, places / max(WHOLE, month.traffic.peak_concurrency))


def _known(resource: Resource, path: str) -> int:
    value = at(resource.inputs, path)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise LastmileError(f"{path} of {resource} is {value!r}, which is no number.", "Say it as a number.")
    return int(value)
