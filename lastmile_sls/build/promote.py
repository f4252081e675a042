"""Takes what was built for one environment over to another: the same bytes, nothing is built anew."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from lastmile_sls.build.record import FILE, Record, forget_record, read_record, state_of, write_record
from lastmile_sls.build.sign import verify_project
from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.bundle.trust.beside import folder_of
from lastmile_sls.errors import LastmileError
from lastmile_sls.files import size_of
from lastmile_sls.plan.cloud import Built
from lastmile_sls.plan.document import FunctionPlan, Plan, Target, read
from lastmile_sls.plan.grouping import Group
from lastmile_sls.plan.make import make_plan
from lastmile_sls.program.write import write_program
from lastmile_sls.spec.model import Spec

_PROMOTED = "promoted"
"""Stands for the inputs of a build that was not made here: whoever does not promote again builds."""


def promote(spec: Spec, target: Target, environment: Environment | None, source: Path, place: Path) -> Record:
    """Write a project for a spec's environment with the bundles of another environment's project; return its record.

    Args:
        spec: The spec, with the environment that is deployed to.
        target: Where to.
        environment: What the functions run on.
        source: The project that was built, the same spec's.
        place: The project to write.

    Raises LastmileError when nothing was built there, when a byte of it was changed, or when it was built from other
    versions than the spec has.
    """
    plan, record = _built(source, target)
    _require_same_versions(spec, plan, source)
    _require_unchanged(plan, record, source)
    groups = [Group(f["name"], tuple(f["versions"]), f["why"]) for f in plan["functions"]]
    built = {f["name"]: _known(f, source) for f in plan["functions"]}
    promoted = make_plan(spec, target, groups, built, environment)
    forget_record(place)
    scratch = place.with_name(f".{place.name}.promoted")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        bundles = {f["bundle"]["path"]: scratch / f["name"] for f in plan["functions"]}
        for path, copy in bundles.items():
            shutil.copytree(source / path, copy)
        write_program(promoted, bundles, place)
        for path in _beside(plan, record):
            _copy(source / path, place / path)
    except OSError as error:
        raise LastmileError(
            f"the project in {place} could not be written: {error.strerror or error}.",
            "Free space or mend the folder's rights, then run again.",
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    found = replace(
        record, inputs=_PROMOTED, outputs={path: state_of(place / path) for path in record.outputs}
    )
    write_record(place, found)
    return found


def _built(source: Path, target: Target) -> tuple[Plan, Record]:
    record = read_record(source)
    if record is None or not (source / "plan.json").exists():
        raise LastmileError(
            f"there is nothing to promote: {source / FILE} is not there.",
            f"Build it first: lastmile build --target {target}",
        )
    plan = read(source / "plan.json")
    for function in plan["functions"]:
        if function["package"] and function["name"] not in record.packages:
            raise LastmileError(
                f"there is nothing to promote: {source} was previewed, and its images were not made.",
                f"Build it first: lastmile build --target {target}",
            )
    return plan, record


def _require_same_versions(spec: Spec, plan: Plan, source: Path) -> None:
    built = sorted(id_ for function in plan["functions"] for id_ in function["versions"])
    asked = sorted(version.id for version in spec.versions)
    if built != asked:
        raise LastmileError(
            f"{source} was built from the versions {', '.join(built)}, but the spec has {', '.join(asked)}.",
            "Build and try it there first, then promote what was tried.",
        )


def _require_unchanged(plan: Plan, record: Record, source: Path) -> None:
    problems = [f"{f.function}: {text}" for f in verify_project(source, plan, None) for text in f.problems]
    problems += [
        f"{path} was changed after it was built."
        for path, state in record.outputs.items()
        if path in record.packages.values() and state_of(source / path) != state
    ]
    if problems:
        raise LastmileError(
            f"{source} is not what was built: {problems[0]}", "Build and try it there again, then promote it."
        )


def _known(function: FunctionPlan, source: Path) -> Built:
    package = function["package"]
    bundle = function["bundle"]
    return Built(bundle["digest"], size_of(source / bundle["path"]), package["base"] if package else None)


def _beside(plan: Plan, record: Record) -> list[str]:
    """Return what lies beside the bundles: packages, and documents with their signatures."""
    documents = [str(folder_of(Path(function["bundle"]["path"]))) for function in plan["functions"]]
    return [*record.packages.values(), *documents]


def _copy(source: Path, destination: Path) -> None:
    if destination.is_dir():
        shutil.rmtree(destination)
    if source.is_dir():
        shutil.copytree(source, destination)
    elif source.exists():
        shutil.copyfile(source, destination)
