"""`lastmile logs`: show what functions and their host logged, on this machine or on a cloud."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import choose_stack, find_deployment, name_argument
from lastmile_sls.errors import LastmileError
from lastmile_sls.local.home import Place

if TYPE_CHECKING:
    from lastmile_sls.cloud_stack import CloudStack
    from lastmile_sls.control.told import Event, Query

_SINCE = timedelta(hours=1)


@click.command("logs")
@name_argument
@options.spec_option
@options.target_option
@options.environment_option
@options.outputs_option
@click.option("--lines", "-n", type=click.IntRange(min=0), default=50, show_default=True, help="How many.")
@click.option("--follow", "-F", is_flag=True, help="Go on with what is added, until ctrl-C.")
@click.option(
    "--since", metavar="SPAN", help="Not before, such as 90s, 10m, 2h or 1d. Default on a cloud: 1h."
)
@click.option("--function", help="The function. Default: the one that callers reach.")
@click.option("--errors", is_flag=True, help="Errors alone.")
@click.option("--request-id", metavar="ID", help="What was logged of this request alone.")
@click.option("--host", is_flag=True, help="On this machine, the host's own log instead of the functions'.")
@options.json_option
def command(
    deployment: str | None,
    spec_path: Path | None,
    target: str,
    environment: str | None,
    outputs_path: Path | None,
    lines: int,
    follow: bool,
    since: str | None,
    function: str | None,
    errors: bool,
    request_id: str | None,
    host: bool,
    as_json: bool,
) -> None:
    """Show the log of a function of the deployment, newest last.

    On a cloud, an event is a line: time, level, function, and of an answer status, time, version, path and error; with
    --json it is a line of JSON, as the cloud has it.
    """
    from lastmile_sls.control.times import span

    within = span(since) if since else None
    stack = choose_stack(deployment, spec_path, target, environment, outputs_path)
    if stack is not None:
        if host:
            raise click.UsageError("--host is for this machine.")
        from lastmile_sls.control.told import Query

        query = Query(within or _SINCE, lines, errors, request_id, platform=as_json)
        _show_cloud(stack, function, query, follow=follow, as_json=as_json)
        return
    from lastmile_sls.local.logs import log_file
    from lastmile_sls.plan.grouping import ROUTER

    place = find_deployment(deployment, spec_path, environment)
    path = place.host_log if host else log_file(place, _checked(place, function) if function else ROUTER)
    wanted = _filter(function or ROUTER, within, errors=errors, request_id=request_id)
    _show_file(path, lines, wanted, follow=follow, as_json=as_json)


def _show_file(
    path: Path, lines: int, wanted: Callable[[str], bool] | None, *, follow: bool, as_json: bool
) -> None:
    from lastmile_sls.local.logs import tail

    if as_json:
        options.print_json({"log": str(path), "lines": _last(path, lines, wanted)})
        return
    shown = 0
    found: Iterable[str] = tail(path, lines, follow=follow)
    if wanted is not None:
        more = filter(wanted, tail(path, 0, follow=True)) if follow else ()
        found = (line for part in (_last(path, lines, wanted), more) for line in part)
    for line in found:
        click.echo(line)
        shown += 1
    if not shown:
        click.echo(f"nothing is logged yet ({path})", err=True)


def _last(path: Path, lines: int, wanted: Callable[[str], bool] | None) -> list[str]:
    from lastmile_sls.local.logs import MAX_BYTES, tail

    if wanted is None:
        return list(tail(path, lines, follow=False))
    found = list(filter(wanted, tail(path, MAX_BYTES, follow=False)))
    return found[len(found) - min(lines, len(found)) :]


def _filter(
    function: str, since: timedelta | None, *, errors: bool, request_id: str | None
) -> Callable[[str], bool] | None:
    """Return whether a line of this machine's is asked for; None when all are."""
    if since is None and not errors and request_id is None:
        return None
    from lastmile_sls.control.clock import utc_now
    from lastmile_sls.control.events import read_event
    from lastmile_sls.control.follow import matches
    from lastmile_sls.control.times import read
    from lastmile_sls.control.told import Query

    began = utc_now() - since if since else None
    query = Query(began or _SINCE, 0, errors, request_id)

    def wanted(line: str) -> bool:
        stamp, _, rest = line.partition(" ")
        try:
            at = read(stamp)
        except ValueError:
            return False
        event = read_event(rest.partition("] ")[2], at, function)
        return (began is None or at >= began) and matches(event, query)

    return wanted


def _show_cloud(
    stack: CloudStack, function: str | None, query: Query, *, follow: bool, as_json: bool
) -> None:
    from lastmile_sls.control.follow import follow as followed
    from lastmile_sls.control.open import choose_function, open_control

    name = choose_function(stack, function)
    source = open_control(stack).log(name)
    found: Iterable[Event] = followed(source, query) if follow else source.read(query) if query.lines else ()
    shown = 0
    for event in found:
        _print(event, as_json=as_json)
        shown += 1
    if not shown:
        click.echo(
            f"{stack.deployment} logged nothing for {name} in this time: a longer one is --since 1d", err=True
        )


def _print(event: Event, *, as_json: bool) -> None:
    import json

    from lastmile_sls.control.events import document_of, line_of

    click.echo(json.dumps(document_of(event), ensure_ascii=False) if as_json else line_of(event))


def _checked(place: Place, function: str) -> str:
    from lastmile_sls.local import records

    names = [record.name for record in records.all_of(place, "function")]
    if function not in names:
        raise LastmileError(f"{place.deployment} has no function {function!r}; it has {', '.join(names)}.")
    return function
