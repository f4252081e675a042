"""Azure's price of what is stored: accounts, the registry of images, the vault. Pure."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.document import NOTHING, SECONDS, Component, FunctionLoad
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import DAYS, KIB_PER_GIB, count, plus, router_of, times, used
from lastmile_sls.policy.resource import Resource, at, of_type

_JOB_WRITES, _JOB_READS = Decimal(3), Decimal(3)
"""A job's record is written, and again when it is queued, and its result; both are read before it is worked on, and the
result once by who asked (`lastmile_runtime.jobs`)."""
_PIECE_WRITES, _PIECE_READS = Decimal(2), Decimal(3)
"""A piece of a file: its rows, the plan and its neighbours are read, a part and a note written
(`lastmile_runtime.batch`)."""
_BASE64 = Decimal(4) / 3
_RESULTS = "results/"
_DATA = "data"
"""What the name of the account ends with that outlives the deployment (`lastmile_infra.azure.storage`)."""
_SETTINGS = "azure-native:storage:BlobServiceProperties"
_BASIC = "Basic"


def account(resource: Resource, month: Month) -> list[Component]:
    """Return what an account costs: the deployment's own, or the functions' host's, from which instances load their code.

    Leases that the host renews, and the size of the code, are not counted.
    """
    if not resource.name.endswith(_DATA):
        loads = sum((load.cold_starts for load in month.loads.values()), NOTHING)
        return [used(month, "Reads", "azure.storage.reads", {}, loads)]
    work = router_of(month).work
    jobs, pieces = count(work, "job"), count(work, "batch")
    kib = (month.traffic.request_kb + month.traffic.response_kb) * _BASE64
    stored = times(jobs, kib / KIB_PER_GIB * _kept_days(month) / DAYS)
    writes = plus(times(jobs, _JOB_WRITES), times(pieces, _PIECE_WRITES))
    reads = plus(times(jobs, _JOB_READS), times(pieces, _PIECE_READS))
    return [
        used(month, "Stored", "azure.storage.blob", stored),
        used(month, "Writes", "azure.storage.writes", writes),
        used(month, "Reads", "azure.storage.reads", reads, _routing_reads(month)),
    ]


def registry(resource: Resource, month: Month) -> list[Component]:
    """Return what a registry of the Basic tier costs, with 10 GB of images. Raises LastmileError for another tier."""
    tier = at(resource.inputs, "sku.name")
    if tier != _BASIC:
        raise LastmileError(
            f"sku.name of {resource} is {tier!r}, but only {_BASIC} is priced.", "Use that tier."
        )
    return [month.component("Registry", "azure.containerregistry.basic", DAYS, usage_based=False)]


def vault(resource: Resource, month: Month) -> list[Component]:
    """Return what reading the deployment's own keys costs: the one with which functions ask each other, once a day each.

    learn.microsoft.com/azure/app-service/app-service-key-vault-references, "Rotation" (unverified)
    """
    functions = month.plan["functions"]
    if not any(function["calls"] for function in functions):
        return []
    return [month.component("Reads", "azure.keyvault.operations", len(functions) * DAYS, usage_based=False)]


def _kept_days(month: Month) -> Decimal:
    """Return how long a result is paid for: until it expires, as a former version, and as one that was deleted."""
    plan = month.plan["storage"]
    if plan is None:
        return NOTHING
    settings = of_type(month.resources, _SETTINGS)
    soft = max((int(at(one.inputs, "deleteRetentionPolicy.days") or 0) for one in settings), default=0)
    return Decimal(plan["expire_days"].get(_RESULTS, 0) + plan["old_versions_days"] + soft)


def _routing_reads(month: Month) -> Decimal:
    """Return how often the routing document is read: with requests, no more often than its `max_age_s` says."""
    return sum((_reads_of(load) for load in month.loads.values()), NOTHING)


def _reads_of(load: FunctionLoad) -> Decimal:
    if load.function["routing_document"] is None:
        return NOTHING
    number = sum((one.count for one in load.work if one.kind != "shadow"), NOTHING)
    age_s = Decimal(str(load.function["routing"]["max_age_s"]))
    return min(number, SECONDS / age_s + load.cold_starts) if age_s else number
