"""A plan and its resources with other memory: what a preview of them would be, without running one. Pure.

Of all that a deployment makes, an instance's memory decides four things alone: the memory itself, on Cloud Run and
Container Apps the processors that go with it, and on Cloud Run the generation. So one preview of a target is enough for
all of its sizes; a test holds each of them against a preview of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lastmile_sls.plan.cloud import cpu_of, generation_of
from lastmile_sls.plan.document import FunctionPlan, Plan
from lastmile_sls.policy.resource import FUNCTIONS, Resource
from lastmile_sls.spec.model import Spec

_MB_PER_GI = 1024
_GENERATIONS = {"gen1": "EXECUTION_ENVIRONMENT_GEN1", "gen2": "EXECUTION_ENVIRONMENT_GEN2"}


def resized_plan(plan: Plan, spec: Spec) -> Plan:
    """Return the plan with the spec's memory: what `lastmile_sls.plan.make` would make of it."""
    functions = [
        FunctionPlan(
            {
                **function,
                "memory_mb": spec.resources.memory_mb,
                "cpu": cpu_of(plan["target"], spec),
                "generation": generation_of(plan["target"], spec),
            }
        )
        for function in plan["functions"]
    ]
    return Plan({**plan, "functions": functions})


def resized_resources(resources: Sequence[Resource], plan: Plan) -> list[Resource]:
    """Return the resources with the memory, processors and generation of the plan's functions; all have the same."""
    function = plan["functions"][0]
    return [
        replace(resource, inputs=_resized(resource.type, resource.inputs, function))
        if resource.type in FUNCTIONS
        else resource
        for resource in resources
    ]


def _resized(type_: str, inputs: Mapping[str, Any], plan: FunctionPlan) -> Mapping[str, Any]:
    memory_mb, cpu = plan["memory_mb"], plan["cpu"]
    match type_:
        case "aws:lambda/function:Function":
            return {**inputs, "memorySize": memory_mb}
        case "gcp:cloudrunv2/service:Service":
            assert plan["generation"] is not None
            told = _with(
                inputs, ("template", "executionEnvironment"), lambda _: _GENERATIONS[str(plan["generation"])]
            )
            room: dict[str, Any] = {"cpu": f"{cpu:g}", "memory": f"{memory_mb}Mi"}
            return _in_container(told, ("resources", "limits"), lambda limits: {**limits, **room})
        case "azure-native:web:WebApp":
            path = ("functionAppConfig", "scaleAndConcurrency", "instanceMemoryMB")
            return _with(inputs, path, lambda _: memory_mb)
        case "azure-native:app:ContainerApp":
            room = {"cpu": cpu, "memory": f"{memory_mb / _MB_PER_GI:g}Gi"}
            return _in_container(inputs, ("resources",), lambda limits: {**limits, **room})
    raise ValueError(f"nobody knows where {type_} has its memory")


def _in_container(inputs: Mapping[str, Any], path: Sequence[str], change: Any) -> Mapping[str, Any]:
    """Return the inputs with the only container's value at a path changed."""
    return _with(
        inputs,
        ("template", "containers"),
        lambda all_: [_with(container, path, change) for container in all_],
    )


def _with(value: Mapping[str, Any], path: Sequence[str], change: Any) -> Mapping[str, Any]:
    """Return a value with what lies at the path changed; nothing else is copied."""
    name, *rest = path
    if not rest:
        return {**value, name: change(value.get(name))}
    return {**value, name: _with(value[name], rest, change)}
