"""`lastmile budget`: what of the month's budget is spent, and what is done about it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.budget_lines import (
    document_of,
    line_of,
    named,
    planned_of,
    show_plan,
    show_spend,
    show_status,
    standing_of,
)
from lastmile_sls.cli.progress import Progress
from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    from lastmile_sls.budget.deployment import Deployment
    from lastmile_sls.budget.document import Taken

REACHED = 3
"""The exit code when a threshold was reached that was not before: whoever runs the schedule tells somebody."""
_FILE = click.Path(path_type=Path, dir_okay=False)
_costs = click.option(
    "--costs",
    "costs",
    multiple=True,
    metavar="FILE",
    help="A FOCUS export, a folder or a URL; again for more.",
)
_usage = click.option(
    "--usage",
    "usage",
    multiple=True,
    metavar="FILE",
    type=_FILE,
    help="Requests by day, from lastmile usage.",
)
_estimate = click.option(
    "--estimate",
    "estimate",
    metavar="FILE",
    type=_FILE,
    help="What a request costs, from lastmile estimate --json. Default: estimated now, from list prices.",
)
_at = click.option(
    "--at",
    "at",
    metavar="TIME",
    help="As if it were then, such as 2026-11-20: to try a month out.",
)


def _where(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which deployment is meant."""
    chosen = (
        options.outputs_option,
        options.environment_option,
        options.target_option,
        options.spec_option,
    )
    for option in chosen:
        function = option(function)
    return function


@click.group("budget", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Say what of the month's budget is spent, and do what the spec's budget.actions say at which share of it.

    Each step is taken once in a month (UTC), kept with who took it, when and why, and undone when the month is over.
    """


@command.command("status")
@_where
@options.json_option
def status(
    spec_path: Path | None, target: str, environment: str | None, outputs_path: Path | None, as_json: bool
) -> None:
    """Show the budget, what was done about it and what stands; `enforce` without --apply says what is spent."""
    from lastmile_sls.budget.deployment import find
    from lastmile_sls.budget.document import limits_of
    from lastmile_sls.budget.override import read

    deployment = find(spec_path, target, environment, outputs_path)
    limits = limits_of(deployment.budget)
    enforcer = deployment.enforcer(_who(), _now(None))
    state, history = (enforcer.state(), enforcer.history()) if enforcer else (None, [])
    override = read(deployment.live.store) if deployment.live else None
    told = override.told(deployment.warm) if override else None
    if as_json:
        document = {"limit": f"{limits.amount:f}", "currency": limits.currency, "override": told}
        options.print_json(
            {**named(deployment), **document, "standing": standing_of(state), "history": history}
        )
        return
    show_status(deployment, limits, state, history, told)


@command.command("enforce")
@_where
@_costs
@_usage
@_estimate
@_at
@click.option("--apply", "apply", is_flag=True, help="Do it; without it, it is only said what would be done.")
@click.option(
    "--up", "runs_up", is_flag=True, help="With --apply: run `lastmile up` when warm instances change."
)
@options.json_option
def enforce(
    spec_path: Path | None,
    target: str,
    environment: str | None,
    outputs_path: Path | None,
    costs: tuple[str, ...],
    usage: tuple[Path, ...],
    estimate: Path | None,
    at: str | None,
    apply: bool,
    runs_up: bool,
    as_json: bool,
) -> None:
    """Add up what of the month is spent, and do what is due: stop shadows, throttle, drop warm instances, alert.

    Spent is what the files bill, and an estimate of the days since: their requests (--usage; on a cloud they are asked for)
    at list prices, and what stands there anyway. Nothing is done without --apply.

    Ends with 3 when a threshold was reached that was not before.
    """
    from lastmile_sls.budget.decide import decide
    from lastmile_sls.budget.deployment import Sources, find
    from lastmile_sls.budget.document import limits_of

    if runs_up and (as_json or not apply):
        raise click.UsageError("--up goes with --apply, and without --json.")
    deployment, now = find(spec_path, target, environment, outputs_path), _now(at)
    limits = limits_of(deployment.budget)
    with closing(Progress(quiet=as_json)) as progress:
        sources = Sources(costs, usage, estimate)
        spend = deployment.spend(sources, now, progress.tell)
    enforcer = deployment.enforcer(_who(), now)
    steps = decide(spend, limits, enforcer.state() if enforcer else None, now)
    planned = [planned_of(step, enforcer, spend, limits) for step in steps]
    if not as_json:
        show_spend(deployment, spend, limits)
    done: list[Taken] = []
    for taken in enforcer.carry_out(steps, spend, limits) if apply and enforcer else ():
        done.append(taken)
        if not as_json:
            click.echo(line_of(taken.stage, taken.action, taken.percent, taken.note))
    if as_json:
        applied = apply and enforcer is not None
        options.print_json(document_of(deployment, spend, limits, planned, done, applied=applied))
    elif not done:
        show_plan(deployment, planned)
    if deployment.warm and any(taken.action == "drop_warm" for taken in done):
        _follow_up(deployment, runs_up=runs_up)
    if any(step.kind == "do" for step in steps):
        sys.exit(REACHED)


@command.command("release")
@_where
@click.option("--reason", "-m", default="", help="Why; it is kept with what is undone.")
@click.option("--apply", "apply", is_flag=True, help="Do it; without it, it is only said what would be done.")
def release(
    spec_path: Path | None,
    target: str,
    environment: str | None,
    outputs_path: Path | None,
    reason: str,
    apply: bool,
) -> None:
    """Undo what was done this month before it is over; it is not done again in the same month."""
    from lastmile_sls.budget.decide import undo_all
    from lastmile_sls.budget.deployment import find
    from lastmile_sls.budget.document import Limits, Spend

    now = _now(None)
    deployment = find(spec_path, target, environment, outputs_path, needs_budget=False)
    enforcer = deployment.enforcer(_who(), now)
    state = enforcer.state() if enforcer else None
    steps = undo_all(state) if state else []
    if not steps or enforcer is None or state is None:
        click.echo("nothing stands that could be undone", err=True)
        return
    spend, limits = Spend.nothing(state.period), Limits.nothing()
    if not apply:
        for step in steps:
            click.echo(line_of("would undo", step.action, f"{step.threshold.percent:f}", ""))
        click.echo("dry run: nothing was done; --apply does it", err=True)
        return
    done = list(enforcer.carry_out(steps, spend, limits, reason or "released by hand"))
    for taken in done:
        click.echo(line_of(taken.stage, taken.action, taken.percent, taken.note))
    if deployment.warm and any(taken.action == "drop_warm" for taken in done):
        _follow_up(deployment, runs_up=False)


def _follow_up(deployment: Deployment, *, runs_up: bool) -> None:
    """Say that the change of warm instances needs an engine, or have it made."""
    asked = f"lastmile up --target {deployment.target}"
    asked += f" --environment {deployment.environment}" if deployment.environment else ""
    if not runs_up:
        click.echo(f"warm instances change with the next `{asked}`: see it with `lastmile preview`", err=True)
        return
    from lastmile_sls.cli.up import command as up

    click.get_current_context().invoke(
        up, spec_path=deployment.spec_path, target=deployment.target, environment=deployment.environment
    )


def _who() -> str:
    from lastmile_sls.cli.traffic import author

    return author("").who


def _now(at: str | None) -> datetime:
    """Return the time, or the one that is asked for; a day means its end."""
    if at is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        raise LastmileError(
            f"--at is {at!r}, but must be a time such as 2026-11-20 or 2026-11-20T06:00Z."
        ) from None
    if len(at) == len("2026-11-20"):
        found = datetime.combine(found, time(23, 59, 59))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
