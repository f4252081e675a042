"""`lastmile key`: print the endpoint's API key. The only command that shows one."""

from __future__ import annotations

from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import find_deployment, find_outputs, name_argument


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
        from lastmile_sls.asked import as_target
        from lastmile_sls.cloud_stack import key_of

        if name is not None:
            raise click.UsageError("--name is for this machine; a cloud's vault has every key.")
        outputs = find_outputs(deployment, spec_path, target, environment)
        told, key = str(outputs["deployment"]), key_of(outputs, as_target(target))
    if as_json:
        options.print_json({"deployment": told, "key": key})
    else:
        click.echo(key)
