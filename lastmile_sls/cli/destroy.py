"""`lastmile destroy`: delete a deployment."""

from __future__ import annotations

from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.progress import Progress, summary
from lastmile_sls.engine.interface import EngineName


@click.command("destroy")
@options.spec_option
@options.target_option
@options.engine_option
@options.yes_option
@options.json_option
def command(
    spec_path: Path | None,
    target: str,
    engine_name: EngineName | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete the deployment's resources: its endpoint stops answering and its key ends."""
    from lastmile_sls import deploy
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.build.prepare import find_program
    from lastmile_sls.errors import LastmileError

    environ = deploy.environ()
    deploy.check_target(as_target(target), environ)
    program = find_program(find_spec(spec_path), as_target(target))
    engine = deploy.choose_engine(program, engine_name, environ, take_over=False)
    if not engine.exists(program):
        raise LastmileError(
            f"there is no stack {program.stack} of {program.project}: nothing to destroy.",
            "See what there is: lastmile status --all",
        )
    if not yes:
        click.confirm(f"Delete {program.project} ({program.stack}), its key and its logs?", abort=True)
    progress = Progress(quiet=as_json)
    try:
        result = engine.destroy(program, progress)
    finally:
        progress.close()
    if as_json:
        options.print_json({"changes": result.changes})
    else:
        click.echo(summary(result.changes), err=True)
