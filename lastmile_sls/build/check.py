"""Runs the built bundles of a project as their target would, on the answers that were certified."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lastmile_runtime.manifest import FILE
from lastmile_sls.build.prepare import Prepared
from lastmile_sls.bundle.interpreter import find_interpreter
from lastmile_sls.bundle.trust.beside import (
    IMPORTS,
    bind,
    certification_name,
    folder_of,
    read_documents,
    write_documents,
)
from lastmile_sls.check.answers import Question
from lastmile_sls.check.check import STARTS, check_bundle
from lastmile_sls.check.checked import Checked
from lastmile_sls.check.run import Run
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import FunctionPlan
from lastmile_sls.targets import environments

Tell = Callable[[str], None]
_NOBODY = "unix:///nowhere#nobody"
"""Where a router's other functions would be: they are checked by themselves."""


def check_project(
    prepared: Prepared,
    environ: Mapping[str, str],
    tell: Tell = lambda _: None,
    *,
    starts: int = STARTS,
    budget_ms: float | None = None,
    contracts: tuple[str, ...] | None = None,
) -> dict[str, Checked]:
    """Check the bundle of each function, and keep its import profile beside it; return what was found by function.

    Args:
        prepared: The project.
        environ: The environment's variables.
        tell: Told what is being done.
        starts: How often each is started anew.
        budget_ms: The first answer must be there by then; by default what the spec says.
        contracts: Under which of the target's contracts; by default all.

    Raises LastmileError for what keeps it from being checked here.
    """
    budget = budget_ms if budget_ms is not None else prepared.spec.bundle.cold_start_budget_ms
    interpreter = _interpreter(prepared, environ, tell)
    found = {}
    for function in prepared.plan["functions"]:
        _require_runnable(prepared, function)
        bundle, digest = prepared.bundle(function["name"]), function["bundle"]["digest"]
        documents = read_documents(folder_of(bundle))
        questions = _questions(function, documents.contents)
        run = Run(
            prepared.plan["target"],
            bundle,
            digest,
            interpreter,
            function["memory_mb"],
            function["timeout_s"],
            function["routing"],
            function_environment(function),
            function["entry"],
            form=function["package"]["form"] if function["package"] else "zip",
            contracts=contracts,
        )
        tell(f"checking {function['name']}")
        checked = check_bundle(
            run, questions, tell, starts=starts, cold_start_budget_ms=budget, environ=environ
        )
        profiles = {result.contract: result.profile.to_json() for result in checked.results if result.profile}
        if profiles:
            contents = {**documents.contents, IMPORTS: bind({"contracts": profiles}, digest)}
            write_documents(folder_of(bundle), digest, contents)
        found[function["name"]] = checked
    return found


def write_charts(found: Mapping[str, Checked], folder: Path) -> list[Path]:
    """Write a page per function and contract with where the cold start goes; return the pages. Raises LastmileError."""
    from lastmile_sls.check.flame import render

    pages = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for function, checked in found.items():
            for result in checked.results:
                if result.median is not None and result.profile is not None:
                    page = folder / f"{function}-{result.contract.replace(' ', '-')}.html"
                    page.write_text(render(checked, result), encoding="utf-8")
                    pages.append(page)
    except OSError as error:
        raise LastmileError(
            f"the charts in {folder} could not be written: {error.strerror or error}."
        ) from error
    return pages


def chart_of(prepared: Prepared, environ: Mapping[str, str], tell: Tell = lambda _: None) -> str:
    """Return the page with where the cold start of the router's function goes, after one start under each contract.

    Raises LastmileError for what keeps it from being started here.
    """
    from lastmile_sls.check.flame import render

    checked = next(iter(check_project(prepared, environ, tell, starts=1).values()))
    for result in checked.results:
        if result.median is not None and result.profile is not None:
            return render(checked, result)
    raise LastmileError("it did not start: " + "; ".join(check.message for check in checked.failed))


def _questions(function: FunctionPlan, documents: Mapping[str, bytes]) -> list[Question]:
    """Return the certified answers of a function's versions as questions. Raises LastmileError when one has none."""
    found = []
    for version in function["versions"]:
        document = json.loads(documents[certification_name(version)])
        if not document["examples"]:
            raise LastmileError(
                f"nothing is known of what {version} answers: it could not be asked when it was built.",
                "Install what it was made with, name a sample in the spec, and build it again.",
            )
        tolerances = document.get("tolerances", {})
        found += [
            Question(version, one["inputs"], one["outputs"], tolerances) for one in document["examples"]
        ]
    return found


def function_environment(function: FunctionPlan) -> dict[str, str]:
    """Return what the plan sets, without who may call: the answers are checked here, and there is no issuer."""
    planned = {name: value for name, value in function["environment"].items() if name != "LASTMILE_AUTH"}
    calls = sorted(set(function["calls"].values()))
    return {**planned, **({"LASTMILE_FUNCTIONS": json.dumps(dict.fromkeys(calls, _NOBODY))} if calls else {})}


def _interpreter(prepared: Prepared, environ: Mapping[str, str], tell: Tell) -> Path:
    if prepared.plan["target"] == "local" or prepared.environment is None:
        return Path(sys.executable)
    return find_interpreter(prepared.environment.python, download=True, tell=tell, environ=environ)


def _require_runnable(prepared: Prepared, function: FunctionPlan) -> None:
    """Raise LastmileError for packages of another processor; a bundle without any runs on either."""
    here = environments.here()
    if prepared.environment is None or (here and here.processor == prepared.environment.processor):
        return
    manifest: dict[str, Any] = json.loads((prepared.bundle(function["name"]) / FILE).read_bytes())
    if manifest.get("libraries"):
        machine = here.processor if here else "another system"
        raise LastmileError(
            f"the bundle of {function['name']} has packages for {prepared.environment.processor}, but this machine is "
            f"{machine}.",
            f"Check it on a machine with {prepared.environment.processor}, or write resources.processor: {machine}.",
        )
