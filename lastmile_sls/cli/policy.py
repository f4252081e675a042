"""`lastmile policy`: hold what would be deployed to the rules of one file."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import click

from lastmile_sls.cli import options


@click.group("policy")
def command() -> None:
    """Hold what would be deployed to the rules of one file: check, rules, schema, pack."""


@command.command("check")
@options.spec_option
@options.target_option
@options.environment_option
@options.policy_option
@options.json_option
def check(
    spec_path: Path | None, target: str, environment: str | None, policy_path: Path | None, as_json: bool
) -> None:
    """Judge what `up` would make on a cloud; nothing is deployed, or asked of the cloud.

    Ends with 1 when a mandatory rule is broken. Without a policy file the rules' defaults are judged.
    """
    from lastmile_sls import deploy
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.build.prepare import prepare
    from lastmile_sls.cli.progress import Progress
    from lastmile_sls.cli.verdicts import show_verdicts, verdicts_of
    from lastmile_sls.compliance import check_program, policy_or_defaults, require, require_cloud

    path, environ = find_spec(spec_path), deploy.environ()
    policy = policy_or_defaults(policy_path, path)
    require_cloud(as_target(target))
    deploy.require_sdk(as_target(target))
    with closing(Progress(quiet=as_json)) as progress:
        prepared = prepare(
            *(path, as_target(target), environ), environment=environment, images=False, tell=progress.tell
        )
    verdicts = check_program(prepared.program, policy.parameters, environ)
    if as_json:
        options.print_json(verdicts_of(verdicts, policy))
        sys.exit(any(verdict.stops for verdict in verdicts))
    show_verdicts(verdicts, policy)
    require(verdicts, policy)


@command.command("rules")
@click.option(
    "--policy",
    "policy_path",
    type=click.Path(path_type=Path),
    help="Say how much each rule weighs by this file. Default: lastmile.policy.yaml here, if there is one.",
)
@options.json_option
def rules(policy_path: Path | None, as_json: bool) -> None:
    """Say what each rule demands, how much it weighs, and what to change when it is broken."""
    from lastmile_sls.compliance import policy_or_defaults
    from lastmile_sls.policy.rules import RULES
    from lastmile_sls.policy.verdict import severity_of

    parameters = policy_or_defaults(policy_path, Path("lastmile.yaml")).parameters
    weights = {rule.id: severity_of(rule, parameters) or "off" for rule in RULES}
    if as_json:
        options.print_json(
            [
                {"rule": rule.id, "severity": weights[rule.id], "demands": rule.demands, "fix": rule.fix}
                for rule in RULES
            ]
        )
        return
    for rule in RULES:
        click.echo(f"{click.style(rule.id, bold=True)} ({weights[rule.id]}): {rule.demands}")
        click.echo(f"    {rule.fix}")


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of lastmile.policy.yaml, for editors and other tools."""
    from lastmile_sls.policy.parameters import json_schema

    options.print_json(json_schema())


@command.command("pack")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("policy-pack"),
    show_default=True,
    help="The folder to write.",
)
@options.policy_option
def pack(folder: Path, policy_path: Path | None) -> None:
    """Write the same rules as a policy pack for the Pulumi CLI, and print its folder."""
    from lastmile_sls.compliance import find_policy
    from lastmile_sls.policy_pack import write_pack

    policy = find_policy(policy_path, Path("lastmile.yaml"))
    missing = write_pack(folder, policy.path if policy else None)
    click.echo(str(folder))
    if missing:
        click.echo(f"set it up once: cd {folder} && pulumi install", err=True)
    click.echo(f"run it on any program: pulumi preview --policy-pack {folder.resolve()}", err=True)
