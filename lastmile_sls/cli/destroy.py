"""`lastmile destroy`: delete a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.progress import Progress, summary
from lastmile_sls.engine.interface import EngineName

if TYPE_CHECKING:
    from lastmile_sls.engine.interface import Standing


@click.command("destroy")
@options.spec_option
@options.target_option
@options.environment_option
@options.engine_option
@click.option("--data", is_flag=True, help="Delete also the buckets that are kept, with all that is in them.")
@options.yes_option
@options.json_option
def command(
    spec_path: Path | None,
    target: str,
    environment: str | None,
    engine_name: EngineName | None,
    data: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete the deployment's resources: its endpoint stops answering and its key ends.

    On a cloud its bucket is kept, with what is in it, unless --data says otherwise.
    """
    from lastmile_sls import deploy
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.build.prepare import find_program
    from lastmile_sls.errors import LastmileError

    environ = deploy.environ()
    program = find_program(find_spec(spec_path), as_target(target), environment)
    engine = deploy.choose_engine(program, as_target(target), engine_name, environ)
    if not engine.exists(program):
        raise LastmileError(
            f"there is no stack {program.stack} of {program.project}: nothing to destroy.",
            "See what there is: lastmile status --all"
            if target == "local"
            else f"See what there is: cd {program.folder} && pulumi stack ls",
        )
    kept = () if data else engine.retained(program)
    lost = [resource for resource in engine.resources(program) if resource not in kept]
    if not as_json:
        show_what_goes(lost, kept)
    if not yes:
        click.confirm(f"Delete {program.project} ({program.stack}), its key and its logs?", abort=True)
    progress = Progress(quiet=as_json)
    try:
        result = engine.destroy(program, progress, data=data)
    finally:
        progress.close()
    if as_json:
        options.print_json(
            {"changes": result.changes, "kept": [{"type": r.type, "name": r.name, "id": r.id} for r in kept]}
        )
    else:
        click.echo(summary(result.changes), err=True)


def show_what_goes(lost: Sequence[Standing], kept: Sequence[Standing], *, with_data: bool = True) -> None:
    """Say what will be deleted, by kind, and what is kept; `with_data`: unless --data says otherwise."""
    counts: dict[str, int] = {}
    for resource in lost:
        kind = resource.type.rsplit(":", 1)[-1]
        counts[kind] = counts.get(kind, 0) + 1
    told = ", ".join(f"{kind} x{count}" if count > 1 else kind for kind, count in counts.items())
    click.echo(f"will be deleted: {told or 'nothing'}", err=True)
    for resource in _outermost(kept):
        click.echo(f"is kept: {resource.type.rsplit(':', 1)[-1]} {resource.id}", err=True)
    if kept and with_data:
        click.echo("  with --data it is deleted too, with all that is in it", err=True)


def _outermost(resources: Sequence[Standing]) -> list[Standing]:
    """Return those that are not a part of another: a bucket's settings have its id, or one that begins with it."""
    found: list[Standing] = []
    for resource in resources:
        if not any(resource.id.startswith(other.id) for other in found):
            found.append(resource)
    return found
