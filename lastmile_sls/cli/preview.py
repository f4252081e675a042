"""`lastmile preview`: say what `up` would do."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.predictors import predictors_of, show_predictors
from lastmile_sls.cli.progress import Progress, functions_of, show_functions, show_outputs, summary
from lastmile_sls.engine.interface import EngineName


@click.command("preview")
@options.spec_option
@options.target_option
@options.engine_option
@options.json_option
def command(spec_path: Path | None, target: str, engine_name: EngineName | None, as_json: bool) -> None:
    """Say what `up` would do; nothing is deployed."""
    from lastmile_sls import deploy
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.build.prepare import prepare
    from lastmile_sls.local.home import find_home

    environ = deploy.environ()
    deploy.check_target(as_target(target), environ)
    progress = Progress(quiet=as_json)
    with closing(progress):
        prepared = prepare(find_spec(spec_path), as_target(target), environ, tell=progress.tell)
    if not as_json:
        show_functions(prepared.plan)
        show_predictors(prepared.predictors)
    with closing(progress):
        engine = deploy.choose_engine(prepared.program, engine_name, environ, take_over=False)
        deploy.check_free(prepared, find_home(environ))
        result = engine.preview(prepared.program, progress)
    if as_json:
        steps = [
            {"operation": e.operation, "type": e.type, "name": e.name, "changed": e.changed}
            for e in progress.steps
        ]
        options.print_json(
            {
                "functions": functions_of(prepared.plan),
                "predictors": predictors_of(prepared.predictors),
                "changes": result.changes,
                "steps": steps,
                "outputs": result.outputs,
            }
        )
        return
    click.echo(summary(result.changes, planned=True), err=True)
    show_outputs(result)
