"""From a spec file to a running deployment: each stage takes the last one's value and returns its own."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

import psutil

from lastmile_sls.bundle.groups import build_bundles
from lastmile_sls.bundle.models import Served, describe, free_of_framework, prepare_models
from lastmile_sls.certification.first_answer import FirstAnswer, measure_all
from lastmile_sls.engine.embedded.engine import EmbeddedEngine
from lastmile_sls.engine.interface import Engine, EngineError, EngineName, Program
from lastmile_sls.errors import LastmileError
from lastmile_sls.local import records, supervise
from lastmile_sls.local.home import Place, deployments, find_home
from lastmile_sls.local.resources.route import check_port
from lastmile_sls.plan.document import Plan, Target
from lastmile_sls.plan.grouping import group_versions
from lastmile_sls.plan.make import bundle_path, make_plan, stack_name
from lastmile_sls.program.write import write_program
from lastmile_sls.spec.load import check_files, load
from lastmile_sls.spec.model import Spec
from lastmile_sls.targets import local
from lastmile_sls.targets.refusal import refuse
from lastmile_sls.traffic.change import told, used_versions
from lastmile_sls.traffic.local import find_traffic

SPEC_FILE = "lastmile.yaml"
OUTPUT_FOLDER = ".lastmile"


@dataclass(frozen=True)
class Prepared:
    """Everything that an engine needs, made from a spec."""

    spec: Spec
    plan: Plan
    program: Program
    predictors: list[Served]
    """What serves each version."""


def find_spec(path: Path | None) -> Path:
    """Return the spec file: the one given, or `lastmile.yaml` in the working folder."""
    found = path or Path(SPEC_FILE)
    if found.is_dir():
        found = found / SPEC_FILE
    if not found.exists():
        where = f"{found} is not there." if path else f"there is no {SPEC_FILE} in {Path.cwd()}."
        raise LastmileError(where, "Name one with --spec, or write one: lastmile init MODEL")
    return found


def as_target(name: str) -> Target:
    """Return the target of that name. Raises LastmileError when there is none."""
    if name not in get_args(Target):
        raise LastmileError(f"target is {name!r}, but must be one of {', '.join(get_args(Target))}.")
    return cast("Target", name)


def check_target(target: Target, environ: Mapping[str, str]) -> None:
    """Raise LastmileError unless this machine and this version can deploy to the target."""
    if target == "local":
        return
    from lastmile_sls.engine.pulumi_cli.command import find_command

    find_command(search_path=environ.get("PATH"))
    raise LastmileError(
        f"target is {target!r}, but lastmile 0.1 deploys to 'local' only.", "Leave --target out."
    )


def prepare(
    spec_path: Path,
    target: Target,
    *,
    output: Path | None = None,
    eject: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Prepared:
    """Check a spec, bundle its models, plan its resources and write the Pulumi project.

    Args:
        spec_path: The spec file.
        target: Where the deployment goes.
        output: The project's folder; by default `.lastmile/<stack>` beside the spec.
        eject: Copy the Pulumi components into the project.
        tell: Told what is being done.

    Raises LastmileError, before anything is written, for whatever the spec, its files or the target refuse.
    """
    spec = load(spec_path)
    folder = spec_path.resolve().parent
    check_files(spec, folder)
    refuse(target, local.refusals(spec, this_machine()))
    with tempfile.TemporaryDirectory(prefix="lastmile-") as scratch:
        group_versions(spec, this_interpreter())  # refuses what is no requirement before anything takes long
        models = prepare_models(spec, folder, Path(scratch), tell)
        groups = group_versions(spec, this_interpreter(), free_of_framework(models))
        built = build_bundles(spec, groups, models, folder, Path(scratch) / "bundles")
        plan = make_plan(spec, target, groups, {name: bundle.digest for name, bundle in built.items()})
        place = output or folder / OUTPUT_FOLDER / plan["stack"]
        bundles = {bundle_path(name): bundle.folder for name, bundle in built.items()}
        reports = {f"certification-{m.version.id}.json": m.report.to_json() for m in models if m.report}
        program = write_program(plan, bundles, place, reports, eject=eject)
        predictors = [describe(model) for model in models]
    return Prepared(spec, plan, program, predictors)


def measure_first_answers(
    prepared: Prepared, tell: Callable[[str], None] = lambda _: None
) -> dict[str, FirstAnswer | str]:
    """Start each version of the built bundles anew and ask it once; a text says why one was not measured."""
    found: dict[str, FirstAnswer | str] = {}
    for function in prepared.plan["functions"]:
        tell(f"measuring first answers of {function['name']}")
        bundle, spec = function["bundle"], prepared.spec
        folder = prepared.program.folder / bundle["path"]
        found |= measure_all(folder, bundle["digest"], spec.name, spec.contract.inputs)
    return found


def find_program(spec_path: Path, target: Target) -> Program:
    """Return the project that `prepare` wrote for a spec; its files may be gone, its names are the same."""
    spec = load(spec_path)
    stack = stack_name(spec, target)
    return Program(spec_path.resolve().parent / OUTPUT_FOLDER / stack, spec.name, stack)


def this_interpreter() -> Mapping[str, str]:
    """Return what requirements' markers are evaluated with: the local target runs every function with this interpreter."""
    from packaging.markers import default_environment

    return {name: str(value) for name, value in default_environment().items()}


def this_machine() -> local.Machine:
    """Return what limits a deployment here."""
    processor = {"AMD64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return local.Machine(psutil.virtual_memory().total // 2**20, processor)


def embedded_engine(home: Path) -> EmbeddedEngine:
    """Return the embedded engine with the packages that it carries."""
    from lastmile_sls.provider.service import LastmileProvider

    return EmbeddedEngine(home / "stacks", {"lastmile": lambda: LastmileProvider("embedded", home)})


def get_engine(name: EngineName, environ: Mapping[str, str]) -> Engine:
    """Return an engine by its name. Raises LastmileError when the Pulumi CLI is asked for and is not there."""
    home = find_home(environ)
    if name == "embedded":
        return embedded_engine(home)
    from lastmile_sls.engine.pulumi_cli.command import find_command
    from lastmile_sls.engine.pulumi_cli.engine import PulumiCliEngine

    find_command(search_path=environ.get("PATH"))
    return PulumiCliEngine(home, environ)


def choose_engine(
    program: Program, asked: EngineName | None, environ: Mapping[str, str], *, take_over: bool
) -> Engine:
    """Return the engine for a program's stack; refuse, or take over, a stack that the other engine made.

    The embedded engine is the default. `take_over` hands the other engine's stack to the one asked for:
    nothing is deployed anew.
    """
    engine = get_engine(asked or "embedded", environ)
    if engine.exists(program) and not take_over:
        return engine
    maker = _other_engine(engine, environ)
    if not maker.exists(program):
        return engine
    if not take_over:
        raise EngineError(
            f"the stack {program.stack} of {program.project} was made by the {maker.name} engine.",
            f"Go on with it: --engine {maker.name}\n"
            f"Or let the {engine.name} engine take it over, as it stands: "
            f"--engine {engine.name} --take-over",
        )
    hand_over(program, maker, engine, find_home(environ))
    return engine


def hand_over(program: Program, source: Engine, destination: Engine, home: Path) -> None:
    """Move a stack from one engine to the other, without touching what is deployed; interrupted, it can be repeated."""
    if not destination.exists(program):
        destination.adopt_state(program, source.export_state(program))
    for place in deployments(home):
        records.set_engine(place, urn_prefix(program), destination.name)
    source.forget(program)


def check_free(prepared: Prepared, home: Path) -> None:
    """Raise LastmileError, before anything is made, when the names or the port that a plan needs are taken."""
    place = Place.of(home, prepared.plan["deployment"])
    mine = urn_prefix(prepared.program)
    for kind in records.KINDS:
        for record in records.all_of(place, kind):
            if not record.owner.urn.startswith(mine):
                raise LastmileError(
                    f"the {kind} {record.name} of {place.deployment} belongs to another stack ({record.owner.urn}).",
                    "Destroy it there first, or give this deployment another name or environment.",
                )
    _check_traffic(prepared, place)
    port = prepared.plan["endpoint"]["port"]
    route = records.get(place, "route", prepared.plan["endpoint"]["name"])
    if port and not (route and route.outputs.get("port") == port and supervise.is_running(place)):
        check_port(port)


def _check_traffic(prepared: Prepared, place: Place) -> None:
    """Raise LastmileError when the spec drops a version that the live traffic still goes to."""
    traffic = find_traffic(place)
    if traffic is None:
        return
    document = traffic.read()
    kept = [version.id for version in prepared.spec.versions]
    dropped = sorted(used_versions(document) - set(kept))
    if dropped:
        raise LastmileError(
            f"the spec drops the version {dropped[0]}, but the live traffic goes to it: {told(document['weights'])}.",
            "Move it away first: lastmile traffic set, shadow or promote. Then run this again.",
        )
    if len(kept) == 1 and document["champion"] != kept[0]:
        raise LastmileError(
            f"the spec keeps {kept[0]} alone, but the champion is {document['champion']}.",
            f"lastmile traffic promote {kept[0]}",
        )


def urn_prefix(program: Program) -> str:
    """Return how the URN of every resource of a program's stack begins."""
    return f"urn:pulumi:{program.stack}::{program.project}::"


def _other_engine(engine: Engine, environ: Mapping[str, str]) -> Engine:
    """Return the engine that this one is not; the CLI need not be there for its local stacks to be seen."""
    from lastmile_sls.engine.pulumi_cli.engine import PulumiCliEngine

    home = find_home(environ)
    return PulumiCliEngine(home, environ) if engine.name == "embedded" else embedded_engine(home)


def environ() -> Mapping[str, str]:
    """Return the process's environment."""
    return os.environ
