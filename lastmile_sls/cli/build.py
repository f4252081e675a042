"""`lastmile build`: write the project for a target without deploying it."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.invocation import invocation
from lastmile_sls.cli.predictors import predictors_of, show_predictors
from lastmile_sls.cli.progress import Progress, show_functions
from lastmile_sls.errors import LastmileError
from lastmile_sls.files import size_of
from lastmile_sls.words import size

if TYPE_CHECKING:
    from lastmile_sls.build.prepare import Prepared


@click.command("build")
@options.spec_option
@options.target_option
@options.environment_option
@options.bundles_of_option
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
@click.option(
    "--push", metavar="REPOSITORY", help="Send the images to REPOSITORY/FUNCTION, REGISTRY/... at a registry."
)
@options.json_option
def command(
    spec_path: Path | None,
    target: str,
    environment: str | None,
    bundles_of: str | None,
    output: Path | None,
    eject: bool,
    upgrade: bool,
    push: str | None,
    as_json: bool,
) -> None:
    """Check the spec, bundle its models, plan its resources, and write the Pulumi project."""
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.build.prepare import measure_first_answers, prepare

    path = find_spec(spec_path)
    with closing(Progress(quiet=as_json)) as progress:
        prepared = prepare(
            *(path, as_target(target), os.environ),
            environment=environment,
            bundles_of=bundles_of,
            output=output,
            eject=eject,
            upgrade=upgrade,
            tell=progress.tell,
        )
        answers = measure_first_answers(prepared, progress.tell)
        pushed: dict[str, str] = {}
        if push:
            from lastmile_sls.build.push import push_images

            pushed = push_images(prepared, path, push, os.environ, progress.tell)
    folder = prepared.program.folder
    if as_json:
        predictors = predictors_of(prepared.predictors, answers)
        packages = {name: str(folder / place) for name, place in prepared.packages.items()}
        options.print_json(
            {
                "project": str(folder),
                "plan": prepared.plan,
                "predictors": predictors,
                "packages": packages,
                "pushed": pushed,
            }
        )
        return
    click.echo(f"project: {folder}\nstack: {prepared.program.stack}")
    for function in prepared.plan["functions"]:
        click.echo(f"bundle of {function['name']}: {function['bundle']['digest']}")
    for name, place in prepared.packages.items():
        click.echo(f"package of {name}: {folder / place}, {size(size_of(folder / place))}")
    for name, reference in pushed.items():
        click.echo(f"image of {name}: {reference}")
    show_functions(prepared.plan)
    show_predictors(prepared.predictors, answers)
    show_system_libraries(prepared)
    show_signatures(prepared, path)
    if target != "local":
        click.echo(
            f"\nrun it as {target} would: {invocation('check', spec_path)} --target {target}", err=True
        )
    click.echo(f"\ndeploy it: cd {folder} && pulumi up", err=True)


def show_system_libraries(prepared: Prepared) -> None:
    """Say what packages load and do not bring: slim images often lack it."""
    for function, libraries in prepared.record.system_libraries.items():
        for library, loader in libraries.items():
            click.echo(
                f"  {function}: {loader} loads {library}, which the function's system must have; slim images often do not",
                err=True,
            )


def show_signatures(prepared: Prepared, spec_path: Path) -> None:
    """Say who signed each bundle, where the spec asks for somebody, or that nobody did yet."""
    asked = prepared.spec.bundle.signature
    if asked is None:
        return
    from lastmile_sls.build.sign import trusted_by, verify_signature

    for function in prepared.plan["functions"]:
        name = function["name"]
        try:
            signer = verify_signature(prepared.bundle(name), trusted_by(asked, spec_path), name).signer
        except LastmileError as error:
            click.echo(f"  {name}: {error.message} {error.hint}", err=True)
        else:
            click.echo(f"  {name}: signed by {signer}", err=True)
