"""`lastmile usage`: how often each version was asked on each day, by the telemetry of where it runs."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import find_deployment, name_argument

if TYPE_CHECKING:
    from lastmile_sls.cloud_stack import CloudStack
    from lastmile_sls.costs.usage import Usage

_LONGEST_DAYS = 455
"""CloudWatch keeps numbers of an hour for so long
(docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html, unverified)."""


@click.command("usage")
@name_argument
@options.spec_option
@options.target_option
@options.environment_option
@options.outputs_option
@click.option(
    "--days",
    type=click.IntRange(1, _LONGEST_DAYS),
    default=30,
    show_default=True,
    help="So many days back, today included.",
)
@click.option(
    "--output",
    "-o",
    "output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the rows to a file: CSV, or JSON lines when its name ends with .jsonl.",
)
@options.json_option
def command(
    deployment: str | None,
    spec_path: Path | None,
    target: str,
    environment: str | None,
    outputs_path: Path | None,
    days: int,
    output: Path | None,
    as_json: bool,
) -> None:
    """Count the requests that each version answered on each day (UTC), and what they took on average.

    Requests that were refused, and what the queue works on later, are not in it. `lastmile costs --usage FILE` and
    `lastmile budget enforce --usage FILE` read what -o writes.
    """
    stack = find_asked(deployment, spec_path, target, environment, outputs_path)
    rows = read(stack, deployment, spec_path, environment, days)
    if output is not None:
        from lastmile_sls.files import write_private

        write_private(output, (_json_lines(rows) if output.suffix == ".jsonl" else _csv(rows)).encode())
    if as_json:
        options.print_json([document_of(row) for row in rows])
    elif output is None:
        _show(rows, days)
    else:
        click.echo(f"{len(rows)} rows of {days} days: {output}", err=True)


def find_asked(
    deployment: str | None,
    spec_path: Path | None,
    target: str,
    environment: str | None,
    outputs_path: Path | None,
) -> CloudStack | None:
    """Return the stack that is meant, with its spec where there is one; None when it is on this machine."""
    if outputs_path is None or deployment is not None:
        from lastmile_sls.cli.deployments import choose_stack

        return choose_stack(deployment, spec_path, target, environment, outputs_path)
    from lastmile_sls import deploy
    from lastmile_sls.asked import SPEC_FILE, as_target, find_spec
    from lastmile_sls.cloud_stack import read_outputs
    from lastmile_sls.spec.load import load

    has_spec = spec_path is not None or Path(SPEC_FILE).exists()
    spec = load(find_spec(spec_path), environment) if has_spec else None
    asked = None if target == "local" else as_target(target)
    return read_outputs(outputs_path, asked, deploy.environ(), spec)


def read(
    stack: CloudStack | None,
    deployment: str | None,
    spec_path: Path | None,
    environment: str | None,
    days: int,
) -> tuple[Usage, ...]:
    """Return the rows of so many days, today included. Raises LastmileError."""
    from lastmile_sls.control.clock import utc_now
    from lastmile_sls.control.usage import as_usage, read_usage

    since = utc_now().date() - timedelta(days=days - 1)
    if stack is not None:
        from lastmile_sls.control.open import open_control

        return read_usage(stack, open_control(stack), since, environment)
    from lastmile_sls.local import records
    from lastmile_sls.local.usage import counted

    place = find_deployment(deployment, spec_path, environment)
    functions = records.all_of(place, "function")
    tags: dict[str, str] = dict(functions[0].inputs.get("tags") or {}) if functions else {}
    return as_usage(counted(place, since), tags.get("model", ""), tags.get("environment", ""))


def document_of(row: Usage) -> dict[str, Any]:
    """Return a row as JSON has it; the duration is decimal text there."""
    return {
        "day": str(row.day),
        "model": row.model,
        "environment": row.environment,
        "version": row.version,
        "requests": row.requests,
        "duration_ms": None if row.duration_ms is None else f"{row.duration_ms:f}",
    }


def _csv(rows: Sequence[Usage]) -> str:
    from lastmile_sls.costs.usage import FIELDS

    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(document_of, rows))
    return text.getvalue()


def _json_lines(rows: Sequence[Usage]) -> str:
    return "".join(json.dumps(document_of(row), ensure_ascii=False) + "\n" for row in rows)


def _show(rows: Sequence[Usage], days: int) -> None:
    if not rows:
        click.echo(f"no version answered a request in {days} days, as far as telemetry says", err=True)
        sys.exit(0)
    width = max(len("version"), *(len(row.version) for row in rows))
    click.echo(f"{'day':<10}  {'version':<{width}}  {'requests':>12}  {'mean':>10}")
    for row in rows:
        took = "" if row.duration_ms is None else f"{row.duration_ms:.1f} ms"
        click.echo(f"{row.day}  {row.version:<{width}}  {row.requests:>12,}  {took:>10}".rstrip())
    click.echo(f"{'':<10}  {'':<{width}}  {sum(row.requests for row in rows):>12,}")
