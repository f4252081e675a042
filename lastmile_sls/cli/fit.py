"""`lastmile fit`: which targets can carry the spec, and what would make the others fit."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from lastmile_sls.cli import options
from lastmile_sls.plan.document import Target

if TYPE_CHECKING:
    from lastmile_sls.spec.model import Spec
    from lastmile_sls.targets.compare import Row
    from lastmile_sls.targets.fit import Fit

_GAP = "  "
_CAN = {True: "✓", False: "✗"}


@click.command("fit")
@options.spec_option
@click.option(
    "--target",
    "targets",
    type=click.Choice(get_args(Target)),
    multiple=True,
    help="Look at this one alone; may be given more than once. Default: all.",
)
@options.environment_option
@options.json_option
def command(
    spec_path: Path | None, targets: tuple[Target, ...], environment: str | None, as_json: bool
) -> None:
    """Say which targets can carry the spec, why others cannot, and what would make it fit.

    Nothing is built, deployed or asked of a cloud. Ends with 1 when none of the targets fits.
    """
    from lastmile_sls.asked import find_spec
    from lastmile_sls.build.prepare import find_program
    from lastmile_sls.spec.load import load
    from lastmile_sls.targets.compare import rows
    from lastmile_sls.targets.fit import TARGETS, fit

    path = find_spec(spec_path)
    spec = load(path, environment)
    fits = [fit(target, spec) for target in targets or TARGETS]
    projects = {one.target: find_program(path, one.target, environment).folder for one in fits}
    found = rows(spec, fits, projects)
    if as_json:
        options.print_json({"spec": spec.name, "targets": [_json(one, found) for one in fits]})
    else:
        _show(spec, fits, found)
    if not any(one.fits for one in fits):
        sys.exit(1)


def _json(fit: Fit, found: Sequence[Row]) -> dict[str, Any]:
    return {
        "target": fit.target,
        "fits": fit.fits,
        "refusals": [
            {"field": r.field, "value": r.value, "rule": r.rule, "change": r.change} for r in fit.refusals
        ],
        "notes": [{"field": note.field, "text": note.text} for note in fit.notes],
        "limits": [
            {
                "field": row.field,
                "value": row.value,
                "allowed": row.cells[fit.target].text,
                "fits": row.cells[fit.target].fits,
                "source": row.cells[fit.target].source,
            }
            for row in found
        ],
    }


def _show(spec: Spec, fits: Sequence[Fit], found: Sequence[Row]) -> None:
    click.echo(f"{spec.name} ({spec.environment})")
    headings = ["", "this spec", *(fit.target for fit in fits)]
    lines = [[row.field, row.value, *(row.cells[fit.target].shown for fit in fits)] for row in found]
    lines.append(["all of it", "", *(_CAN[fit.fits] for fit in fits)])
    widths = [max(len(line[n]) for line in (headings, *lines)) for n in range(len(headings))]
    for columns in _beside_each_other(widths, _width()):
        click.echo()
        for line in (headings, *lines):
            click.echo(_GAP.join(_coloured(line[n], widths[n]) for n in columns).rstrip())
    for fit in fits:
        _tell(fit)


def _width() -> int:
    """Return how many characters a line has: the terminal's, or enough for all where there is none."""
    return shutil.get_terminal_size((140, 24)).columns


def _beside_each_other(widths: Sequence[int], most: int) -> list[list[int]]:
    """Return which columns each table has: the first two, and as many targets as fit beside them, but at least one."""
    tables = [[0, 1]]
    for column in range(2, len(widths)):
        told = [*tables[-1], column]
        is_wide = sum(widths[n] for n in told) + len(_GAP) * (len(told) - 1) > most
        if is_wide and len(tables[-1]) > 2:
            tables.append([0, 1, column])
        else:
            tables[-1] = told
    return tables


def _coloured(cell: str, width: int) -> str:
    colour = {"✓": "green", "✗": "red"}.get(cell[:1])
    return click.style(f"{cell:<{width}}", fg=colour) if colour else f"{cell:<{width}}"


def _tell(fit: Fit) -> None:
    if not (fit.refusals or fit.notes):
        return
    click.echo(f"\n{fit.target} {'carries it' if fit.fits else 'cannot carry it'}:")
    width = max(60, min(_width(), 140))
    for sign, entries in (("✗", fit.refusals), ("·", fit.notes)):
        for entry in entries:
            text = textwrap.fill(
                str(entry),
                width,
                initial_indent=f"  {sign} ",
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            click.echo(click.style(text, fg="red") if sign == "✗" else text)
