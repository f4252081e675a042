"""`lastmile tags`: compare the tags of what is deployed with the spec's."""

from __future__ import annotations

import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lastmile_sls.cli import options
from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    from decimal import Decimal

    from lastmile_sls.tags.document import Checked

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("tags")
def command() -> None:
    """Compare the tags of what is deployed with the spec's: check."""


@command.command("check")
@options.spec_option
@options.target_option
@options.environment_option
@click.option(
    "--state",
    "state_path",
    metavar="FILE",
    type=_FILE,
    help="The stack's state, from `pulumi stack export`, in place of asking the Pulumi CLI.",
)
@click.option(
    "--outputs",
    "outputs_path",
    metavar="FILE",
    type=_FILE,
    help="The stack's outputs, from `pulumi stack output --json`: only what they name is checked.",
)
@click.option(
    "--costs",
    "costs",
    multiple=True,
    metavar="FILE",
    help="A FOCUS export, a folder or a URL: what was billed without the tags. May be given more than once.",
)
@click.option(
    "--estimate",
    "estimate_path",
    metavar="FILE",
    type=_FILE,
    help="Without --costs: what a month costs, from lastmile estimate --json. Default: estimated now, from list prices.",
)
@click.option(
    "--requests", metavar="NUMBER", help="Requests in a month, for an estimate that is made now. Default: 0."
)
@click.option("--junit", type=_FILE, metavar="FILE", help="Write JUnit XML to this file.")
@options.json_option
def check(
    spec_path: Path | None,
    target: str,
    environment: str | None,
    state_path: Path | None,
    outputs_path: Path | None,
    costs: tuple[str, ...],
    estimate_path: Path | None,
    requests: str | None,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Ask the cloud for the tags of everything that the stack has, and say what is missing, wrong or gone.

    Beside each missing tag is what it costs: what was billed without it, by --costs; else what its resource costs in a
    month. Nothing is changed. Ends with 1 when something is missing, wrong or gone; what could not be looked at is told.
    """
    from lastmile_sls import deploy
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.cli.progress import Progress
    from lastmile_sls.control.tags import open_tags
    from lastmile_sls.tags.run import Sources
    from lastmile_sls.tags.run import check as run
    from lastmile_sls.tags.stack import Asked, find

    if state_path is not None and outputs_path is not None:
        raise click.UsageError("--state and --outputs exclude each other.")
    if costs and (estimate_path or requests):
        raise click.UsageError("--costs says what was billed: --estimate and --requests say nothing more.")
    sources = Sources(costs, estimate_path, _requests(requests))
    asked = Asked(find_spec(spec_path), as_target(target), environment, state_path, outputs_path)
    with closing(Progress(quiet=as_json)) as progress:
        progress.tell("reading the stack")
        standing = find(asked, deploy.environ())
        checked = run(standing, open_tags(standing.stack), asked, sources, progress.tell)
    if junit is not None:
        _write_junit(checked, junit)
    if as_json:
        from lastmile_sls.tags.as_json import to_json

        options.print_json(to_json(checked))
    else:
        _show(checked)
    if checked.wrong:
        sys.exit(1)


def _requests(said: str | None) -> Decimal | None:
    from lastmile_sls.estimate.traffic_file import number

    return None if said is None else number("requests", said, "--requests")


def _show(checked: Checked) -> None:
    from lastmile_sls.tags.as_text import lines_of

    for line in lines_of(checked, shutil.get_terminal_size((100, 24)).columns):
        click.echo(line)
    for note in checked.notes:
        click.echo(f"note: {note}", err=True)


def _write_junit(checked: Checked, path: Path) -> None:
    from lastmile_sls.check.junit import render_suite
    from lastmile_sls.tags.as_json import checks_of

    facts = {"target": checked.target, "deployment": checked.deployment, "money": checked.basis.told}
    name = f"{checked.deployment} tags"
    text = render_suite(
        "lastmile tags check", name, f"lastmile.tags.{checked.deployment}", facts, checks_of(checked)
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LastmileError(f"{path} cannot be written: {error.strerror or error}.") from error
