"""`lastmile inspect`: say what would serve each version of a spec, and why; nothing is kept."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.predictors import measure_first_answers, predictors_of, show_predictors
from lastmile_sls.cli.progress import Telling, show_functions


@click.command("inspect")
@options.spec_option
@options.json_option
def command(spec_path: Path | None, as_json: bool) -> None:
    """Compile and certify each version, and measure its first answer."""
    from lastmile_sls import deploy

    path = deploy.find_spec(spec_path)
    with tempfile.TemporaryDirectory(prefix="lastmile-") as folder, Telling(quiet=as_json) as tell:
        prepared = deploy.prepare(path, "local", output=Path(folder) / "project", tell=tell)
        tell("measuring first answers")
        answers = measure_first_answers(prepared)
    if as_json:
        options.print_json({"predictors": predictors_of(prepared.predictors, answers)})
        return
    show_functions(prepared.plan)
    show_predictors(prepared.predictors, answers)
