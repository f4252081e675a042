"""What `lastmile budget` prints, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from lastmile_sls.words import grouped

if TYPE_CHECKING:
    from lastmile_sls.budget.decide import Step
    from lastmile_sls.budget.deployment import Deployment
    from lastmile_sls.budget.document import Limits, Spend, State, Taken
    from lastmile_sls.budget.enforce import Enforcer

_NAMES = {
    "stop_shadows": "stop shadows",
    "throttle": "throttle",
    "drop_warm": "drop warm instances",
    "alert": "alert",
}


def show_spend(deployment: Deployment, spend: Spend, limits: Limits) -> None:
    """Print what was billed and what is estimated, apart."""
    through = f"  up to {spend.billed_through}" if spend.billed_through else ""
    since = f"{grouped(spend.requests)} requests {spend.usage:.2f}, standing {spend.baseline:.2f}"
    click.echo(click.style(f"{deployment.name} ({deployment.target}), {spend.period}", bold=True))
    for name, amount, more in (
        ("billed", spend.billed, through),
        ("estimated", spend.estimated, f"  since: {since}"),
        ("spent", spend.total, f"  {spend.percent_of(limits.amount):.1f} % of {limits.amount:f}"),
    ):
        click.echo(f"  {name:<9}  {amount:>12,.2f} {spend.currency}{more}")
    for warning in spend.warnings:
        click.echo(click.style(f"  warning: {warning}", fg="yellow"), err=True)


def planned_of(step: Step, enforcer: Enforcer | None, spend: Spend, limits: Limits) -> dict[str, Any]:
    """Return a step for programs, with what it would do."""
    note = enforcer.preview(step, spend, limits) if enforcer else "there is no store to act through"
    return {
        "kind": step.kind,
        "action": step.action,
        "percent": f"{step.threshold.percent:f}",
        "period": str(step.period),
        "resumed": step.is_resumed,
        "note": note,
    }


def show_plan(deployment: Deployment, lines: Sequence[dict[str, Any]]) -> None:
    """Print what would be done, and that nothing was."""
    for line in lines:
        click.echo(line_of(f"would {line['kind']}", line["action"], line["percent"], line["note"]))
    if not lines:
        click.echo("  nothing is due")
    elif deployment.live is None:
        click.echo(f"  {deployment.without_store()}", err=True)
    else:
        click.echo("dry run: nothing was done; --apply does it", err=True)


def line_of(stage: str, action: str, percent: str, note: str) -> str:
    """Return a step in a line."""
    colour = "green" if stage.endswith(("undo", "undone")) else "yellow"
    told = f"{click.style(f'{stage:<10}', fg=colour)}  {percent + ' %':>7}  {_NAMES[action]}"
    return f"  {told}: {note}" if note else f"  {told}"


def document_of(
    deployment: Deployment,
    spend: Spend,
    limits: Limits,
    steps: Sequence[dict[str, Any]],
    done: Sequence[Taken],
    *,
    applied: bool,
) -> dict[str, Any]:
    """Return a run for programs; amounts are decimal text."""
    from lastmile_sls.budget.document import amount

    return {
        **named(deployment),
        "period": str(spend.period),
        "currency": spend.currency,
        "limit": amount(limits.amount),
        "billed": amount(spend.billed),
        "billed_through": str(spend.billed_through) if spend.billed_through else None,
        "estimated": {
            "requests": spend.requests,
            "usage": amount(spend.usage),
            "baseline": amount(spend.baseline),
            "total": amount(spend.estimated),
        },
        "spent": amount(spend.total),
        "spent_percent": f"{spend.percent_of(limits.amount):.1f}",
        "warnings": list(spend.warnings),
        "applied": applied,
        "steps": list(steps),
        "done": [{"id": one.id, "stage": one.stage, "note": one.note} for one in done],
    }


def named(deployment: Deployment) -> dict[str, Any]:
    """Return which deployment it is."""
    return {"deployment": deployment.name, "target": deployment.target}


def standing_of(state: State | None) -> list[dict[str, str]]:
    """Return the steps of the month that the state is of."""
    taken = state.taken if state else ()
    return [{"id": one.id, "stage": one.stage, "when": one.when, "note": one.note} for one in taken]


def show_status(
    deployment: Deployment,
    limits: Limits,
    state: State | None,
    history: Sequence[Mapping[str, Any]],
    override: str | None,
) -> None:
    """Print the limit, what is done at which share of it, what stands, and what was done."""
    click.echo(click.style(f"{deployment.name} ({deployment.target})", bold=True))
    click.echo(f"  limit      {limits.amount:f} {limits.currency} a month")
    for threshold in limits.thresholds:
        rate = f" to {threshold.requests_per_s:g} requests/s" if threshold.requests_per_s else ""
        taken = state.find(threshold.key) if state else None
        stands = f"  {taken.stage} {taken.when}" if state and taken else ""
        click.echo(f"  {f'{threshold.percent:f} %':>9}  {_NAMES[threshold.action]}{rate}{stands}")
    if override:
        click.echo(f"  override   {override}")
    for record in history:
        by = record["undone_by"] if record["event"] == "undone" else record["who"]
        did = f"{'undo ' if record['event'] == 'undone' else ''}{_NAMES[record['action']]}"
        click.echo(f"  {record['at']}  {by}  {did}: {record['note']}")
