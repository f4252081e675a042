"""`lastmile queue`: what to do with messages that a queue set aside."""

from __future__ import annotations

from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import find_deployment


@click.group("queue", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Look after the queue of requests that are answered later."""


@command.command("redrive")
@click.argument("queue", default="jobs")
@click.option(
    "--deployment", "-d", help="The deployment. Default: the spec's, else the only one on this machine."
)
@options.spec_option
@options.json_option
def redrive(queue: str, deployment: str | None, spec_path: Path | None, as_json: bool) -> None:
    """Have what the queue set aside delivered once more, after its cause was mended."""
    from lastmile_sls.local import redrive as local

    count = local.redrive(find_deployment(deployment, spec_path), queue)
    if as_json:
        options.print_json({"queue": queue, "redriven": count})
    else:
        click.echo(f"{count} {'message is' if count == 1 else 'messages are'} delivered once more")
