"""Starts a built bundle as its target would, asks it, and looks at answers, time, memory and size."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from lastmile_runtime.manifest import Manifest
from lastmile_sls.check import verdicts
from lastmile_sls.check.answers import Question, expected_of
from lastmile_sls.check.bundle import made_for_another, measure, read_manifest
from lastmile_sls.check.checked import Check, Checked, Result
from lastmile_sls.check.contract import Contract
from lastmile_sls.check.interpreter import Interpreter, probe
from lastmile_sls.check.run import Run
from lastmile_sls.check.tools import install
from lastmile_sls.check.trial import Tell, Trial, Workshop, version_ids
from lastmile_sls.errors import LastmileError
from lastmile_sls.local.home import find_home

STARTS = 3


def check_bundle(
    run: Run,
    questions: Sequence[Question],
    tell: Tell = lambda _: None,
    *,
    starts: int = STARTS,
    cold_start_budget_ms: float | None = None,
    profiles_imports: bool = True,
    environ: Mapping[str, str] | None = None,
) -> Checked:
    """Run a built bundle under its target's contracts, and return what was found; no process of it is left.

    Args:
        run: The bundle, and what it is run with.
        questions: What it is asked; at least one. The champion's first one is the first prediction.
        tell: Told what is being done.
        starts: How often it is started anew; what is told of a start is of the median one.
        cold_start_budget_ms: The first answer must be there by then.
        profiles_imports: Start it once more under each contract, with the interpreter's import profile.
        environ: This machine's environment, for lastmile's folder and the package index; by default `os.environ`.

    Raises LastmileError for what keeps it from being checked: no bundle, no interpreter, no runtime client, questions
    that are none. What is wrong with the bundle is a failed check.
    """
    environ = os.environ if environ is None else environ
    manifest = read_manifest(run.folder)
    _require_questions(questions, manifest)
    if starts < 1:
        raise LastmileError(f"starts is {starts}, but must be at least 1.", "Raise it.")
    contracts = run.chosen()
    interpreter = probe(run.interpreter)
    size = measure(run.folder)
    checks = [
        *verdicts.of_size(run.target, size, run.form),
        verdicts.of_configured_memory(run.target, run.memory_mb, run.form),
    ]
    unfit = made_for_another(run.folder, interpreter)
    checks.append(verdicts.of_python(unfit, interpreter))
    results: list[Result] = []
    if unfit is None:
        # All clients first: what cannot be installed is told before anything takes its time.
        clients = [_install(contract, interpreter, environ, tell) for contract in contracts]
        with tempfile.TemporaryDirectory(prefix="lastmile-check-") as scratch:
            workshop = Workshop(run, manifest, interpreter, Path(scratch))
            for contract, client in zip(contracts, clients, strict=True):
                trial = Trial(workshop, contract, client, _in_order(questions, run), tell)
                trial.run(starts, profiles_imports=profiles_imports)
                results.append(trial.result())
                checks += trial.checks(cold_start_budget_ms)
    else:
        told = "the bundle is made for another Python."
        checks += [Check(f"answers of {id_}", "skipped", told) for id_ in version_ids(questions)]
    version = ".".join(map(str, interpreter.version))
    return Checked(run.target, manifest.model, run.digest, version, size, tuple(results), tuple(checks))


def _install(
    contract: Contract, interpreter: Interpreter, environ: Mapping[str, str], tell: Tell
) -> Path | None:
    """Return the folder of a contract's runtime client; None where it has none."""
    if contract.tool is None:
        return None
    tell(f"{contract.tool.name} {contract.tool.version} for Python {interpreter.minor}")
    return install(contract.tool, interpreter, find_home(environ) / "tools", environ)


def _require_questions(questions: Sequence[Question], manifest: Manifest) -> None:
    if not questions:
        raise LastmileError("There is no question to ask.", "Give at least one, of the sample's rows.")
    versions = {version.id: version for version in manifest.versions}
    for index, question in enumerate(questions):
        version = versions.get(question.version)
        if version is None:
            told = f"questions[{index}].version is {question.version!r}, but the bundle has {', '.join(versions)}."
            raise LastmileError(told, "Name one of them.")
        if version.remote is not None:
            raise LastmileError(
                f"questions[{index}].version is {question.version!r}, which another function serves: "
                f"{version.remote['function']}.",
                "Check that function's bundle.",
            )
        try:
            expected_of(question)
            question.body()
        except (ValueError, LookupError, TypeError) as error:
            told = f"questions[{index}] cannot be asked: {error}."
            raise LastmileError(told, "Write tensors as the Open Inference Protocol has them.") from error


def _in_order(questions: Sequence[Question], run: Run) -> list[Question]:
    """Return the questions, the champion's first: it is what a start loads."""
    return sorted(questions, key=lambda question: question.version != run.routing.get("champion"))
