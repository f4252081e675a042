"""`lastmile build`: write the Pulumi project without deploying it."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.invocation import invocation
from lastmile_sls.cli.predictors import bytes_of, predictors_of, show_predictors
from lastmile_sls.cli.progress import Progress, show_functions
from lastmile_sls.words import size


@click.command("build")
@options.spec_option
@options.target_option
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    help="The project's folder. Default: .lastmile/<stack> beside the spec.",
)
@click.option(
    "--eject", is_flag=True, help="Copy the Pulumi components in, so that they are yours to change."
)
@click.option("--upgrade", is_flag=True, help="Choose the packages' versions anew, and write lastmile.lock.")
@options.json_option
def command(
    spec_path: Path | None, target: str, output: Path | None, eject: bool, upgrade: bool, as_json: bool
) -> None:
    """Check the spec, bundle its models, plan its resources, and write the project.

    For a cloud the project has the bundles in the form that it takes; the Pulumi program is written for local only.
    """
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.build.prepare import measure_first_answers, prepare

    path = find_spec(spec_path)
    with closing(Progress(quiet=as_json)) as progress:
        prepared = prepare(
            *(path, as_target(target), os.environ),
            output=output,
            eject=eject,
            upgrade=upgrade,
            tell=progress.tell,
        )
        answers = measure_first_answers(prepared, progress.tell)
    folder = prepared.program.folder
    if as_json:
        predictors = predictors_of(prepared.predictors, answers)
        packages = {name: str(folder / place) for name, place in prepared.packages.items()}
        options.print_json(
            {"project": str(folder), "plan": prepared.plan, "predictors": predictors, "packages": packages}
        )
        return
    click.echo(f"project: {folder}\nstack: {prepared.program.stack}")
    for function in prepared.plan["functions"]:
        click.echo(f"bundle of {function['name']}: {function['bundle']['digest']}")
    for name, place in prepared.packages.items():
        click.echo(f"package of {name}: {folder / place}, {size(bytes_of(folder / place))}")
    show_functions(prepared.plan)
    show_predictors(prepared.predictors, answers)
    if target == "local":
        click.echo(f"\ndeploy it: cd {folder} && pulumi up", err=True)
    else:
        click.echo(
            f"\nrun it as {target} would: {invocation('check', spec_path)} --target {target}", err=True
        )
