"""`lastmile preview`: say what `up` would do."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

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
from lastmile_sls.cli.verdicts import show_verdicts, verdicts_of
from lastmile_sls.engine.interface import EngineName

if TYPE_CHECKING:
    from lastmile_sls.policy.verdict import Verdict


@click.command("preview")
@options.spec_option
@options.target_option
@options.environment_option
@options.bundles_of_option
@options.engine_option
@options.policy_option
@options.json_option
def command(
    spec_path: Path | None,
    target: str,
    environment: str | None,
    bundles_of: str | None,
    engine_name: EngineName | None,
    policy_path: Path | None,
    as_json: bool,
) -> None:
    """Say what `up` would do; nothing is deployed.

    A cloud that nothing was deployed to yet is previewed offline, without the Pulumi CLI, an account or a network;
    --json has what each resource would be made from. Ends with 1 when it breaks a mandatory rule of the policy.
    """
    from lastmile_sls import deploy
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.budget.apply import prepare
    from lastmile_sls.compliance import check_program, find_policy, require, resources_of
    from lastmile_sls.local.home import find_home
    from lastmile_sls.policy.verdict import judge

    environ = deploy.environ()
    deploy.require_sdk(as_target(target))
    path = find_spec(spec_path)
    policy = find_policy(policy_path, path) if target != "local" else None
    progress = Progress(quiet=as_json)
    with closing(progress):
        prepared = prepare(
            *(path, as_target(target), environ),
            environment=environment,
            bundles_of=bundles_of,
            images=False,
            tell=progress.tell,
        )
    if not as_json:
        show_functions(prepared.plan, prepared.overrides)
        show_predictors(prepared.predictors)
    with closing(progress):
        engine = deploy.choose_preview(prepared.program, as_target(target), engine_name, environ)
        if target == "local":
            deploy.check_free(prepared, find_home(environ))
        elif engine.name == "pulumi":
            from lastmile_sls.cloud_stack import check_traffic

            check_traffic(prepared, engine, environ)
        result = engine.preview(prepared.program, progress)
    verdicts: list[Verdict] = []
    if policy and engine.name == "embedded":
        verdicts = judge(resources_of(progress.steps), policy.parameters)
    elif policy:  # what the CLI says of a stack that is there has its secrets blinded
        verdicts = check_program(prepared.program, policy.parameters, environ)
    if as_json:
        steps = [
            {
                "operation": e.operation,
                "type": e.type,
                "name": e.name,
                "changed": e.changed,
                "inputs": e.inputs,
            }
            for e in progress.steps
        ]
        options.print_json(
            {
                "functions": functions_of(prepared.plan),
                "predictors": predictors_of(prepared.predictors),
                "changes": result.changes,
                "steps": steps,
                "outputs": result.outputs,
                **({"overrides": prepared.overrides} if prepared.overrides else {}),
                **({"policy": verdicts_of(verdicts, policy)} if policy else {}),
            }
        )
        sys.exit(any(verdict.stops for verdict in verdicts))
    click.echo(summary(result.changes, planned=True), err=True)
    if target != "local" and engine.name == "embedded":
        click.echo("previewed offline: nothing of this was asked of the cloud", err=True)
    show_outputs(result)
    if policy:
        show_verdicts(verdicts, policy)
        require(verdicts, policy)
