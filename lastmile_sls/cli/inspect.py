"""`lastmile inspect`: say what would serve each version of a spec, and why; nothing is kept."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.predictors import predictors_of, show_predictors
from lastmile_sls.cli.progress import Progress, show_functions


@click.command("inspect")
@options.spec_option
@options.json_option
def command(spec_path: Path | None, as_json: bool) -> None:
    """Compile and certify each version, and measure its first answer."""
    from lastmile_sls import deploy

    path = deploy.find_spec(spec_path)
    with (
        tempfile.TemporaryDirectory(prefix="lastmile-") as folder,
        closing(Progress(quiet=as_json)) as progress,
    ):
        prepared = deploy.prepare(path, "local", output=Path(folder) / "project", tell=progress.tell)
        answers = deploy.measure_first_answers(prepared, progress.tell)
    if as_json:
        options.print_json({"predictors": predictors_of(prepared.predictors, answers)})
        return
    show_functions(prepared.plan)
    show_predictors(prepared.predictors, answers)
