"""`lastmile schedule`: run what the schedule does now, and say what it has done and will do."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import find_deployment
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.work import SCHEDULE

if TYPE_CHECKING:
    from lastmile_runtime.batch.progress import FileState
    from lastmile_sls.schedule_view import ScheduleStatus, ScheduleView

_LOOK_S = 0.5
_OVER = ("done", "failed")
_deployment_option = click.option(
    "--deployment", "-d", help="The deployment. Default: the spec's, else the only one on this machine."
)


@click.group("schedule", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Score the files of a folder, on a clock or now."""


@command.command("run")
@_deployment_option
@options.spec_option
@options.environment_option
@click.option("--detach", is_flag=True, help="Do not wait until the files are done.")
@options.json_option
def run(
    deployment: str | None, spec_path: Path | None, environment: str | None, detach: bool, as_json: bool
) -> None:
    """Score every file that has no predictions yet, now.

    Waits until each file is done, and ends with 1 when one could not be scored.
    """
    view = _view(deployment, spec_path, environment)
    before = {file.name for file in view.status().files if file.state in _OVER}
    view.run()
    if detach:
        _show(view.status(), as_json=as_json)
        return
    status = _wait(view, set(before), quiet=as_json)
    _show(status, as_json=as_json)
    left = [file for file in status.files if file.state not in _OVER]
    if left:
        raise LastmileError(
            f"{_names(left)} {'is' if len(left) == 1 else 'are'} not done, and nothing is under way any more.",
            "A part may have been set aside: lastmile queue peek says why, lastmile queue redrive tries it again.\n"
            "A file that was changed meanwhile is scored by the next run.",
        )
    wrong = [file for file in status.files if file.state == "failed" and file.name not in before]
    if wrong:
        raise LastmileError(
            f"{_names(wrong)} cannot be scored.", "_FAILED beside it says why; a changed file is tried again."
        )


@command.command("status")
@_deployment_option
@options.spec_option
@options.environment_option
@options.json_option
def status(deployment: str | None, spec_path: Path | None, environment: str | None, as_json: bool) -> None:
    """Say when the schedule runs next, when it last did, and how far each file is."""
    _show(_view(deployment, spec_path, environment).status(), as_json=as_json)


def _view(deployment: str | None, spec_path: Path | None, environment: str | None) -> ScheduleView:
    """Return the schedule that is meant. Raises LastmileError when there is none."""
    from lastmile_sls.local.schedule_view import LocalScheduleView

    return LocalScheduleView(find_deployment(deployment, spec_path, environment), SCHEDULE)


def _wait(view: ScheduleView, over: set[str], *, quiet: bool) -> ScheduleStatus:
    """Return the status once every file is done or has failed, or nothing is under way; say which becomes so."""
    from lastmile_sls.schedule_view import file_line

    live = sys.stderr.isatty() and not quiet
    while True:
        idle = view.is_idle()  # before the files are looked at: what is done meanwhile counts
        found = view.status()
        for file in found.files:
            if file.state in _OVER and file.name not in over:
                over.add(file.name)
                if not quiet:
                    click.echo(f"{_erase(live=live)}  {file_line(file)}", err=True)
        under_way = [file for file in found.files if file.state not in _OVER]
        if idle or not under_way:
            return found
        if live:
            click.echo(f"{_erase(live=live)}  {file_line(under_way[0])}", err=True, nl=False)
        time.sleep(_LOOK_S)


def _erase(*, live: bool) -> str:
    return "\r\x1b[2K" if live else ""


def _names(files: list[FileState]) -> str:
    names = [file.name for file in files]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if names[5:] else "")


def _show(found: ScheduleStatus, *, as_json: bool) -> None:
    from lastmile_sls.schedule_view import status_document, status_lines

    if as_json:
        options.print_json(status_document(found))
        return
    for line in status_lines(found):
        click.echo(line)
