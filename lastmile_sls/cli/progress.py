"""Shows what an engine does while it works, on standard error."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import click

from lastmile_sls.engine.interface import Event, Operation, Result
from lastmile_sls.plan.document import Plan

_SIGNS: dict[Operation, tuple[str, str]] = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "replace": ("±", "magenta"),
    "delete": ("-", "red"),
    "same": (" ", "white"),
}
_DONE: dict[Operation, str] = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "same": "unchanged",
}
_DOING: dict[Operation, str] = {
    "create": "creating",
    "update": "updating",
    "replace": "replacing",
    "delete": "deleting",
}
_TOLD = ("name", "versions", "calls", "why")
_HIDDEN_TYPES = ("pulumi:pulumi:Stack", "pulumi:providers:")


class Progress:
    """An engine's listener: one line per step, and while a step lasts, a line that is overwritten."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._live = sys.stderr.isatty() and not quiet
        self._started: dict[str, float] = {}
        self.steps: list[Event] = []
        """The steps planned so far."""

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if event.kind == "planned":
            self.steps.append(event)
        if self._quiet or event.type.startswith(_HIDDEN_TYPES):
            return
        if event.kind == "log":
            self._line(f"  {event.message}")
        elif event.kind == "started":
            self._started[event.urn] = time.monotonic()
            self._transient(f"  … {_DOING[event.operation or 'create']} {describe(event)}")
        elif event.operation != "same":
            self._line(self._step(event))

    def tell(self, text: str) -> None:
        """Show what is being done, before an engine runs."""
        self._transient(f"  … {text}")

    def close(self) -> None:
        """Remove the line that is overwritten."""
        self._transient("")

    def _step(self, event: Event) -> str:
        sign, colour = _SIGNS[event.operation or "same"]
        if event.kind == "failed":
            return click.style(f"  ✗ {describe(event)} failed", fg="red")
        changed = f"  [{', '.join(event.changed)}]" if event.changed else ""
        if event.kind == "planned":
            return click.style(f"  {sign} {event.operation} {describe(event)}{changed}", fg=colour)
        seconds = time.monotonic() - self._started.pop(event.urn, time.monotonic())
        took = f" ({seconds:.1f} s)" if seconds >= 0.1 else ""
        done = _DONE[event.operation or "same"]
        return click.style(f"  {sign} {describe(event)} {done}{changed}{took}", fg=colour)

    def _line(self, text: str) -> None:
        self._transient("")
        click.echo(text, err=True)

    def _transient(self, text: str) -> None:
        if self._live:
            # What is wider than the terminal would take two lines, of which one alone is overwritten.
            room = shutil.get_terminal_size().columns - 1
            click.echo(f"\r\x1b[2K{text[:room]}", err=True, nl=False)


def describe(event: Event) -> str:
    """Return a resource's kind and name, `Function churn-dev-predict`."""
    return f"{event.type.rsplit(':', 1)[-1]} {event.name}"


def summary(changes: Mapping[Operation, int], *, planned: bool = False) -> str:
    """Return the counts in words, `3 created, 1 unchanged`."""
    parts = [
        f"{changes[operation]} {f'to {operation}' if planned and operation != 'same' else done}"
        for operation, done in _DONE.items()
        if changes.get(operation)
    ]
    return ", ".join(parts) or "nothing to do"


def functions_of(plan: Plan) -> list[dict[str, Any]]:
    """Return which function serves which versions, and why, as JSON has it."""
    return [{key: value for key, value in function.items() if key in _TOLD} for function in plan["functions"]]


def show_functions(plan: Plan, overrides: Sequence[str] = ()) -> None:
    """Say which function serves which versions, and why, and what a budget has changed of the spec's numbers."""
    for function in plan["functions"]:
        click.echo(
            f"  {function['name']} serves {', '.join(function['versions'])}: {function['why']}", err=True
        )
    for told in overrides:
        click.echo(click.style(f"  {told}", fg="yellow"), err=True)


def show_outputs(result: Result) -> None:
    """Print the stack's outputs; secrets are masked."""
    for name, value in sorted(result.outputs.items()):
        click.echo(f"  {name}: {value!r}" if not isinstance(value, str) else f"  {name}: {value}")
