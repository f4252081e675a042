"""The examples as projects for each cloud, without building or training anything: the bundles are stand-ins.

The versions are grouped by their requirements as written. Those of breast-cancer compile, so that none of them needs
anything and they share one function, which is what their empty requirements come to as well.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from lastmile_sls.engine.interface import Program
from lastmile_sls.plan.document import Plan, Target, render
from lastmile_sls.spec.load import load
from lastmile_sls.spec.model import Spec
from tests.lastmile_infra.plans import plan_of, project_of

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = (
    "breast-cancer",
    "conflicting-versions",
    "image-sized",
    "overnight",
    "public",
    "watched",
    "web-app",
)
CLOUDS: tuple[Target, ...] = ("aws", "gcp", "azure")
NEW_DIGEST = "sha256:" + "12" * 32
"""Of the bundles of an example whose models have changed."""
MORE_MEMORY_MB = 4096
"""What an example's functions have after a change of the spec."""


def spec_of(example: str) -> Spec:
    """Return an example's spec as it is in its folder."""
    return load(FOLDER / example / "lastmile.yaml")


def with_more_memory(spec: Spec) -> Spec:
    """Return the spec with more memory for each function."""
    resources = spec.resources.model_copy(update={"memory_mb": MORE_MEMORY_MB})
    return spec.model_copy(update={"resources": resources})


def plan_for(example: str, cloud: Target) -> Plan:
    """Return the plan of an example as it is."""
    return plan_of(spec_of(example), cloud)


def changed_plan(example: str, cloud: Target) -> Plan:
    """Return the plan of an example whose models and memory have changed."""
    return plan_of(with_more_memory(spec_of(example)), cloud, digest=NEW_DIGEST)


def write_project(plan: Plan, folder: Path) -> Program:
    """Write a plan's project into a new folder."""
    program = project_of(plan, folder)
    _write_zips(plan, folder)
    return program


def rewrite_project(plan: Plan, program: Program) -> None:
    """Put another plan of the same deployment, and its packages, into a project."""
    (program.folder / "plan.json").write_text(render(plan), encoding="utf-8")
    _write_zips(plan, program.folder)


def replaced(program: Program) -> Mapping[str, str]:
    """Return what of a project's inputs is this machine's, and what golden files say instead."""
    return {str(program.folder.resolve()): "PROJECT"}


def _write_zips(plan: Plan, folder: Path) -> None:
    """Write packages whose content is as new as the bundle's digest."""
    for function in plan["functions"]:
        package = function["package"]
        if package and package["form"] == "zip":
            with zipfile.ZipFile(folder / package["path"], "w") as archive:
                archive.writestr(zipfile.ZipInfo("manifest.json"), function["bundle"]["digest"])
