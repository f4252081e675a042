"""`lastmile up`: deploy the spec."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.predictors import predictors_of, show_predictors
from lastmile_sls.cli.progress import (
    Progress,
    functions_of,
    show_functions,
    show_outputs,
    summary,
)
from lastmile_sls.cli.verdicts import show_verdicts
from lastmile_sls.engine.interface import EngineName, Result


@click.command("up")
@options.spec_option
@options.target_option
@options.environment_option
@options.bundles_of_option
@options.engine_option
@options.take_over_option
@options.policy_option
@options.json_option
def command(
    spec_path: Path | None,
    target: str,
    environment: str | None,
    bundles_of: str | None,
    engine_name: EngineName | None,
    take_over: bool,
    policy_path: Path | None,
    as_json: bool,
) -> None:
    """Deploy the spec: bundle its models, write the Pulumi program, run it."""
    from lastmile_sls import deploy
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.budget.apply import prepare
    from lastmile_sls.build.sign import require_signatures
    from lastmile_sls.cli.invocation import invocation
    from lastmile_sls.compliance import check_program, find_policy, require
    from lastmile_sls.local.home import find_home

    environ = deploy.environ()
    # What is missing here is told before anything is built.
    deploy.require_sdk(as_target(target))
    if target != "local":
        deploy.get_engine("pulumi", environ)
    path = find_spec(spec_path)
    policy = find_policy(policy_path, path) if target != "local" else None
    progress = Progress(quiet=as_json)
    with closing(progress):
        prepared = prepare(
            *(path, as_target(target), environ),
            environment=environment,
            bundles_of=bundles_of,
            tell=progress.tell,
        )
        require_signatures(prepared, path)
    name = f"{prepared.spec.name} ({prepared.program.stack})"
    if not as_json:
        click.echo(f"deploying {name}", err=True)
        show_functions(prepared.plan, prepared.overrides)
        show_predictors(prepared.predictors)
    if policy:
        verdicts = check_program(prepared.program, policy.parameters, environ)
        if not as_json:
            show_verdicts(verdicts, policy)
        require(verdicts, policy)
    with closing(progress):
        engine = deploy.choose_engine(
            prepared.program, as_target(target), engine_name, environ, take_over=take_over
        )
        if target == "local":
            deploy.check_free(prepared, find_home(environ))
        elif engine.name == "pulumi":
            from lastmile_sls.cloud_stack import check_traffic

            check_traffic(prepared, engine, environ)
        result = engine.up(prepared.program, progress)
    if as_json:
        options.print_json(
            {
                "functions": functions_of(prepared.plan),
                "predictors": predictors_of(prepared.predictors),
                "changes": result.changes,
                "outputs": result.outputs,
                **({"overrides": prepared.overrides} if prepared.overrides else {}),
                "project": str(prepared.program.folder),
            }
        )
        return
    click.echo(summary(result.changes), err=True)
    show_outputs(result)
    click.echo(
        f"\nthe Pulumi program: {_shown(prepared.program.folder)} (`pulumi up` works there too)",
        err=True,
    )
    if target == "local":
        click.echo(f"what runs: {invocation('status', spec_path)}", err=True)
    show_dns_records(result)
    where = "" if target == "local" else f" --target {target}"
    where += f" --environment {environment}" if environment else ""
    header = (
        "" if "key" not in result.outputs else f' -H "x-api-key: $({invocation("key", spec_path)}{where})"'
    )
    url = f"{result.outputs['url']}/v2/models/{prepared.spec.name}"
    click.echo(f"what it takes: curl -s {url}{header}", err=True)


def show_dns_records(result: Result) -> None:
    """Say which records are to be made for the domain, where no zone of the cloud's was named."""
    for record in result.outputs.get("dns_records", ()):
        click.echo(f"make this record: {record['name']} {record['type']} {record['value']}", err=True)


def _shown(folder: Path) -> str:
    resolved = folder.resolve()
    return str(resolved.relative_to(Path.cwd()) if resolved.is_relative_to(Path.cwd()) else resolved)
