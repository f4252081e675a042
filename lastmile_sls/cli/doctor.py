"""`lastmile doctor`: look at this machine and say what is missing."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import click

from lastmile_sls.cli import options

_SIGNS = {"ok": ("✓", "green"), "missing": ("-", "yellow"), "broken": ("✗", "red")}


@click.command("doctor")
@click.option(
    "--install-pulumi",
    is_flag=True,
    help="Install the Pulumi CLI with Pulumi's official installer.",
)
@options.yes_option
@options.json_option
def command(install_pulumi: bool, yes: bool, as_json: bool) -> None:
    """Look at this machine: what works, what is missing, what to do. Exit code 1 when nothing can work."""
    from lastmile_sls import deploy
    from lastmile_sls.doctor import examine
    from lastmile_sls.local.home import find_home

    if install_pulumi:
        _install(yes=yes)
    environ = deploy.environ()
    findings = examine(environ, find_home(environ), Path.home())
    if as_json:
        options.print_json([dataclasses.asdict(finding) for finding in findings])
    else:
        for finding in findings:
            sign, colour = _SIGNS[finding.status]
            click.echo(f"{click.style(sign, fg=colour)} {finding.subject}: {finding.detail}")
            if finding.advice:
                click.echo(f"    {finding.advice}")
    if any(finding.status == "broken" for finding in findings):
        sys.exit(1)


def _install(*, yes: bool) -> None:
    from lastmile_sls.engine.pulumi_cli.command import install

    if not yes:
        click.confirm(
            "Download https://get.pulumi.com/install.sh and run it? It installs into ~/.pulumi/versions",
            abort=True,
        )
    click.echo("installing the Pulumi CLI ...", err=True)
    command = install()
    click.echo(f"installed {command.version}: {command.command}", err=True)
