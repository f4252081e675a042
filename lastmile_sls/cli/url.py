"""`lastmile url`: print the endpoint's address."""

from __future__ import annotations

from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import find_deployment, name_argument


@click.command("url")
@name_argument
@options.spec_option
@options.json_option
def command(deployment: str | None, spec_path: Path | None, as_json: bool) -> None:
    """Print the endpoint's address."""
    from lastmile_sls.errors import LastmileError
    from lastmile_sls.local.status import read_status

    status = read_status(find_deployment(deployment, spec_path))
    if status.url is None:
        raise LastmileError(f"{status.deployment} has no endpoint.", "Finish its deployment: lastmile up")
    if as_json:
        options.print_json({"deployment": status.deployment, "url": status.url})
    else:
        click.echo(status.url)
