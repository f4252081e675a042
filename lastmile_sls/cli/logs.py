"""`lastmile logs`: show what functions and their host logged."""

from __future__ import annotations

from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import find_deployment, name_argument
from lastmile_sls.errors import LastmileError
from lastmile_sls.local.home import Place


@click.command("logs")
@name_argument
@options.spec_option
@click.option("--lines", "-n", type=click.IntRange(min=0), default=50, show_default=True, help="How many.")
@click.option("--follow", "-F", is_flag=True, help="Go on with what is added, until ctrl-C.")
@click.option("--function", help="The function. Default: the one that callers reach.")
@click.option("--host", is_flag=True, help="The host's own log instead of the functions'.")
@options.json_option
def command(
    deployment: str | None,
    spec_path: Path | None,
    lines: int,
    follow: bool,
    function: str | None,
    host: bool,
    as_json: bool,
) -> None:
    """Show the log of a function of the deployment, newest last."""
    from lastmile_sls.local.logs import log_file, tail
    from lastmile_sls.plan.grouping import ROUTER

    place = find_deployment(deployment, spec_path)
    path = place.host_log if host else log_file(place, _checked(place, function) if function else ROUTER)
    found = tail(path, lines, follow=follow)
    if as_json:
        options.print_json({"log": str(path), "lines": list(tail(path, lines, follow=False))})
        return
    shown = 0
    for line in found:
        click.echo(line)
        shown += 1
    if not shown:
        click.echo(f"nothing is logged yet ({path})", err=True)


def _checked(place: Place, function: str) -> str:
    from lastmile_sls.local import records

    names = [record.name for record in records.all_of(place, "function")]
    if function not in names:
        raise LastmileError(f"{place.deployment} has no function {function!r}; it has {', '.join(names)}.")
    return function
