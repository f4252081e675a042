"""`lastmile status`: show deployments, their functions and processes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import find_deployment, name_argument
from lastmile_sls.local.status import DeploymentStatus, FunctionStatus


@click.command("status")
@name_argument
@options.spec_option
@click.option("--all", "-a", "show_all", is_flag=True, help="Every deployment on this machine.")
@options.json_option
def command(deployment: str | None, spec_path: Path | None, show_all: bool, as_json: bool) -> None:
    """Show a deployment: its endpoint, versions, functions and processes."""
    from lastmile_sls import deploy
    from lastmile_sls.local.home import deployments, find_home
    from lastmile_sls.local.status import read_status

    everything = deployments(find_home(deploy.environ())) if show_all else None
    places = everything if everything is not None else [find_deployment(deployment, spec_path)]
    found = [read_status(place) for place in places]
    if as_json:
        documents = [dataclasses.asdict(status) for status in found]
        options.print_json(documents if show_all else documents[0])
        return
    for status in found:
        _show(status)
    if not found:
        click.echo("nothing is deployed on this machine", err=True)


def _show(status: DeploymentStatus) -> None:
    click.echo(click.style(status.deployment, bold=True))
    if status.running:
        click.echo(f"  host       running (pid {status.host_pid}, since {status.since})")
    else:
        down = click.style("not running", fg="red")
        click.echo(f"  host       {down}: run `lastmile up` to bring it back, with nothing lost")
    access = {"key": "API key: lastmile key", "public": "public"}.get(status.auth or "", "")
    click.echo(f"  endpoint   {status.url}  ({access})")
    click.echo(f"  engine     {status.engine}")
    for function in status.functions:
        _show_function(function)
    for name, counts in status.queues.items():
        click.echo(
            f"  queue      {name}: {counts.waiting} waiting, {counts.leased} leased, {counts.dead} dead"
        )


def _show_function(function: FunctionStatus) -> None:
    shares = sorted(function.weights.items(), key=lambda share: -share[1])
    weights = ", ".join(f"{version} {weight:g} %" for version, weight in shares)
    click.echo(f"  versions   {weights}")
    click.echo(f"  function   {function.name}, {function.memory_mb} MB, bundle {function.bundle[:19]}")
    if function.why:
        click.echo(f"             why: {function.why}")
    if function.calls:
        click.echo(f"             asks {', '.join(function.calls)} for the other versions")
    click.echo(f"             {function.requests} requests, {function.restarts} restarts")
    for instance in function.instances:
        click.echo(
            f"             process {instance.pid}: {instance.state}, {instance.in_flight} in flight, "
            f"{instance.memory_mb:.0f} MB"
        )
    if not function.instances:
        click.echo("             no process: the next request starts one")
