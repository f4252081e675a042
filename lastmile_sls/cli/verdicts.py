"""Shows what the user's policy says, on standard error and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from lastmile_sls.compliance import Policy
    from lastmile_sls.policy.verdict import Verdict


def show_verdicts(verdicts: Sequence[Verdict], policy: Policy) -> None:
    """Say what is advised, and what cannot be judged yet; what stops a deployment is told as an error."""
    advised = [v for v in verdicts if v.outcome == "violation" and not v.stops]
    unknown = [v for v in verdicts if v.outcome == "unknown"]
    if not verdicts:
        click.echo(f"the policy of {policy.path} is kept", err=True)
    for verdict in advised:
        click.echo(click.style(f"  ! {verdict.rule}: {verdict}", fg="yellow"), err=True)
    if unknown:
        click.echo("what the policy demands of these is known only after creation:", err=True)
    for rule in dict.fromkeys(verdict.rule for verdict in unknown):
        names = [f"{v.type.rpartition(':')[2]} {v.name}" for v in unknown if v.rule == rule]
        click.echo(f"  ? {rule}: {', '.join(names)}", err=True)


def verdicts_of(verdicts: Sequence[Verdict], policy: Policy) -> dict[str, Any]:
    """Return the verdicts as JSON has them."""
    fields = ("rule", "severity", "outcome", "type", "name", "problem", "fix")
    return {
        "file": str(policy.path),
        "kept": not any(verdict.stops for verdict in verdicts),
        "verdicts": [{field: getattr(verdict, field) for field in fields} for verdict in verdicts],
    }
