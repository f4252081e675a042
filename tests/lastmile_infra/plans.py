"""Plans and projects of specs that fit the clouds, without building anything: the bundles are stand-ins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lastmile_sls.engine.interface import Program
from lastmile_sls.plan.cloud import Built
from lastmile_sls.plan.document import Plan, Target
from lastmile_sls.plan.grouping import group_versions
from lastmile_sls.plan.make import make_plan
from lastmile_sls.program.write import write_program
from lastmile_sls.spec.load import check
from lastmile_sls.spec.model import Spec
from lastmile_sls.targets.environments import environment_of
from tests.lastmile_sls.bundle.oci.bases import BaseFolder
from tests.lastmile_sls.commands import PLACES

DIGEST = "sha256:" + "ab" * 32


def spec_of(**changes: Any) -> Spec:
    """Return a spec of one version with a key, changed; `targets` are merged into the places."""
    targets = {name: {**place, **changes.get("targets", {}).get(name, {})} for name, place in PLACES.items()}
    version = {"id": "v1", "artifact": "model.joblib", "framework": "sklearn"}
    content = {
        "name": "churn",
        "owner": "growth-team",
        "cost_center": "cc-1",
        "versions": [version],
        **changes,
        "targets": targets,
    }
    return check(content)


def two_versions(*, apart: bool = False) -> dict[str, Any]:
    """Return the changes that make two versions, in one function or apart in two."""
    versions = [
        {
            "id": id_,
            "artifact": f"{id_}.py",
            "framework": "python",
            "entry": "Model",
            "requirements": [f"numpy=={number}" if apart else "numpy"],
        }
        for id_, number in (("v1", "2.1"), ("v2", "2.3"))
    ]
    return {"versions": versions, "traffic": {"champion": "v1", "weights": {"v1": 90, "v2": 10}}}


def plan_of(spec: Spec, target: Target, sizes: Mapping[str, int] | None = None, digest: str = DIGEST) -> Plan:
    """Return a plan; `sizes` are the bundles' bytes by function, 1 MB where it says nothing; `digest` is every bundle's."""
    groups = group_versions(spec, {})
    base = "registry.test/python@sha256:" + "cd" * 32
    built = {
        group.function: Built(digest, (sizes or {}).get(group.function, 1 << 20), base) for group in groups
    }
    return make_plan(spec, target, groups, built, environment_of(target, spec))


def project_of(plan: Plan, folder: Path) -> Program:
    """Write a plan's project with stand-ins for its bundles and packages."""
    bundles = {}
    for function in plan["functions"]:
        bundle = folder.with_name(f"{folder.name}-new") / function["name"]
        bundle.mkdir(parents=True)
        (bundle / "manifest.json").write_text("{}")
        bundles[function["bundle"]["path"]] = bundle
    program = write_program(plan, bundles, folder)
    for function in plan["functions"]:
        package = function["package"]
        if package and package["form"] == "zip":
            (folder / package["path"]).write_bytes(b"PK\5\6" + bytes(18))
        elif package:
            base = BaseFolder(folder / package["path"])
            base.tag(base.image())
    return program
