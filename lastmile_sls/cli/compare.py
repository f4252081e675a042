"""`lastmile compare`: which cloud and which size, at what price, and where that changes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.traffic_options import traffic_options
from lastmile_sls.plan.document import Target

if TYPE_CHECKING:
    from lastmile_sls.compare.document import Comparison
    from lastmile_sls.estimate.traffic_file import Shape


@click.command("compare")
@options.spec_option
@click.option(
    "--target",
    "targets",
    type=click.Choice(("aws", "gcp", "azure")),
    multiple=True,
    help="Look at this one; may be given more than once. Default: all three.",
)
@options.environment_option
@click.option(
    "--memory",
    metavar="MB,MB,...",
    help="Sizes to compare, in MB. Default: half, one, two and four times the spec's, and what there is on Azure.",
)
@traffic_options
@click.option("--shape", "shape_name", metavar="NAME", help="Which shape of the --traffic file.")
@click.option("--free-tier", is_flag=True, help="Take off what an account has free each month.")
@click.option(
    "--html",
    "html_path",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it as a page as well, with the price curves.",
)
@options.json_option
def command(
    spec_path: Path | None,
    targets: tuple[Target, ...],
    environment: str | None,
    memory: str | None,
    shapes: Mapping[str, Shape],
    shape_name: str | None,
    *,
    free_tier: bool,
    html_path: Path | None,
    as_json: bool,
) -> None:
    """Compare clouds and sizes: what fits, what a month costs, where the price curves cross, and what to take.

    Each target's bundles are built and previewed offline; nothing is deployed, or asked of a cloud. Ends with 1 when no
    target can be recommended.
    """
    from datetime import UTC, datetime

    from lastmile_sls import deploy
    from lastmile_sls.asked import find_spec
    from lastmile_sls.cli.progress import Progress
    from lastmile_sls.compare.run import memories, one_shape, run
    from lastmile_sls.errors import LastmileError

    if html_path and not html_path.parent.is_dir():
        raise LastmileError(
            f"--html is {html_path}, but {html_path.parent} is no folder.",
            "Name a file in one that is there.",
        )
    path, today = find_spec(spec_path), datetime.now(UTC).date()
    with closing(Progress(quiet=as_json)) as progress:
        found = run(
            *(path, targets, memories(memory), one_shape(shapes, shape_name), deploy.environ(), today),
            environment=environment,
            free_tier=free_tier,
            tell=progress.tell,
        )
    if html_path:
        _write_page(found, html_path, today)
    if as_json:
        from lastmile_sls.compare.as_json import document_of

        options.print_json(document_of(found))
    else:
        _show(found)
    if html_path:
        click.echo(f"the comparison as a page: {html_path}", err=True)
    if found.best is None:
        sys.exit(1)


def _show(found: Comparison) -> None:
    from lastmile_sls.compare.as_text import lines_of

    width = max(60, min(shutil.get_terminal_size((80, 24)).columns, 120))
    for line in lines_of(found, width):
        colour = {"→": "green", "✗": "red"}.get(line[:1])
        click.echo(click.style(line, fg=colour) if colour else line)


def _write_page(found: Comparison, path: Path, today: date) -> None:
    from lastmile_sls.compare.as_page import page_of
    from lastmile_sls.errors import LastmileError

    try:
        path.write_text(page_of(found, today), encoding="utf-8")
    except OSError as error:
        raise LastmileError(
            f"{path} cannot be written: {error.strerror or error}.", "Name another file: --html FILE"
        ) from error
