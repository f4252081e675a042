"""`lastmile key`: print the endpoint's API key. The only command that shows one."""

from __future__ import annotations

from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import find_deployment, name_argument


@click.command("key")
@name_argument
@options.spec_option
@click.option("--name", help="Which of endpoint.keys. Default: the newest.")
@options.json_option
def command(deployment: str | None, spec_path: Path | None, name: str | None, as_json: bool) -> None:
    """Print the endpoint's API key, for the header x-api-key. Nothing else shows it."""
    from lastmile_sls.local.status import read_key

    place = find_deployment(deployment, spec_path)
    key = read_key(place, name)
    if as_json:
        options.print_json({"deployment": place.deployment, "key": key})
    else:
        click.echo(key)
