"""How long 1 000 specs take to be judged and planned for every cloud: `python bench/plan.py [SPECS]`.

A spec in memory is held against each cloud's limits, its versions are grouped, and its plan is made and rendered. Nothing
is built and nothing is read but the clock.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

from lastmile_sls.plan.cloud import Built
from lastmile_sls.plan.document import Target, render
from lastmile_sls.plan.grouping import group_versions
from lastmile_sls.plan.make import make_plan
from lastmile_sls.spec.model import Spec
from lastmile_sls.targets.environments import environment_of
from lastmile_sls.targets.fit import refusals

CLOUDS: tuple[Target, ...] = ("aws", "gcp", "azure")
ROUNDS = 5


def spec_of(number: int) -> Spec:
    versions: list[dict[str, Any]] = [
        {
            "id": f"v{index}",
            "artifact": f"v{index}.py",
            "framework": "python",
            "entry": "Model",
            "requirements": [f"numpy=={1 + (number + index) % 2}.26"],
        }
        for index in range(1 + number % 3)
    ]
    return Spec.model_validate(
        {
            "name": f"model-{number}",
            "owner": "bench",
            "cost_center": "bench",
            "versions": versions,
            "traffic": {"champion": "v0"},
            "targets": {
                "aws": {"region": "eu-west-1"},
                "gcp": {"project": "acme-models", "region": "europe-west1", "base_image": "oci:base"},
                "azure": {"location": "westeurope"},
            },
        }
    )


def plan(spec: Spec, target: Target) -> int:
    if found := refusals(target, spec):
        raise SystemExit(f"{spec.name}: {found[0]}")
    environment = environment_of(target, spec)
    assert environment is not None
    groups = group_versions(spec, environment.markers)
    built = {
        group.function: Built("sha256:" + "ab" * 32, 1 << 20, "base@sha256:" + "cd" * 32) for group in groups
    }
    return len(render(make_plan(spec, target, groups, built, environment)))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    specs = [spec_of(number) for number in range(count)]
    took: dict[Target, list[float]] = {target: [] for target in CLOUDS}
    for _ in range(ROUNDS):
        for target in CLOUDS:
            began = time.perf_counter()
            for spec in specs:
                plan(spec, target)
            took[target].append(time.perf_counter() - began)
    for target, times in took.items():
        print(f"{target:>5}  {count} plans  {statistics.median(times):.2f} s  (best {min(times):.2f})")


if __name__ == "__main__":
    main()
