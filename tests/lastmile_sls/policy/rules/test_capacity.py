"""Memory and instances."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_sls.policy.resource import UNKNOWN
from lastmile_sls.policy.rules.capacity import INSTANCES, MEMORY
from tests.lastmile_sls.policy.judged import problems

LAMBDA, RUN = "aws:lambda/function:Function", "gcp:cloudrunv2/service:Service"
APP, FLEX = "azure-native:app:ContainerApp", "azure-native:web:WebApp"


def boxes(*memories: Any) -> dict[str, Any]:
    return {
        "template": {"containers": [{"resources": {"limits": {"memory": memory}}} for memory in memories]}
    }


@pytest.mark.parametrize(
    ("type_", "inputs", "told"),
    [
        (LAMBDA, {"memorySize": 1024.0}, []),
        (LAMBDA, {}, []),
        (LAMBDA, {"memorySize": 12288}, ["memorySize is 12288 MB; at most 1024 MB are allowed."]),
        (RUN, boxes("1Gi"), []),
        (RUN, boxes(None), []),
        (
            RUN,
            boxes("1Gi", "512Mi"),
            ["template.containers.resources.limits.memory is 1536 MB; at most 1024 MB are allowed."],
        ),
        (
            APP,
            {"template": {"containers": [{"resources": {"memory": "2Gi"}}]}},
            ["template.containers.resources.memory is 2048 MB; at most 1024 MB are allowed."],
        ),
        (
            FLEX,
            {"functionAppConfig": {"scaleAndConcurrency": {"instanceMemoryMB": 2048}}},
            [
                "functionAppConfig.scaleAndConcurrency.instanceMemoryMB is 2048 MB; at most 1024 MB are allowed."
            ],
        ),
        (LAMBDA, {"memorySize": UNKNOWN}, ["? memorySize is known only after creation."]),
        (
            RUN,
            {"template": UNKNOWN},
            ["? template.containers.resources.limits.memory is known only after creation."],
        ),
        ("aws:s3/bucket:Bucket", {}, []),
    ],
)
def test_memory(type_: str, inputs: dict[str, Any], told: list[str]) -> None:
    assert problems(MEMORY, type_, inputs, functions={"max_memory_mb": 1024}) == told
    assert problems(MEMORY, type_, inputs) == []


def not_set(path: str) -> list[str]:
    return [f"{path} is not set, so that nothing holds it back; at most 10 are allowed."]


@pytest.mark.parametrize(
    ("type_", "inputs", "told"),
    [
        (LAMBDA, {"reservedConcurrentExecutions": 10}, []),
        (LAMBDA, {"reservedConcurrentExecutions": -1}, not_set("reservedConcurrentExecutions")),
        (LAMBDA, {}, not_set("reservedConcurrentExecutions")),
        (
            RUN,
            {"template": {"scaling": {"maxInstanceCount": 100.0}}},
            ["template.scaling.maxInstanceCount is 100; at most 10 are allowed."],
        ),
        (APP, {"template": {"scale": {"maxReplicas": 3}}}, []),
        (
            FLEX,
            {"functionAppConfig": {}},
            not_set("functionAppConfig.scaleAndConcurrency.maximumInstanceCount"),
        ),
        (FLEX, {}, []),
        (APP, {"template": UNKNOWN}, ["? template.scale.maxReplicas is known only after creation."]),
    ],
)
def test_instances(type_: str, inputs: dict[str, Any], told: list[str]) -> None:
    assert problems(INSTANCES, type_, inputs, functions={"max_instances": 10}) == told
    assert problems(INSTANCES, type_, inputs) == []
