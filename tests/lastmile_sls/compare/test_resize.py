"""One preview stands for all sizes: what is resized is what would have been made with that memory in the first place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.compare.resize import resized_plan, resized_resources
from lastmile_sls.plan.document import Target
from lastmile_sls.policy.resource import FUNCTIONS, Resource
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions

GOLDEN = Path(__file__).parents[2] / "examples" / "golden"
IMAGES: dict[str, Any] = {
    "gcp": {"base_image": "python:3.13"},
    "azure": {"package": "image", "base_image": "python:3.13"},
}
ROOM: dict[str, tuple[str, ...]] = {
    "aws:lambda/function:Function": ("memorySize",),
    "gcp:cloudrunv2/service:Service": ("template", "containers", "0", "resources", "limits"),
    "azure-native:web:WebApp": ("functionAppConfig", "scaleAndConcurrency", "instanceMemoryMB"),
    "azure-native:app:ContainerApp": ("template", "containers", "0", "resources"),
}


def golden(example: str, target: Target) -> list[Resource]:
    """Return what an example's program is known to make, as a preview says it."""
    records = json.loads((GOLDEN / f"{example}-{target}.json").read_text())
    return [Resource(one["type"], one["name"], "", one["inputs"]) for one in records]


def at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


@pytest.mark.parametrize(
    ("target", "changes", "example", "memory_mb"),
    [
        ("aws", {}, "conflicting-versions", 512),
        ("gcp", {"targets": IMAGES}, "conflicting-versions", 512),
        ("azure", {}, "conflicting-versions", 512),
        ("azure", {"targets": IMAGES}, "image-sized", 2048),
    ],
)
def test_it_is_what_a_preview_with_that_memory_says(
    target: Target, changes: dict[str, Any], example: str, memory_mb: int
) -> None:
    """The examples' own sizes leave what their programs make as it is; to another size, and back, changes the room alone."""
    made = golden(example, target)
    spec = spec_of(resources={"memory_mb": memory_mb}, queue={}, **two_versions(apart=True), **changes)
    plan = plan_of(spec, target)
    assert resized_resources(made, plan) == made
    larger = spec.with_memory(4096)
    other = plan_of(larger, target)
    assert resized_plan(plan, larger) == other != plan
    found = resized_resources(made, other)
    differ = [one for one, before in zip(found, made, strict=True) if one != before]
    assert differ == [one for one in found if one.type in FUNCTIONS] != []
    assert resized_resources(found, plan) == made


@pytest.mark.parametrize("target", ["aws", "gcp"])
def test_the_size_of_another_example(target: Target) -> None:
    """breast-cancer has 512 MB, word-vectors 2048: made as large, the one's room is the other's."""
    plan = plan_of(spec_of(resources={"memory_mb": 2048}, targets=IMAGES), target)
    small = resized_resources(golden("breast-cancer", target), plan)
    rooms = [
        at(one.inputs, ROOM[one.type])
        for one in (*small, *golden("image-sized", target))
        if one.type in FUNCTIONS
    ]
    assert len(rooms) == 2
    assert rooms[0] == rooms[1]


def test_the_first_generation_of_cloud_run_and_many_processors() -> None:
    made = golden("breast-cancer", "gcp")
    for memory_mb, generation, cpu in ((256, "GEN1", "1"), (16384, "GEN2", "4")):
        plan = plan_of(spec_of(resources={"memory_mb": memory_mb}, targets=IMAGES), "gcp")
        (service,) = (one for one in resized_resources(made, plan) if one.type in FUNCTIONS)
        assert service.inputs["template"]["executionEnvironment"] == f"EXECUTION_ENVIRONMENT_{generation}"
        assert at(service.inputs, ROOM[service.type]) == {"cpu": cpu, "memory": f"{memory_mb}Mi"}
