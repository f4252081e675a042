"""`lastmile stack`: hand a stack over to the Pulumi CLI."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lastmile_sls.cli import options


@click.group("stack")
def command() -> None:
    """Hand a stack over to the Pulumi CLI."""


@command.command("export")
@options.spec_option
@options.target_option
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to a file, mode 0600.",
)
def export(spec_path: Path | None, target: str, output: Path | None) -> None:
    """Print the embedded engine's stack for `pulumi stack import`. It holds secrets in plain text.

    Run `pulumi stack init` in the project's folder first: the stack's secrets are marked for its provider.
    """
    from lastmile_sls import deploy
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.build.prepare import find_program
    from lastmile_sls.engine.pulumi_cli.engine import with_secrets_provider
    from lastmile_sls.errors import LastmileError
    from lastmile_sls.files import write_private

    program = find_program(find_spec(spec_path), as_target(target))
    engine = deploy.get_engine("embedded", deploy.environ())
    if not engine.exists(program):
        raise LastmileError(
            f"the embedded engine has no stack {program.stack} of {program.project}.",
            "A stack of the Pulumi CLI is exported with: pulumi stack export",
        )
    text = json.dumps(with_secrets_provider(program, engine.export_state(program)), indent=4) + "\n"
    if output:
        write_private(output, text.encode())
    else:
        click.echo(text, nl=False)
