"""`lastmile build`: write the Pulumi project without deploying it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.predictors import predictors_of, show_predictors
from lastmile_sls.cli.progress import Progress, show_functions


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
@options.json_option
def command(spec_path: Path | None, target: str, output: Path | None, eject: bool, as_json: bool) -> None:
    """Check the spec, bundle its models, plan its resources, and write the Pulumi project."""
    from lastmile_sls import deploy

    deploy.check_target(deploy.as_target(target), deploy.environ())
    path = deploy.find_spec(spec_path)
    with closing(Progress(quiet=as_json)) as progress:
        prepared = deploy.prepare(
            path, deploy.as_target(target), output=output, eject=eject, tell=progress.tell
        )
        answers = deploy.measure_first_answers(prepared, progress.tell)
    folder = prepared.program.folder
    if as_json:
        predictors = predictors_of(prepared.predictors, answers)
        options.print_json({"project": str(folder), "plan": prepared.plan, "predictors": predictors})
        return
    click.echo(f"project: {folder}\nstack: {prepared.program.stack}")
    for function in prepared.plan["functions"]:
        click.echo(f"bundle of {function['name']}: {function['bundle']['digest']}")
    show_functions(prepared.plan)
    show_predictors(prepared.predictors, answers)
    click.echo(f"\ndeploy it: cd {folder} && pulumi up", err=True)
