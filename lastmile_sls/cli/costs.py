"""`lastmile costs`: what each model cost, from the clouds' bills in the FOCUS format."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from lastmile_sls.cli import options
from lastmile_sls.costs.report.document import Asked, Dimension, Share

if TYPE_CHECKING:
    from lastmile_sls.cli.progress import Progress
    from lastmile_sls.costs.read import Reading
    from lastmile_sls.costs.report.document import Report

_FILE = click.Path(path_type=Path, dir_okay=False)
_DAY = click.DateTime(["%Y-%m-%d"])
_WIDEST = 110
_HINT = "Name a file in a folder that is there, and that you may write to."


@dataclass(frozen=True)
class _Input:
    files: tuple[str, ...]
    outputs: tuple[Path, ...]
    usage: tuple[Path, ...]


@dataclass(frozen=True)
class _Written:
    """Where the report goes, beside the terminal."""

    html: Path | None
    csv: Path | None
    parquet: Path | None


@click.command("costs")
@click.argument("files", nargs=-1, metavar="FILES...")
@click.option(
    "--outputs",
    type=_FILE,
    multiple=True,
    metavar="FILE",
    help="A stack's outputs, from `pulumi stack output --json`: its resources without tags are known by them. May be "
    "given more than once.",
)
@click.option(
    "--usage",
    type=_FILE,
    multiple=True,
    metavar="FILE",
    help="Counts of requests, from `lastmile usage`: what 1 000 predictions cost, and each version. May be given more "
    "than once.",
)
@click.option("--from", "first", type=_DAY, metavar="DAY", help="The first day that is told, 2026-10-01 say.")
@click.option("--to", "last", type=_DAY, metavar="DAY", help="The last day that is told.")
@click.option(
    "--model", "models", multiple=True, metavar="NAME", help="This model alone; may be given more than once."
)
@click.option(
    "--environment",
    "environments",
    multiple=True,
    metavar="NAME",
    help="This environment alone, prod say; may be given more than once.",
)
@click.option(
    "--by",
    type=click.Choice(get_args(Dimension)),
    default="model",
    show_default=True,
    help="What the table on the terminal has a line for each of.",
)
@click.option(
    "--share",
    type=click.Choice(get_args(Share)),
    default="none",
    show_default=True,
    help="How cost that is attributed to no model is split over the models in the same cloud.",
)
@click.option("--html", type=_FILE, metavar="FILE", help="Write the report as one HTML page, with charts.")
@click.option(
    "--csv", type=_FILE, metavar="FILE", help="Write what the report was made of, for a spreadsheet."
)
@click.option(
    "--parquet",
    type=_FILE,
    metavar="FILE",
    help="Write the bills' own rows with the columns x_Model and the like.",
)
@click.option("--open", "is_opened", is_flag=True, help="Open the HTML page in a browser.")
@click.option(
    "--example", is_flag=True, help="Show the report of a made-up month of three clouds; no files are needed."
)
@options.json_option
def command(
    files: tuple[str, ...],
    outputs: tuple[Path, ...],
    usage: tuple[Path, ...],
    first: datetime | None,
    last: datetime | None,
    models: tuple[str, ...],
    environments: tuple[str, ...],
    by: Dimension,
    share: Share,
    html: Path | None,
    csv: Path | None,
    parquet: Path | None,
    is_opened: bool,
    example: bool,
    as_json: bool,
) -> None:
    """Say what each model cost, from FOCUS exports of AWS, Google Cloud and Azure.

    FILES are exports of FOCUS 1.0 to 1.4 as .csv, .csv.gz or .parquet, folders of them, or URLs that begin with s3://,
    gs:// or az://. Nothing is sent anywhere.
    """
    asked = Asked(_day(first), _day(last), models, environments, share)
    _check(files, asked, example=example)
    given, written = _Input(files, outputs, usage), _Written(html, csv, parquet)
    if example:
        given, written = _example(given, written)
    report = _report(given, asked, written, quiet=as_json)
    if as_json:
        from lastmile_sls.costs.report.json_document import document

        options.print_json(document(report))
    else:
        _show(report, by, written)
    if written.html and (is_opened or (example and not as_json and sys.stdout.isatty())):
        _open(written.html, os.environ, must=is_opened)


def _check(files: tuple[str, ...], asked: Asked, *, example: bool) -> None:
    if example and files:
        raise click.UsageError("--example makes its own files. Leave FILES out.")
    if not files and not example:
        raise click.UsageError(
            "no files are named. Name FOCUS exports, or see what comes out with --example."
        )
    if asked.first and asked.last and asked.first > asked.last:
        raise click.UsageError(
            f"--from is {asked.first}, but it is no later than --to, which is {asked.last}."
        )


def _example(given: _Input, written: _Written) -> tuple[_Input, _Written]:
    """Write the made-up month into a folder of its own, and say that its files are read."""
    from lastmile_sls.costs.example.write import write

    folder = Path(tempfile.mkdtemp(prefix="lastmile-costs-example-"))
    made = write(folder)
    bills = tuple(str(path) for path in made.bills)
    page = written.html or folder / "report.html"
    return (
        _Input(bills, (*made.outputs, *given.outputs), (made.usage, *given.usage)),
        _Written(page, written.csv, written.parquet),
    )


def _report(given: _Input, asked: Asked, written: _Written, *, quiet: bool) -> Report:
    """Read, calculate, and write what is to be written."""
    from lastmile_sls.cli.progress import Progress
    from lastmile_sls.costs.read import read
    from lastmile_sls.costs.report.make import make
    from lastmile_sls.costs.usage import read_usage

    usage = read_usage(given.usage)
    with (
        closing(Progress(quiet=quiet)) as progress,
        read(given.files, os.environ, outputs=given.outputs, tell=progress.tell) as reading,
    ):
        progress.tell("the report is made")
        report = make(
            *(reading.connection, asked, usage), warnings=reading.warnings, synthetic=_is_synthetic(reading)
        )
        _write(report, reading, written, progress)
    return report


def _is_synthetic(reading: Reading) -> bool:
    """Return whether rows say so themselves: the example's do, wherever they are read again."""
    return any("x_synthetic" in scan.columns.names for scan in reading.scans)


def _write(report: Report, reading: Reading, written: _Written, progress: Progress) -> None:
    if written.html:
        from lastmile_sls.costs.report.html_page import render

        progress.tell(f"{written.html} is written")
        with _whole(written.html) as temporary:
            temporary.write_text(render(report), encoding="utf-8", newline="")
    if written.csv:
        from lastmile_sls.costs.report import csv_file

        progress.tell(f"{written.csv} is written")
        with _whole(written.csv) as temporary:
            csv_file.write(reading.connection, temporary, synthetic=report.synthetic)
    if written.parquet:
        from lastmile_sls.costs.parquet import write_parquet

        progress.tell(f"{written.parquet} is written")
        write_parquet(reading, written.parquet)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Give a file beside it to write, which takes its place once it is whole."""
    import duckdb

    from lastmile_sls.errors import LastmileError

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        temporary.replace(path)
    except (OSError, duckdb.IOException) as error:
        temporary.unlink(missing_ok=True)
        reason = error.strerror if isinstance(error, OSError) else str(error).rpartition(": ")[2]
        raise LastmileError(f"{path} cannot be written: {reason}.", _HINT) from error


def _show(report: Report, by: Dimension, written: _Written) -> None:
    from lastmile_sls.costs.report.terminal import text

    width = min(shutil.get_terminal_size((80, 24)).columns, _WIDEST)
    click.echo(text(report, by, width))
    for what, path in (("report", written.html), ("table", written.csv), ("rows", written.parquet)):
        if path:
            click.echo(f"{what}: {path}", err=True)


def _open(path: Path, environ: Mapping[str, str], *, must: bool) -> None:
    """Open a page in a browser. Raises LastmileError where there is none and one was asked for."""
    import webbrowser

    from lastmile_sls.errors import LastmileError

    # On Linux without a display, Python would give the terminal to a browser of text.
    has_display = (
        sys.platform in {"darwin", "win32"} or environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    )
    if has_display and webbrowser.open(path.resolve().as_uri()):
        return
    if must:
        raise LastmileError(
            "there is no browser here to open the report in.", f"Open it yourself: {path.resolve()}"
        )


def _day(found: datetime | None) -> date | None:
    return found.date() if found else None
