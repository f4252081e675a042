"""From a spec to a project: each stage takes the last one's value and returns its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lastmile_sls.build.inputs import key_of_inputs
from lastmile_sls.build.record import Record, read_record, write_record
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
from lastmile_sls.targets import environments, local
from lastmile_sls.targets.refusal import Refusal, refuse

OUTPUT_FOLDER = ".lastmile"
_DIGESTS = "digests.json"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """Everything that an engine needs, made from a spec."""

    spec: Spec
    plan: Plan
    program: Program
    """The project; of a cloud target it has no Pulumi program yet, only the plan and the bundles."""
    predictors: list[Served]
    """What serves each version."""
    environment: Environment | None
    """What the functions run on."""
    record: Record

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
    output: Path | None = None,
    eject: bool = False,
    upgrade: bool = False,
    tell: Tell = lambda _: None,
) -> Prepared:
    """Check a spec, bundle its models, plan its resources and write the project; what is current is left as it is.

    Args:
        spec_path: The spec file.
        target: Where the deployment goes.
        environ: The environment's variables.
        output: The project's folder; by default `.lastmile/<stack>` beside the spec.
        eject: Copy the Pulumi components into the project.
        upgrade: Choose the packages' versions anew.
        tell: Told what is being done.

    Raises LastmileError, before anything is written, for whatever the spec, its files or the target refuse.
    """
    spec = load(spec_path)
    folder = spec_path.resolve().parent
    check_files(spec, folder)
    refuse(target, [*environments.refusals(target, spec), *_refusals(target, spec)])
    place = output or folder / OUTPUT_FOLDER / stack_name(spec, target)
    digests = FileDigests(folder / OUTPUT_FOLDER / _DIGESTS)
    inputs = key_of_inputs(spec, folder, target, digests)
    record = read_record(place)
    environment = environments.environment_of(target, spec)
    if record is None or eject or upgrade or not _is_current(record, inputs, place):
        from lastmile_sls.build.builder import Builder  # what compiles and certifies takes a second to import

        builder = Builder(spec, spec_path, target, environment, environ, place, digests, tell)
        record = builder.build(eject=eject, upgrade=upgrade)
    digests.save()
    program = Program(place, spec.name, stack_name(spec, target))
    return Prepared(spec, read(place / "plan.json"), program, record.predictors, environment, record)


def _is_current(record: Record, inputs: str, place: Path) -> bool:
    """Tell whether all that was built is there as it was, the documents beside each bundle too."""
    if not record.is_current(inputs, place):
        return False
    bundles = [function["bundle"] for function in read(place / "plan.json")["functions"]]
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


def find_program(spec_path: Path, target: Target) -> Program:
    """Return the project that `prepare` wrote for a spec; its files may be gone, its names are the same."""
    spec = load(spec_path)
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


def _refusals(target: Target, spec: Spec) -> list[Refusal]:
    return local.refusals(spec, local.this_machine()) if target == "local" else []
