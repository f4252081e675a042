"""`lastmile inspect`: say what would serve each version of a spec, why, and how large it is."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.predictors import predictors_of, show_predictors
from lastmile_sls.cli.progress import Progress, show_functions
from lastmile_sls.words import size


@click.command("inspect")
@options.spec_option
@options.target_option
@click.option("--files", is_flag=True, help="Show every file, not the largest alone.")
@click.option(
    "--chart",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Start it once more, and write where the cold start goes to this file, as a page with a chart.",
)
@options.json_option
def command(spec_path: Path | None, target: str, files: bool, chart: Path | None, as_json: bool) -> None:
    """Build the spec if it changed; show predictors, proofs, first answers, and what takes room in each bundle."""
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.build.prepare import measure_first_answers, prepare
    from lastmile_sls.build.sizes import sizes_of, tree

    path, environ = find_spec(spec_path), os.environ
    with closing(Progress(quiet=as_json)) as progress:
        prepared = prepare(path, as_target(target), environ, tell=progress.tell)
        answers = measure_first_answers(prepared, progress.tell)
        if chart:
            from lastmile_sls.build.check import chart_of

            chart.write_text(chart_of(prepared, environ, progress.tell), encoding="utf-8")
    names = [function["name"] for function in prepared.plan["functions"]]
    sizes = {name: sizes_of(prepared.bundle(name)) for name in names}
    if as_json:
        predictors = predictors_of(prepared.predictors, answers)
        options.print_json(
            {"predictors": predictors, "sizes": {name: found.to_json() for name, found in sizes.items()}}
        )
        return
    show_functions(prepared.plan)
    show_predictors(prepared.predictors, answers)
    for name, found in sizes.items():
        click.echo(f"\n{name}: {size(found.bytes)} in {found.files} files")
        for line in tree(found, everything=files):
            click.echo(line)
    if chart:
        click.echo(f"\nwhere the cold start goes: {chart}", err=True)
