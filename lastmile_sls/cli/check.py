"""`lastmile check`: run the built bundle as its target would, on the certified answers."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.progress import Progress

if TYPE_CHECKING:
    from lastmile_sls.check.checked import Checked

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("check")
@options.spec_option
@options.target_option
@click.option(
    "--starts", type=click.IntRange(1, 100), default=3, show_default=True, help="Start it anew so often."
)
@click.option(
    "--budget-ms", type=click.FloatRange(min=1), help="In place of the spec's bundle.cold_start_budget_ms."
)
@click.option("--junit", type=_FILE, help="Write what was found to this file, as JUnit XML.")
@click.option(
    "--charts",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write where each cold start goes to this folder, a page with a chart for each contract.",
)
@options.json_option
def command(
    spec_path: Path | None,
    target: str,
    starts: int,
    budget_ms: float | None,
    junit: Path | None,
    charts: Path | None,
    as_json: bool,
) -> None:
    """Build the spec if it changed, then run the bundle under the target's own runtime contract.

    Its answers are compared with the certified ones; time, memory and size with the target's limits and the budget.
    Exits with 1 when a check failed.
    """
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.build.check import check_project, write_charts
    from lastmile_sls.build.prepare import prepare
    from lastmile_sls.build.sign import require_signatures

    environ = os.environ
    path = find_spec(spec_path)
    with closing(Progress(quiet=as_json)) as progress:
        prepared = prepare(path, as_target(target), environ, tell=progress.tell)
        require_signatures(prepared, path)
        found = check_project(prepared, environ, progress.tell, starts=starts, budget_ms=budget_ms)
    if junit:
        from lastmile_sls.check.junit import join

        junit.write_text(join(found.values()), encoding="utf-8")
    if charts:
        for page in write_charts(found, charts):
            click.echo(f"chart: {page}", err=True)
    if as_json:
        passed = all(checked.passed for checked in found.values())
        functions = {name: checked.to_json() for name, checked in found.items()}
        options.print_json({"passed": passed, "functions": functions})
    else:
        _show(found)
    if not all(checked.passed for checked in found.values()):
        sys.exit(1)


def _show(found: dict[str, Checked]) -> None:
    for name, checked in found.items():
        click.echo(f"{name}, {checked.target}:")
        for line in checked.summary():
            click.echo(f"  {line}")
