"""From a spec to its estimates: builds and previews offline, measures, reads the live routing and what is deployed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from lastmile_sls import deploy
from lastmile_sls.build.prepare import Prepared, prepare
from lastmile_sls.compliance import previewed
from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.deployed import (
    deployed_plan,
    resources_of_state,
    restricted,
    versions_of_state,
)
from lastmile_sls.estimate.document import NOTHING, Estimate, Traffic
from lastmile_sls.estimate.duration import Measured, measure
from lastmile_sls.estimate.estimate import costs_of, estimate
from lastmile_sls.estimate.load import Shares, shadows_of, shares_of
from lastmile_sls.estimate.traffic import needs_measuring, traffic_of, versions_of
from lastmile_sls.estimate.traffic_file import EVERY, Shape
from lastmile_sls.plan.document import Plan, Target
from lastmile_sls.policy.resource import Resource
from lastmile_sls.prices.book import PriceBook
from lastmile_sls.spec.model import Spec
from lastmile_sls.targets.processors import processors

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Project:
    """All that a spec's estimates are made from."""

    prepared: Prepared
    resources: tuple[Resource, ...]
    """All that would be made, by name."""
    processors: Decimal
    """Of an instance."""
    live: Mapping[str, Any] | None
    """The routing document of the stack that is there; None where there is none."""
    state: Mapping[str, Any] | None
    """The stack's; None where there is none, or nobody asked for it."""
    notes: tuple[str, ...]
    """What could not be had."""


def target_of(spec: Spec, asked: Target | None) -> Target:
    """Return the target that is asked for, else the only cloud that the spec has a place on.

    Raises LastmileError for this machine, and where there is not one.
    """
    if asked is not None:
        if asked == "local":
            costs_of(asked)
        return asked
    places = {
        "aws": spec.targets.aws.region,
        "gcp": spec.targets.gcp.project,
        "azure": spec.targets.azure.location,
    }
    named: list[Target] = [cloud for cloud in ("aws", "gcp", "azure") if places[cloud]]
    if len(named) == 1:
        return named[0]
    if named:
        told = f"{', '.join(named[:-1])} and {named[-1]}"
        raise LastmileError(
            f"{spec.name} has a place on {told}.",
            f"Name one: --target {named[0]}\nOr all at once: lastmile compare",
        )
    raise LastmileError(
        f"{spec.name} names no cloud, and this machine has no meter.",
        "Add targets.aws.region, targets.gcp.project or targets.azure.location; which fits: lastmile fit",
    )


def look(
    spec_path: Path,
    target: Target,
    environ: Mapping[str, str],
    *,
    environment: str | None = None,
    wants_state: bool = False,
    tell: Tell = lambda _: None,
) -> Project:
    """Build and preview a spec offline, and look for a stack of it.

    Args:
        spec_path: The spec.
        target: A cloud.
        environ: The environment's variables.
        environment: Of this environment and not of the spec's.
        wants_state: Whether what is deployed is compared with; then a stack that cannot be read is an error.
        tell: Told what is being done.

    Raises LastmileError for what the spec, its files or the target refuse.
    """
    deploy.require_sdk(target)
    prepared = prepare(spec_path, target, environ, environment=environment, images=False, tell=tell)
    tell("previewing offline")
    seen = [_with_own_type(one) for one in previewed(prepared.program, environ)]
    resources = sorted(seen, key=lambda one: (one.name, one.type))
    live, state, notes = None, None, []
    try:
        engine = deploy.choose_preview(prepared.program, target, None, environ)
        if engine.name == "pulumi":
            tell("reading the stack")
            state = engine.export_state(prepared.program) if wants_state else None
            live = _live(prepared, engine.outputs(prepared.program), environ)
    except LastmileError as error:
        if wants_state and state is None:
            raise
        notes.append(f"the live traffic could not be read, so the spec's is taken: {error.message}")
    cores = processors(target, prepared.spec)
    return Project(prepared, tuple(resources), cores, live, state, tuple(notes))


def _with_own_type(resource: Resource) -> Resource:
    """Return a resource with its type alone, as a state has it: a preview puts a provider's parent before it."""
    return replace(resource, type=resource.type.rpartition("$")[2])


def _live(
    prepared: Prepared, outputs: Mapping[str, Any], environ: Mapping[str, str]
) -> Mapping[str, Any] | None:
    """Return the routing document of a stack that has one. Raises LastmileError when it cannot be read."""
    if not outputs.get("routing"):
        return None
    from lastmile_sls.cloud_stack import CloudStack

    return CloudStack(prepared.spec, prepared.plan["target"], outputs, environ).traffic().read()


def months(
    project: Project,
    shapes: Mapping[str, Shape],
    spec_path: Path,
    environ: Mapping[str, str],
    tell: Tell = lambda _: None,
) -> tuple[dict[str, Traffic], list[str]]:
    """Return each shape's month, measured on the bundle where it does not say how long things take, and what is not known.

    Raises LastmileError for a duration that is neither said nor can be measured.
    """
    plan = project.prepared.plan
    measured: Measured | None = None
    notes: list[str] = []
    if any(needs_measuring(shape, plan) for shape in shapes.values()):
        try:
            measured = measure(project.prepared, spec_path, environ, tell)
        except LastmileError as error:
            if not all(_says_durations(shape, plan) for shape in shapes.values()):
                raise
            notes.append(
                f"cold starts are counted as if they took no time: {error.message} (--init-ms says it)"
            )
    found = {name: traffic_of(shape, plan, measured, project.processors) for name, shape in shapes.items()}
    return found, notes


def _says_durations(shape: Shape, plan: Plan) -> bool:
    return EVERY in shape.duration or set(versions_of(plan)) <= shape.duration.keys()


def price(project: Project, traffic: Traffic, book: PriceBook, *, free_tier: bool = False) -> Estimate:
    """Return what would be deployed costs in a month. Raises as `estimate` does."""
    plan = project.prepared.plan
    return estimate(
        *(plan, project.resources, traffic, book),
        shares=_with_all(shares_of(plan, project.live), plan),
        shadows=shadows_of(plan, project.live),
        free_tier=free_tier,
    )


def price_deployed(
    project: Project, traffic: Traffic, book: PriceBook, *, free_tier: bool = False
) -> Estimate | None:
    """Return what is deployed costs in the same month; None where nothing is.

    Raises as `estimate` does, and LastmileError for what the state alone does not tell.
    """
    if project.state is None:
        return None
    resources = resources_of_state(project.state)
    plan = deployed_plan(project.prepared.plan, resources)
    versions = versions_of_state(project.state) or versions_of(plan)
    shadows = shadows_of(plan, project.live)
    return estimate(
        *(plan, resources, traffic, book),
        shares=restricted(shares_of(plan, project.live), versions),
        shadows={version: share for version, share in shadows.items() if version in versions},
        free_tier=free_tier,
    )


def _with_all(shares: Shares, plan: Plan) -> Shares:
    """Return the shares with the versions that the live traffic does not go to yet."""
    return {**dict.fromkeys(versions_of(plan), NOTHING), **shares}
