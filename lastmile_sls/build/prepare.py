"""From a spec to a project: each stage takes the last one's value and returns its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lastmile_sls.build.inputs import key_of_inputs
from lastmile_sls.build.record import Record, read_record, write_record
from lastmile_sls.build.warm import keep_warm
from lastmile_sls.bundle.cache import FileDigests
from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.bundle.served import Served
from lastmile_sls.bundle.trust.beside import folder_of, verify_documents
from lastmile_sls.certification.first_answer import FirstAnswer, measure_all
from lastmile_sls.engine.interface import Program
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Plan, Target, read
from lastmile_sls.plan.make import bundle_path, stack_name
from lastmile_sls.spec.load import check_files, load
from lastmile_sls.spec.model import Spec
from lastmile_sls.targets import environments
from lastmile_sls.targets.fit import refusals
from lastmile_sls.targets.refusal import refuse

OUTPUT_FOLDER = ".lastmile"
_DIGESTS = "digests.json"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """Everything that an engine needs, made from a spec."""

    spec: Spec
    plan: Plan
    program: Program
    """The project."""
    predictors: list[Served]
    """What serves each version."""
    environment: Environment | None
    """What the functions run on."""
    record: Record
    overrides: tuple[str, ...] = ()
    """What of the plan is not as the spec says, in words (see `lastmile_sls.budget.override`)."""

    @property
    def packages(self) -> Mapping[str, str]:
        """The form in which the target takes each function's bundle, by path relative to the project; none for local."""
        return self.record.packages

    def bundle(self, function: str) -> Path:
        """Return the folder of a function's bundle."""
        return self.program.folder / bundle_path(function)


def prepare(
    spec_path: Path,
    target: Target,
    environ: Mapping[str, str],
    *,
    environment: str | None = None,
    bundles_of: str | None = None,
    output: Path | None = None,
    eject: bool = False,
    upgrade: bool = False,
    images: bool = True,
    memory_mb: int | None = None,
    tell: Tell = lambda _: None,
) -> Prepared:
    """Check a spec, bundle its models, plan its resources and write the project; what is current is left as it is.

    Args:
        spec_path: The spec file.
        target: Where the deployment goes.
        environ: The environment's variables.
        environment: Deploy to this environment and not to the spec's.
        bundles_of: Take the bundles that were built for this environment, as they are, and build nothing.
        output: The project's folder; by default `.lastmile/<stack>` beside the spec.
        eject: Copy the Pulumi components into the project.
        upgrade: Choose the packages' versions anew.
        images: Make the images where the target takes some; a preview does without.
        memory_mb: With this memory and not the spec's; name an `output` of its own then.
        tell: Told what is being done.

    Raises LastmileError, before anything is written, for whatever the spec, its files or the target refuse.
    """
    spec = load(spec_path, environment)
    if memory_mb is not None:
        spec = spec.with_memory(memory_mb)
    folder = spec_path.resolve().parent
    if bundles_of is None:
        check_files(spec, folder)
    refuse(target, refusals(target, spec))
    place = output or folder / OUTPUT_FOLDER / stack_name(spec, target)
    digests = FileDigests(folder / OUTPUT_FOLDER / _DIGESTS)
    runs_on = environments.environment_of(target, spec)
    if bundles_of is not None:
        from lastmile_sls.build.promote import promote

        tell(f"taking the bundles of {bundles_of}")
        source = folder / OUTPUT_FOLDER / stack_name(load(spec_path, bundles_of), target)
        record = promote(spec, target, runs_on, source, place)
    else:
        inputs = key_of_inputs(spec, folder, target, digests)
        found = read_record(place)
        if found is not None and not (eject or upgrade) and _is_current(found, inputs, place, images=images):
            record = found
        else:
            from lastmile_sls.build.builder import Builder  # what compiles takes a second to import

            builder = Builder(spec, spec_path, target, runs_on, environ, place, digests, tell)
            record = builder.build(eject=eject, upgrade=upgrade, images=images)
        digests.save()
    program = Program(place, spec.name, stack_name(spec, target))
    plan, record = keep_warm(place, record, spec.resources.min_instances)
    return Prepared(spec, plan, program, record.predictors, runs_on, record)


def _is_current(record: Record, inputs: str, place: Path, *, images: bool) -> bool:
    """Tell whether all that was built is there as it was, the documents beside each bundle too."""
    if not record.is_current(inputs, place):
        return False
    functions = read(place / "plan.json")["functions"]
    if images and any(
        function["package"] and function["name"] not in record.packages for function in functions
    ):
        return False
    bundles = [function["bundle"] for function in functions]
    return not any(
        verify_documents(bundle["digest"], folder_of(place / bundle["path"])) for bundle in bundles
    )


def measure_first_answers(prepared: Prepared, tell: Tell = lambda _: None) -> dict[str, FirstAnswer | str]:
    """Start each version of the built bundles anew and ask it once; a text says why one was not measured.

    What was measured of the same build before is not measured again.
    """
    if prepared.record.answers is not None:
        return prepared.record.answers
    found: dict[str, FirstAnswer | str] = {}
    here = environments.here()
    for function in prepared.plan["functions"]:
        if not _runs_here(prepared.environment, here):
            told = f"it runs on {prepared.environment}"
            found |= dict.fromkeys(function["versions"], told)
            continue
        tell(f"measuring first answers of {function['name']}")
        spec = prepared.spec
        folder = prepared.bundle(function["name"])
        found |= measure_all(folder, function["bundle"]["digest"], spec.name, spec.contract.inputs)
    write_record(prepared.program.folder, replace(prepared.record, answers=found))
    return found


def _runs_here(environment: Environment | None, here: Environment | None) -> bool:
    if environment is None or here is None:
        return environment is here
    return (environment.python, environment.processor) == (here.python, here.processor)


def find_program(spec_path: Path, target: Target, environment: str | None = None) -> Program:
    """Return the project that `prepare` wrote for a spec; its files may be gone, its names are the same."""
    spec = load(spec_path, environment)
    stack = stack_name(spec, target)
    return Program(spec_path.resolve().parent / OUTPUT_FOLDER / stack, spec.name, stack)


def find_plan(program: Program, doing: str) -> Plan:
    """Return the plan of a project. Raises LastmileError when nothing was built; `doing` is what cannot be done then."""
    path = program.folder / "plan.json"
    if not path.exists():
        raise LastmileError(
            f"there is nothing to {doing}: {path} is not there.", "Run `lastmile build` first."
        )
    return read(path)
