"""`lastmile estimate`: what a month will cost, and what changes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.progress import Progress
from lastmile_sls.cli.traffic_options import traffic_options
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Target

if TYPE_CHECKING:
    from datetime import date

    from lastmile_sls.estimate.diff import Diff
    from lastmile_sls.estimate.document import Estimate, Traffic
    from lastmile_sls.estimate.project import Project
    from lastmile_sls.estimate.traffic_file import Shape
    from lastmile_sls.prices.book import PriceBook

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("estimate")
@options.spec_option
@click.option(
    "--target",
    type=click.Choice(get_args(Target)),
    help="The cloud. Default: the only one that the spec names.",
)
@options.environment_option
@traffic_options
@click.option("--free-tier", is_flag=True, help="Take off what an account has free each month.")
@click.option("--diff", "wants_diff", is_flag=True, help="Say what changes beside what is deployed.")
@click.option(
    "--against",
    metavar="FILE",
    type=_FILE,
    help="Say what changes beside an earlier estimate, from --json.",
)
@click.option(
    "--markdown", metavar="FILE", type=_FILE, help="Write what changes, for a pull request's comment."
)
@click.option("--infracost", metavar="FILE", type=_FILE, help="Write it as Infracost's JSON, for its tools.")
@options.json_option
def command(
    spec_path: Path | None,
    target: Target | None,
    environment: str | None,
    shapes: dict[str, Shape],
    free_tier: bool,
    wants_diff: bool,
    against: Path | None,
    markdown: Path | None,
    infracost: Path | None,
    as_json: bool,
) -> None:
    """Say what a month will cost: every resource of the program, meter by meter, from list prices.

    Nothing is deployed, or asked of the cloud; only a stack that is there is read, for its traffic. Say the requests:
    --requests 1000000. How long a request takes is measured on the built bundle, or given: --duration v1=80.
    """
    from datetime import UTC, datetime

    from lastmile_sls import deploy
    from lastmile_sls.asked import find_spec
    from lastmile_sls.estimate.as_json import read_all
    from lastmile_sls.estimate.project import look, months, target_of
    from lastmile_sls.prices.shelf import open_book
    from lastmile_sls.spec.load import load

    if wants_diff and against:
        raise LastmileError("--diff and --against exclude each other.", "Name one.")
    environ, path, now = deploy.environ(), find_spec(spec_path), datetime.now(UTC)
    cloud = target_of(load(path, environment), target)
    earlier = read_all(against) if against else None
    with closing(Progress(quiet=as_json)) as progress:
        project = look(
            *(path, cloud, environ), environment=environment, wants_state=wants_diff, tell=progress.tell
        )
        traffic, notes = months(project, shapes, path, environ, progress.tell)
    book = open_book(environ, [cloud])
    diffs = _diffs(project, traffic, book, earlier, free_tier=free_tier, wants_diff=wants_diff)
    _write(diffs, markdown, infracost, now, path)
    if as_json:
        options.print_json(_json(diffs, compares=wants_diff or against is not None, today=now.date()))
        return
    _show(diffs, compares=wants_diff or against is not None, today=now.date())
    for note in (*project.notes, *notes):
        click.echo(f"note: {note}", err=True)


def _diffs(
    project: Project,
    traffic: Mapping[str, Traffic],
    book: PriceBook,
    earlier: Mapping[str, Estimate] | None,
    *,
    free_tier: bool,
    wants_diff: bool,
) -> dict[str, Diff]:
    """Return each shape's estimate beside what it is compared with."""
    from lastmile_sls.estimate.diff import diff
    from lastmile_sls.estimate.project import price, price_deployed

    found = {}
    for shape, month in traffic.items():
        before = None
        if earlier is not None:
            before = earlier.get(shape)
            if before is None:
                named = ", ".join(filter(None, earlier)) or "one without a name"
                raise LastmileError(
                    f"--against has no estimate of the shape {shape or 'without a name'}, but {named}.",
                    "Make both with the same traffic.",
                )
        elif wants_diff:
            before = price_deployed(project, month, book, free_tier=free_tier)
        found[shape] = diff(before, price(project, month, book, free_tier=free_tier))
    return found


def _write(
    diffs: Mapping[str, Diff], markdown: Path | None, infracost: Path | None, now: Any, spec_path: Path
) -> None:
    from lastmile_sls.estimate.infracost import to_infracost
    from lastmile_sls.estimate.markdown import to_markdown

    if markdown:
        _write_file(markdown, to_markdown(diffs, now.date()))
    if infracost:
        document = to_infracost(diffs, now, spec_path.as_posix())
        _write_file(infracost, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _write_file(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise LastmileError(f"{path} could not be written: {error.strerror or error}.") from error


def _json(diffs: Mapping[str, Diff], *, compares: bool, today: date) -> dict[str, Any]:
    from lastmile_sls.estimate.as_json import changes_to_json, to_json
    from lastmile_sls.estimate.notes import warnings

    document = to_json({shape: diff.after for shape, diff in diffs.items()})
    for one, diff in zip(document["estimates"], diffs.values(), strict=True):
        one["warnings"] = warnings(diff.after, today)
        if compares:
            one["diff"] = changes_to_json(diff)
    return document


def _show(diffs: Mapping[str, Diff], *, compares: bool, today: date) -> None:
    from lastmile_sls.estimate.as_text import changes_of, lines_of

    width = shutil.get_terminal_size((100, 24)).columns
    for number, (shape, diff) in enumerate(diffs.items()):
        if number:
            click.echo()
        for line in lines_of(diff.after, shape, width, today):
            click.echo(line)
        if compares:
            click.echo()
            for line in changes_of(diff, width):
                click.echo(line)
