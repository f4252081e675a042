"""What stands in a cloud as its stack's state tells it, so that it can be priced beside what would be deployed. Pure.

The state has every resource's inputs, but no plan. What formulas read of one is taken from the inputs; what only a plan
could say, such as a function that the new plan does not have, is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from lastmile_sls.engine.properties import from_state, reveal
from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.document import NOTHING, WHOLE
from lastmile_sls.estimate.load import Shares
from lastmile_sls.plan.document import FunctionPlan, Plan, Target
from lastmile_sls.policy.resource import FUNCTIONS, STACK, Resource, at, items, of_type, plain_type

_AGAINST = "Compare with an earlier estimate instead: lastmile estimate --json > before.json, then --against before.json"
_QUEUES: Mapping[Target, tuple[str, ...]] = {
    "aws": ("aws:sqs/queue:Queue",),
    "gcp": ("gcp:pubsub/topic:Topic",),
    "azure": ("azure-native:storage:Queue",),
}
_CLOCKS: Mapping[Target, tuple[str, ...]] = {
    "aws": ("aws:scheduler/schedule:Schedule",),
    "gcp": ("gcp:cloudscheduler/job:Job",),
    "azure": (),
}
"""Azure's clock is in the function."""
_UNITS = {"Mi": 1, "Gi": 1024}


def resources_of_state(state: Mapping[str, Any]) -> list[Resource]:
    """Return the resources of a stack's state, by name; the CLI's own providers and what is to be deleted are left out."""
    found = [
        Resource(
            plain_type(one["type"]),
            one["urn"].rpartition("::")[2],
            one["urn"],
            reveal(from_state(one.get("inputs") or {})),
        )
        for one in state["deployment"].get("resources") or ()
        if not one.get("delete") and not _is_default_provider(one)
    ]
    return sorted(found, key=lambda one: (one.name, one.type))


def _is_default_provider(said: Mapping[str, Any]) -> bool:
    """Tell whether the CLI itself has made a provider, which no program names."""
    name: str = said["urn"].rpartition("::")[2]
    return said["type"].startswith("pulumi:providers:") and name.startswith("default")


def versions_of_state(state: Mapping[str, Any]) -> list[str]:
    """Return the versions that a stack says it has."""
    for one in state["deployment"].get("resources") or ():
        if one["type"] == STACK:
            return [str(version) for version in (one.get("outputs") or {}).get("versions") or ()]
    return []


def deployed_plan(plan: Plan, resources: Sequence[Resource]) -> Plan:
    """Return the plan that would be deployed now, with what formulas read of it as it stands in the cloud.

    Raises LastmileError for what the state has and the new plan says nothing of: it cannot be priced then.
    """
    standing = {_name(one): one for one in of_type(resources, *FUNCTIONS)}
    known = {function["resource"] for function in plan["functions"]}
    for name in standing:
        if name not in known:
            raise LastmileError(
                f"the function {name} stands, but the spec has it no more: the stack's state does not say what it worked.",
                _AGAINST,
            )
    router = plan["functions"][0]
    if router["resource"] not in standing:
        raise LastmileError(f"the stack has no function {router['resource']}.", _AGAINST)
    functions = [
        _as_it_stands(function, standing[function["resource"]], resources)
        for function in plan["functions"]
        if function["resource"] in standing
    ]
    there = {function["name"] for function in functions}
    functions[0]["calls"] = {version: name for version, name in router["calls"].items() if name in there}
    queue = _queue(plan, resources)
    functions[0]["jobs"] = router["jobs"] if queue else None
    clocks = _CLOCKS[plan["target"]]
    has_clock = bool(of_type(resources, *clocks)) if clocks else queue is not None
    schedule = plan["schedule"] if has_clock else None
    return Plan({**plan, "functions": functions, "queue": queue, "schedule": schedule})


def restricted(shares: Shares, versions: Sequence[str]) -> Shares:
    """Return the shares of the versions that are deployed; the one with the most has what the others would have had."""
    kept = {version: share for version, share in shares.items() if version in versions}
    if not kept:
        return shares
    most = max(kept, key=lambda version: kept[version])
    return {**kept, most: WHOLE - sum((share for version, share in kept.items() if version != most), NOTHING)}


def _queue(plan: Plan, resources: Sequence[Resource]) -> Any:
    stands = bool(of_type(resources, *_QUEUES[plan["target"]]))
    if stands and plan["queue"] is None:
        raise LastmileError("the stack has a queue, but the spec has none any more.", _AGAINST)
    return plan["queue"] if stands else None


def _name(resource: Resource) -> str:
    """Return a function's name in the cloud; an app's of Azure's Functions is Pulumi's, which adds letters to it."""
    fields = {"aws": "name", "gcp": "name", "azure-native": "containerAppName"}
    named = at(resource.inputs, fields[resource.cloud])
    return named if isinstance(named, str) else resource.name


def _as_it_stands(function: FunctionPlan, resource: Resource, resources: Sequence[Resource]) -> FunctionPlan:
    """Return a function's plan with the room that its resource has."""
    changes: dict[str, Any]
    match resource.type:
        case "aws:lambda/function:Function":
            changes = _lambda(resource, resources)
        case "gcp:cloudrunv2/service:Service":
            changes = _run(resource)
        case "azure-native:web:WebApp":
            changes = _flex(resource)
        case "azure-native:app:ContainerApp":
            changes = _container_app(resource)
        case other:
            raise ValueError(f"{other} is no function")
    known = {name: value for name, value in changes.items() if value is not None}
    return cast("FunctionPlan", {**function, **known})


def _lambda(resource: Resource, resources: Sequence[Resource]) -> dict[str, Any]:
    name = at(resource.inputs, "name")
    warm = [
        at(one.inputs, "provisionedConcurrentExecutions")
        for one in of_type(resources, "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig")
        if at(one.inputs, "functionName") == name
    ]
    processors = items(resource.inputs, "architectures")
    return {
        "memory_mb": at(resource.inputs, "memorySize"),
        "processor": processors[0] if processors else "x86_64",
        "min_instances": sum(count for count in warm if isinstance(count, int)),
        "snapshot": at(resource.inputs, "snapStart.applyOn") == "PublishedVersions",
    }


def _run(resource: Resource) -> dict[str, Any]:
    container: Any = next(iter(items(resource.inputs, "template.containers")), None)
    return {
        "memory_mb": _megabytes(at(container, "resources.limits.memory")),
        "cpu": _number(at(container, "resources.limits.cpu")),
        "concurrency": at(resource.inputs, "template.maxInstanceRequestConcurrency"),
        "min_instances": at(resource.inputs, "template.scaling.minInstanceCount") or 0,
    }


def _flex(resource: Resource) -> dict[str, Any]:
    scale = at(resource.inputs, "functionAppConfig.scaleAndConcurrency") or {}
    warm = [at(one, "instanceCount") for one in items(scale, "alwaysReady")]
    return {
        "memory_mb": at(scale, "instanceMemoryMB"),
        "concurrency": at(scale, "triggers.http.perInstanceConcurrency"),
        "min_instances": max((count for count in warm if isinstance(count, int)), default=0),
    }


def _container_app(resource: Resource) -> dict[str, Any]:
    container: Any = next(iter(items(resource.inputs, "template.containers")), None)
    return {
        "memory_mb": _megabytes(at(container, "resources.memory")),
        "cpu": _number(at(container, "resources.cpu")),
        "min_instances": at(resource.inputs, "template.scale.minReplicas") or 0,
    }


def _megabytes(said: Any) -> int | None:
    """Return the MB of a size such as 512Mi."""
    if not isinstance(said, str) or said[-2:] not in _UNITS:
        return None
    return int(Decimal(said[:-2]) * _UNITS[said[-2:]])


def _number(said: Any) -> float | None:
    return (
        float(said)
        if isinstance(said, (int, float, str)) and str(said).replace(".", "", 1).isdigit()
        else None
    )
