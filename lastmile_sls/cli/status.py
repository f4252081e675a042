"""`lastmile status`: show deployments, their functions and processes, on this machine or on a cloud."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import choose_stack, find_deployment, name_argument
from lastmile_sls.local.status import DeploymentStatus, read_status
from lastmile_sls.local.status import FunctionStatus as LocalFunction

if TYPE_CHECKING:
    from lastmile_sls.cloud_stack import CloudStack
    from lastmile_sls.control.told import AlarmState, CloudStatus, FunctionState, ScheduleState
    from lastmile_sls.queue_view import QueueStatus

_WATCH_S = 5.0
_SHORT = 19
"""Of a digest: `sha256:` and twelve digits."""
_COLOURS = {"ready": "green", "updating": "yellow", "ok": "green", "on": "green"}


@click.command("status")
@name_argument
@options.spec_option
@options.target_option
@options.environment_option
@options.outputs_option
@click.option("--all", "-a", "show_all", is_flag=True, help="Every deployment on this machine.")
@click.option("--watch", "-w", is_flag=True, help="Again every few seconds, until ctrl-C.")
@options.json_option
def command(
    deployment: str | None,
    spec_path: Path | None,
    target: str,
    environment: str | None,
    outputs_path: Path | None,
    show_all: bool,
    watch: bool,
    as_json: bool,
) -> None:
    """Show a deployment: its endpoint, versions, functions, queue, schedule and alarms.

    Exits with 1 when something of it is not ready.
    """
    stack = choose_stack(deployment, spec_path, target, environment, outputs_path)
    if stack is not None:
        if show_all:
            raise click.UsageError("--all is for this machine.")
        look = _look_at_cloud(stack, as_json=as_json)
    else:
        look = _look_here(deployment, spec_path, environment, show_all=show_all, as_json=as_json)
    ready = look()
    while watch:
        time.sleep(_WATCH_S)
        click.echo()
        ready = look()
    if not ready:
        sys.exit(1)


def _look_here(
    deployment: str | None, spec_path: Path | None, environment: str | None, *, show_all: bool, as_json: bool
) -> Callable[[], bool]:
    """Return what shows deployments of this machine, and tells whether all are ready."""
    from lastmile_sls import deploy
    from lastmile_sls.local.home import deployments, find_home

    def look() -> bool:
        everything = deployments(find_home(deploy.environ())) if show_all else None
        places = (
            everything if everything is not None else [find_deployment(deployment, spec_path, environment)]
        )
        found = [read_status(place) for place in places]
        if as_json:
            documents = list(map(_document, found))
            options.print_json(documents if show_all else documents[0])
        else:
            for status in found:
                _show(status)
        if not found:
            click.echo("nothing is deployed on this machine", err=True)
        return all(status.running for status in found)

    return look


def _document(status: DeploymentStatus) -> dict[str, Any]:
    """Return a status for programs, with the words that a cloud's has as well."""
    return {"target": "local", "ready": status.running, **dataclasses.asdict(status)}


def _look_at_cloud(stack: CloudStack, *, as_json: bool) -> Callable[[], bool]:
    """Return what shows a deployment on a cloud, and tells whether it is ready."""
    from lastmile_sls.control import open as control

    asked = control.open_control(stack)

    def look() -> bool:
        found = control.read_status(stack, asked)
        if as_json:
            options.print_json(dataclasses.asdict(found))
        else:
            show_cloud(found)
        return found.ready

    return look


def _show(status: DeploymentStatus) -> None:
    click.echo(click.style(status.deployment, bold=True))
    if status.running:
        click.echo(f"  host       running (pid {status.host_pid}, since {status.since})")
    else:
        down = click.style("not running", fg="red")
        click.echo(f"  host       {down}: run `lastmile up` to bring it back, with nothing lost")
    click.echo(f"  endpoint   {status.url}  ({_access(status.auth, 'lastmile key')})")
    click.echo(f"  engine     {status.engine}")
    for function in status.functions:
        _show_function(function)
    for name, counts in status.queues.items():
        click.echo(
            f"  queue      {name}: {counts.waiting} waiting, {counts.leased} in flight, {counts.dead} dead"
        )


def _access(auth: str | None, shows_key: str) -> str:
    """Return in words who may call."""
    told = {
        "key": f"API key: {shows_key}",
        "jwt": "a bearer token, see endpoint.jwt",
        "iam": "the cloud's own identities, see callers",
        "public": "public",
    }
    return told.get(auth or "", "no API key")


def _show_function(function: LocalFunction) -> None:
    shares = sorted(function.weights.items(), key=lambda share: -share[1])
    weights = ", ".join(f"{version} {weight:g} %" for version, weight in shares)
    click.echo(f"  versions   {weights}")
    click.echo(f"  function   {function.name}, {function.memory_mb} MB, bundle {function.bundle[:_SHORT]}")
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


def show_cloud(status: CloudStatus) -> None:
    """Print a deployment on a cloud."""
    click.echo(click.style(status.deployment, bold=True))
    account = f"account {status.account}" if status.account else None
    click.echo(f"  target     {', '.join(filter(None, (status.target, status.region, account)))}")
    access = _access(status.auth, f"lastmile key --target {status.target}")
    click.echo(f"  endpoint   {status.url}  ({access})")
    click.echo(f"  versions   {_versions(status)}")
    for function in status.functions:
        _show_cloud_function(function)
    for queue in status.queues.values():
        click.echo(f"  queue      {queue.queue}: {_counts(queue)}")
    if status.schedule:
        click.echo(f"  schedule   {_schedule(status.schedule)}")
    for alarm in status.alarms:
        click.echo(f"  alarm      {_alarm(alarm)}")
    if status.dashboard:
        click.echo(f"  dashboard  {status.dashboard}")


def _show_cloud_function(function: FunctionState) -> None:
    bundle = f"bundle {function.bundle[:_SHORT]}" if function.bundle else None
    memory = f"{function.memory_mb} MB" if function.memory_mb else None
    version = f"version {function.version}" if function.version else None
    facts = ", ".join(filter(None, (_state(function.state), memory, bundle, version)))
    click.echo(f"  function   {function.name}: {facts}")
    if function.why:
        click.echo(f"             why: {function.why}")
    counts = []
    if function.min_instances is not None:
        most = "any number of" if function.max_instances is None else f"{function.max_instances}"
        counts.append(f"{function.min_instances} to {most} instances")
    if function.changed_at:
        counts.append(f"changed {function.changed_at}")
    if function.errors_last_hour is not None:
        counts.append(
            f"{function.errors_last_hour} error{'s' * (function.errors_last_hour != 1)} in the last hour"
        )
    if counts:
        click.echo(f"             {', '.join(counts)}")


def _versions(status: CloudStatus) -> str:
    """Return which version has which share, the champion first."""
    if status.traffic is None:
        return ", ".join(f"{version} 100 %" for version in status.versions)
    from lastmile_sls.traffic.change import percent

    document: Mapping[str, Any] = status.traffic
    champion = document["champion"]
    shares = sorted(document["weights"].items(), key=lambda share: (share[0] != champion, -share[1]))
    told = [f"{v} {percent(w)} %{' (champion)' if v == champion else ''}" for v, w in shares]
    told += [
        f"{entry['version']} shadow of {percent(entry['percent'])} %"
        for entry in document.get("shadows") or ()
    ]
    return ", ".join(told)


def _counts(queue: QueueStatus) -> str:
    counts = (("waiting", queue.waiting), ("in flight", queue.in_flight), ("dead", queue.dead))
    return ", ".join(f"{count} {name}" for name, count in counts if count is not None) or "not known yet"


def _schedule(schedule: ScheduleState) -> str:
    told = [_state(schedule.state), schedule.expression]
    told += [f"next {schedule.next_at}"] if schedule.next_at else []
    told += [f"last {schedule.last_at}"] if schedule.last_at else []
    told += [schedule.last_error]
    return ", ".join(filter(None, told))


def _alarm(alarm: AlarmState) -> str:
    since = f" since {alarm.since}" if alarm.since and alarm.state == "alarm" else ""
    return f"{alarm.signal}: {_state(alarm.state)}{since}{f': {alarm.why}' if alarm.why else ''}"


def _state(state: str) -> str:
    return click.style(state, fg=_COLOURS.get(state, "red" if state != "no data" else "yellow"))
