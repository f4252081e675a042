"""`lastmile traffic`: show and move a running deployment's traffic between versions, in seconds, without an engine."""

from __future__ import annotations

import functools
import getpass
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import find_cloud_stack, find_deployment

if TYPE_CHECKING:
    from lastmile_sls.traffic.live import Author, LiveTraffic

_BAR = 40
deployment_option = click.option(
    "--deployment", "-d", help="The deployment. Default: the spec's, else the only one on this machine."
)


@dataclass(frozen=True)
class Where:
    """The deployment that is meant."""

    deployment: str | None
    spec_path: Path | None
    target: str
    environment: str | None

    def find(self) -> LiveTraffic:
        """Return its traffic. Raises LastmileError when it is not deployed, or has nothing to route."""
        if self.target != "local":
            place = (self.deployment, self.spec_path, self.target, self.environment)
            return find_cloud_stack(*place).traffic()
        from lastmile_sls.traffic.local import require_traffic

        return require_traffic(find_deployment(self.deployment, self.spec_path, self.environment))


def where_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which deployment is meant, as the argument `where`."""

    @functools.wraps(function)
    def with_where(
        deployment: str | None, spec_path: Path | None, target: str, environment: str | None, **others: Any
    ) -> None:
        function(where=Where(deployment, spec_path, target, environment), **others)

    chosen = (options.environment_option, options.target_option, options.spec_option, deployment_option)
    for option in chosen:
        with_where = option(with_where)
    return with_where


reason_option = click.option("--reason", "-m", default="", help="Why; it is kept with the change.")


@click.group("traffic", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Show and move the traffic between versions.

    A change takes seconds and no engine: functions read the routing document anew. Each is kept with who made it,
    when and why.
    """


@command.command("show")
@where_options
@options.json_option
def show(where: Where, as_json: bool) -> None:
    """Show which version answers which share."""
    document = where.find().read()
    if as_json:
        options.print_json(document)
    else:
        _draw(document)


@command.command("history")
@where_options
@options.json_option
def history(where: Where, as_json: bool) -> None:
    """Show every change: who, when, what and why."""
    from lastmile_sls.traffic.change import told_route

    records = where.find().history()
    if as_json:
        options.print_json(records)
        return
    for record in records:
        reason = f": {record['reason']}" if record["reason"] else ""
        click.echo(f"{record['revision']:>4}  {record['when']}  {record['who']}  {record['action']}{reason}")
        click.echo(f"      {told_route(record['from'])}  ->  {told_route(record['to'])}")
    if not records:
        click.echo("nothing was changed since the deployment began", err=True)


@command.command("set")
@click.argument("weights", nargs=-1, required=True, metavar="VERSION=PERCENT...")
@reason_option
@where_options
@options.json_option
def set_(weights: tuple[str, ...], reason: str, where: Where, as_json: bool) -> None:
    """Give versions their share of the requests; the champion has what the others leave.

    Raising a challenger moves callers from the champion to it, and nobody else.
    """
    from lastmile_sls.traffic.change import set_weights

    shares = dict(map(_share, weights))
    live = where.find()
    record = live.change(
        f"set {' '.join(weights)}",
        author(reason),
        lambda document: set_weights(document, shares, live.versions),
    )
    _report(live, record, as_json=as_json)


@command.command("shadow")
@click.argument("version")
@click.argument("percent", default="100")
@reason_option
@where_options
@options.json_option
def shadow(version: str, percent: str, reason: str, where: Where, as_json: bool) -> None:
    """Let a version see a share of the requests without answering: 0 to 100, or off."""
    from lastmile_sls.traffic.change import set_shadow

    share = 0 if percent == "off" else _hundredths(percent)
    live = where.find()
    record = live.change(
        f"shadow {version} {percent}",
        author(reason),
        lambda document: set_shadow(document, version, share, live.versions),
    )
    _report(live, record, as_json=as_json)


@command.command("throttle")
@click.argument("requests_per_s", metavar="REQUESTS_PER_S|off")
@reason_option
@where_options
@options.json_option
def throttle(requests_per_s: str, reason: str, where: Where, as_json: bool) -> None:
    """Let each instance answer so many requests a second, and refuse the others with 429; off lets all through."""
    from lastmile_sls.traffic.change import set_throttle

    rate = None if requests_per_s == "off" else _rate(requests_per_s)
    live = where.find()
    record = live.change(
        f"throttle {requests_per_s}", author(reason), lambda document: set_throttle(document, rate)
    )
    _report(live, record, as_json=as_json)


@command.command("promote")
@click.argument("version")
@reason_option
@where_options
@options.json_option
def promote(version: str, reason: str, where: Where, as_json: bool) -> None:
    """Make a version the champion, with all of the traffic."""
    from lastmile_sls.traffic import change

    live = where.find()
    record = live.change(
        f"promote {version}",
        author(reason),
        lambda document: change.promote(document, version, live.versions),
    )
    _report(live, record, as_json=as_json)


@command.command("rollback")
@click.option(
    "--to", "revision", type=int, help="A revision of the history. Default: before the last change."
)
@reason_option
@where_options
@options.json_option
def rollback(revision: int | None, reason: str, where: Where, as_json: bool) -> None:
    """Bring the traffic back as it was before the last change; again, and it goes one change further back."""
    live = where.find()
    record = live.roll_back(author(reason), revision)
    _report(live, record, as_json=as_json)


def author(reason: str) -> Author:
    """Return whoever runs this command, and why."""
    from lastmile_sls.traffic.live import Author

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid())
    return Author(f"{user}@{socket.gethostname()}", reason)


def _share(word: str) -> tuple[str, int]:
    version, equals, percent = word.partition("=")
    if not equals or not version:
        raise click.UsageError(f"{word!r} is not VERSION=PERCENT, such as v2=10.")
    return version, _hundredths(percent)


def _hundredths(text: str) -> int:
    from lastmile_sls.traffic.change import hundredths

    try:
        return hundredths(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _rate(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"{text!r} is neither a number of requests a second nor off.") from None


def _report(live: LiveTraffic, record: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        options.print_json(record)
        return
    document = live.read()
    _draw(document)
    click.echo(f"revision {record['revision']}; followed within {document.get('max_age_s', 5):g} s", err=True)


def _draw(document: Mapping[str, Any]) -> None:
    from lastmile_sls.traffic.change import percent, told_throttle

    weights, champion = document["weights"], document["champion"]
    shadows = {entry["version"]: entry["percent"] for entry in document.get("shadows") or ()}
    width = max(map(len, weights))
    for version, weight in sorted(weights.items(), key=lambda share: (share[0] != champion, -share[1])):
        filled = round(weight * _BAR / 10_000) or (1 if weight else 0)
        roles = ["champion"] if version == champion else []
        roles += [f"shadow of {percent(shadows[version])} %"] if version in shadows else []
        bar = click.style("█" * filled, fg="green" if version == champion else "yellow")
        line = f"{version:<{width}}  {percent(weight):>6} %  {bar}{'░' * (_BAR - filled)}  {', '.join(roles)}"
        click.echo(line.rstrip())
    if document.get("throttle"):
        click.echo(told_throttle(dict(document)))
    if document.get("sticky"):
        ((kind, name),) = document["sticky"].items()
        click.echo(f"sticky by {kind} {name}")
    for rule in document.get("rules") or ():
        click.echo(f"{rule['version']} where {rule['input']} is {' or '.join(map(repr, rule['in']))}")
