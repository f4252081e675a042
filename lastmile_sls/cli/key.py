"""`lastmile key`: print the endpoint's API key. The only command that shows one."""

from __future__ import annotations

from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import find_cloud_stack, find_deployment, name_argument


@click.command("key")
@name_argument
@options.spec_option
@options.target_option
@options.environment_option
@click.option("--name", help="Which of endpoint.keys. Default: the newest.")
@options.json_option
def command(
    deployment: str | None,
    spec_path: Path | None,
    target: str,
    environment: str | None,
    name: str | None,
    as_json: bool,
) -> None:
    """Print the endpoint's API key, for the header x-api-key. Nothing else shows it."""
    from lastmile_sls.local.status import read_key

    if target == "local":
        place = find_deployment(deployment, spec_path, environment)
        told, key = place.deployment, read_key(place, name)
    else:
        if name is not None:
            raise click.UsageError("--name is for this machine; a cloud's vault has every key.")
        stack = find_cloud_stack(deployment, spec_path, target, environment)
        told, key = stack.deployment, stack.key()
    if as_json:
        options.print_json({"deployment": told, "key": key})
    else:
        click.echo(key)
