"""`lastmile url`: print the endpoint's address."""

from __future__ import annotations

from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import find_cloud_stack, find_deployment, name_argument


@click.command("url")
@name_argument
@options.spec_option
@options.target_option
@options.environment_option
@options.json_option
def command(
    deployment: str | None, spec_path: Path | None, target: str, environment: str | None, as_json: bool
) -> None:
    """Print the endpoint's address."""
    from lastmile_sls.errors import LastmileError
    from lastmile_sls.local.status import read_status

    if target != "local":
        stack = find_cloud_stack(deployment, spec_path, target, environment)
        _print(stack.deployment, stack.url, as_json=as_json)
        return
    status = read_status(find_deployment(deployment, spec_path, environment))
    if status.url is None:
        raise LastmileError(f"{status.deployment} has no endpoint.", "Finish its deployment: lastmile up")
    _print(status.deployment, status.url, as_json=as_json)


def _print(deployment: str, url: str, *, as_json: bool) -> None:
    if as_json:
        options.print_json({"deployment": deployment, "url": url})
    else:
        click.echo(url)
