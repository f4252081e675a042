"""The bootstrap's Pulumi project on this machine: where it lies, what the last run asked, and moving its state."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lastmile_sls.bootstrap.document import PROJECT, BootstrapPlan, read, render
from lastmile_sls.engine.interface import Engine, Program
from lastmile_sls.errors import LastmileError
from lastmile_sls.files import write_private
from lastmile_sls.local.home import find_home
from lastmile_sls.program.write import write_bootstrap

_LAST = "last.json"


def folder_of(environ: Mapping[str, str], stack: str) -> Path:
    """Return the project's folder: an account is nobody's single project, so it lies in lastmile's own."""
    return find_home(environ) / "bootstrap" / stack


def remember(plan: BootstrapPlan, folder: Path) -> None:
    """Keep the plan as the last run's: a preview writes `plan.json` too, and must not change what is asked next."""
    write_private(folder / _LAST, render(plan).encode())


def last_plan(folder: Path) -> BootstrapPlan | None:
    """Return the plan of the last run; None before the first. Raises LastmileError for what is no such plan."""
    path = folder / _LAST
    if not path.exists():
        return None
    try:
        return read(path)
    except (OSError, ValueError) as error:
        raise LastmileError(
            f"the last run's plan cannot be read: {error}", f"Move {folder} away, and name every option anew."
        ) from error


def program_of(folder: Path, stack: str) -> Program:
    """Return the project as engines take it."""
    return Program(folder, PROJECT, stack)


def move_state(plan: BootstrapPlan, folder: Path, source: Engine, destination: Engine, home: Path) -> None:
    """Move the stack's own state into the backend that it made; from then on the project names it.

    Interrupted, it can be repeated. Raises LastmileError when there is nothing to move.
    """
    from lastmile_sls.deploy import hand_over

    program = program_of(folder, plan["stack"])
    if plan["backend"] == plan["state"]["url"]:
        raise LastmileError(f"the state of {plan['stack']} is in {plan['backend']} already.")
    if not (source.exists(program) or destination.exists(program)):
        raise LastmileError(
            f"there is no stack {plan['stack']} of {PROJECT}: nothing to move.",
            "Bootstrap the account first: leave --move-state out.",
        )
    if source.exists(program):
        hand_over(program, source, destination, home)
    moved: BootstrapPlan = {**plan, "backend": plan["state"]["url"]}
    write_bootstrap(moved, folder)
    remember(moved, folder)
