"""How large a function may be, and of how many instances."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lastmile_sls.policy.parameters import Parameters
from lastmile_sls.policy.resource import UNKNOWN, Resource, at, items
from lastmile_sls.policy.rule import Problem, Rule, unknown

_QUANTITY = re.compile(r"([0-9.]+)(Ki|Mi|Gi|Ti|k|K|M|G|T)?")
_UNITS_MB = {
    "": 1 / 2**20,
    "k": 1000 / 2**20,
    "K": 1000 / 2**20,
    "M": 10**6 / 2**20,
    "G": 10**9 / 2**20,
    "T": 10**12 / 2**20,
    "Ki": 1 / 1024,
    "Mi": 1,
    "Gi": 1024,
    "Ti": 1024**2,
}
"""Kubernetes' quantities in MB of 2**20 bytes, as the spec counts
(kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity, 2026-11-29)."""
_FLEX = "functionAppConfig.scaleAndConcurrency"
_MEMORY: Mapping[str, tuple[str, str, int | None]] = {
    "aws:lambda/function:Function": ("", "memorySize", 128),
    "gcp:cloudrunv2/service:Service": ("template.containers", "resources.limits.memory", 512),
    "azure-native:app:ContainerApp": ("template.containers", "resources.memory", None),
    "azure-native:web:WebApp": ("", f"{_FLEX}.instanceMemoryMB", None),
}
"""By type: the list, if any, and the input in it, and the MB when nothing is said (docs.aws.amazon.com/lambda/latest/api/
API_CreateFunction.html; cloud.google.com/run/docs/configuring/services/memory-limits, 2026-11-29)."""
_INSTANCES: Mapping[str, str] = {
    "aws:lambda/function:Function": "reservedConcurrentExecutions",
    "gcp:cloudrunv2/service:Service": "template.scaling.maxInstanceCount",
    "azure-native:app:ContainerApp": "template.scale.maxReplicas",
    "azure-native:web:WebApp": f"{_FLEX}.maximumInstanceCount",
}


def _judge_memory(resource: Resource, parameters: Parameters) -> Iterator[Problem]:
    most = parameters.functions.max_memory_mb
    if most is None or resource.type not in _MEMORY:
        return
    within, path, default = _MEMORY[resource.type]
    shown = f"{within}.{path}" if within else path
    values = [at(item, path) for item in (items(resource.inputs, within) if within else [resource.inputs])]
    if UNKNOWN in values:
        yield unknown(shown)
        return
    total = sum(_mb(value) if value is not None else default or 0 for value in values)
    if total > most:
        yield Problem(f"{shown} is {total:g} MB; at most {most} MB are allowed.")


def _mb(value: Any) -> float:
    """Return a memory in MB: a number of them, or Kubernetes' quantity."""
    if isinstance(value, (int, float)):
        return value
    found = _QUANTITY.fullmatch(str(value))
    return float(found[1]) * _UNITS_MB[found[2] or ""] if found else float("inf")


def _judge_instances(resource: Resource, parameters: Parameters) -> Iterator[Problem]:
    most, path = parameters.functions.max_instances, _INSTANCES.get(resource.type)
    if most is None or path is None:
        return
    if resource.type == "azure-native:web:WebApp" and at(resource.inputs, "functionAppConfig") is None:
        return  # only Flex Consumption scales by itself
    value = at(resource.inputs, path)
    if value is UNKNOWN:
        yield unknown(path)
    elif value is None or value < 0:
        yield Problem(f"{path} is not set, so that nothing holds it back; at most {most} are allowed.")
    elif value > most:
        yield Problem(f"{path} is {value:g}; at most {most} are allowed.")


MEMORY = Rule(
    id="memory",
    demands="No instance of a function has more memory than is allowed.",
    fix="Lower resources.memory_mb.",
    of_resource=_judge_memory,
)
INSTANCES = Rule(
    id="instances",
    demands="Every function says how many instances it has at most, and they are not more than is allowed.",
    fix="Set resources.max_instances, or lower it.",
    of_resource=_judge_instances,
)
