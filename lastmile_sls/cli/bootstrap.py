"""`lastmile bootstrap`: make what belongs to an account and is shared by all models in it."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import click

from lastmile_sls.bootstrap.document import Cloud
from lastmile_sls.cli import options
from lastmile_sls.cli.progress import Progress, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lastmile_sls.bootstrap.document import BootstrapPlan
    from lastmile_sls.engine.interface import Engine, Program, Result


def _switch(name: str, text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(f"--{name}/--no-{name}", default=None, help=text)


@click.command("bootstrap")
@click.option("--target", type=click.Choice(get_args(Cloud)), required=True, help="The cloud.")
@click.option(
    "--account", required=True, metavar="ID", help="AWS account, Google project or Azure subscription."
)
@click.option("--region", metavar="REGION", help="Where. Default: the last run's.")
@click.option("--stack", metavar="NAME", help="Default: TARGET-ACCOUNT.")
@click.option("--owner", metavar="NAME", help="The tag owner. Default: platform.")
@click.option("--cost-center", metavar="NAME", help="The tag cost-center. Default: shared.")
@_switch("billing", "Where the bill goes, with all its rows. Default: made.")
@_switch("registry", "For images that models share. Default: made, on Azure not.")
@_switch("kms", "A key for the secrets in the state. Default: not made.")
@_switch("activate-tags", "AWS: let the bill tell the tags apart. Needs tags that AWS has seen.")
@_switch("inherit-tags", "Azure: charges get their group's tags. Default: so.")
@click.option(
    "--notify",
    multiple=True,
    metavar="EMAIL",
    help="AWS: tell of what costs more than usual. Once per address.",
)
@click.option("--preview", is_flag=True, help="Say what would be done; make nothing.")
@click.option("--move-state", is_flag=True, help="Move this stack's own state into the backend that it made.")
@click.option("--destroy", is_flag=True, help="Delete what is not data; what is kept is told.")
@options.yes_option
@options.json_option
def command(
    target: str,
    account: str,
    region: str | None,
    stack: str | None,
    preview: bool,
    move_state: bool,
    destroy: bool,
    yes: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Make what belongs to an account and is shared by all models: state, bill, registry, key, cost tags.

    Without --yes it shows what that is, what it costs and what it will not do, then asks. Options that are left out
    stay as the last run had them. A preview needs no Pulumi CLI, account or network before there is a stack.
    """
    from lastmile_sls import deploy
    from lastmile_sls.bootstrap import project
    from lastmile_sls.bootstrap.make import make_plan
    from lastmile_sls.bootstrap.options import stack_of, wanted
    from lastmile_sls.errors import LastmileError
    from lastmile_sls.program.write import write_bootstrap

    if sum((preview, move_state, destroy)) > 1:
        raise LastmileError("--preview, --move-state and --destroy exclude each other.", "Name one.")
    environ, cloud = deploy.environ(), cast("Cloud", target)
    deploy.require_sdk(cloud)
    folder = project.folder_of(environ, stack or stack_of(cloud, account))
    last = project.last_plan(folder)
    given["notify"] = list(given["notify"]) or None
    asked = wanted(cloud, account, region, stack, given, last)
    plan = make_plan(asked, last["backend"] if last else None)
    if destroy or move_state:
        deploy.get_engine("pulumi", environ)
        program = project.program_of(folder, plan["stack"])
        if not (folder / "Pulumi.yaml").exists():
            write_bootstrap(plan, folder)
        if move_state:
            _move(plan, folder, environ, as_json=as_json)
        else:
            _destroy(program, plan, environ, yes=yes, as_json=as_json)
        return
    if not preview:
        deploy.get_engine("pulumi", environ)
    program = write_bootstrap(plan, folder)
    if not (yes and as_json):
        _preview(program, plan, environ, as_json=as_json, only=preview)
    if preview:
        return
    if not yes:
        click.confirm(f"Make it in {account}?", abort=True, err=True)
    project.remember(plan, folder)
    _up(program, plan, environ, as_json=as_json)


def _preview(
    program: Program, plan: BootstrapPlan, environ: Mapping[str, str], *, as_json: bool, only: bool
) -> None:
    from lastmile_sls import deploy
    from lastmile_sls.bootstrap import bounds, costs, steps, text

    engine = deploy.choose_preview(program, plan["target"], None, environ)
    progress = Progress(quiet=as_json)
    if not as_json:
        click.echo(f"{program.project} ({program.stack}) in {plan['region']}", err=True)
    try:
        result = engine.preview(program, progress)
    finally:
        progress.close()
    if as_json and only:
        parts = costs.costs_of(plan)
        options.print_json(
            {
                "plan": plan,
                "steps": [
                    {"operation": e.operation, "type": e.type, "name": e.name, "inputs": e.inputs}
                    for e in progress.steps
                ],
                "changes": result.changes,
                "costs": [{**asdict(cost), "monthly_usd": str(cost.monthly_usd)} for cost in parts],
                "monthly_usd": str(costs.monthly_usd(parts)),
                "will_not": [asdict(told) for told in bounds.will_not(plan)],
                "by_hand": [asdict(told) for told in bounds.by_hand(plan)],
                "kept": bounds.kept(plan),
                "next": [{"why": why, "commands": commands} for why, commands in steps.next_steps(plan)],
                "project": str(program.folder),
            }
        )
        return
    if as_json:
        return
    click.echo(summary(result.changes, planned=True), err=True)
    if engine.name == "embedded":
        click.echo("previewed offline: nothing of this was asked of the cloud", err=True)
    click.echo(f"\n{text.about(plan, _columns())}")
    if only:
        click.echo(f"\n{text.afterwards(plan, _columns())}")


def _up(program: Program, plan: BootstrapPlan, environ: Mapping[str, str], *, as_json: bool) -> None:
    from lastmile_sls import deploy
    from lastmile_sls.bootstrap import text

    progress = Progress(quiet=as_json)
    try:
        result = deploy.get_engine("pulumi", environ).up(program, progress)
    finally:
        progress.close()
    if as_json:
        options.print_json(
            {"changes": result.changes, "outputs": result.outputs, "project": str(program.folder)}
        )
        return
    _show(result)
    click.echo(f"\n{text.afterwards(plan, _columns())}")
    click.echo(f"\nthe Pulumi program: {program.folder}", err=True)


def _show(result: Result) -> None:
    from lastmile_sls.cli.progress import show_outputs

    click.echo(summary(result.changes), err=True)
    show_outputs(result)


def _move(plan: BootstrapPlan, folder: Path, environ: Mapping[str, str], *, as_json: bool) -> None:
    from lastmile_sls import deploy
    from lastmile_sls.bootstrap import project
    from lastmile_sls.local.home import find_home

    url = plan["state"]["url"]
    destination: Engine = deploy.get_engine("pulumi", {**environ, "PULUMI_BACKEND_URL": url})
    project.move_state(plan, folder, deploy.get_engine("pulumi", environ), destination, find_home(environ))
    if as_json:
        options.print_json({"backend": url})
    else:
        click.echo(f"the state of {plan['stack']} is in {url} now; {folder} names it.", err=True)


def _destroy(
    program: Program, plan: BootstrapPlan, environ: Mapping[str, str], *, yes: bool, as_json: bool
) -> None:
    from lastmile_sls import deploy
    from lastmile_sls.cli.destroy import show_what_goes
    from lastmile_sls.errors import LastmileError

    engine = deploy.get_engine("pulumi", environ)
    if not engine.exists(program):
        raise LastmileError(f"there is no stack {program.stack} of {program.project}: nothing to destroy.")
    kept = engine.retained(program)
    lost = [resource for resource in engine.resources(program) if resource not in kept]
    if not as_json:
        show_what_goes(lost, kept, with_data=False)
    if not yes:
        click.confirm(f"Delete it in {plan['account']}, and forget what is kept?", abort=True, err=True)
    progress = Progress(quiet=as_json)
    try:
        result = engine.destroy(program, progress)
    finally:
        progress.close()
    if as_json:
        told = [{"type": r.type, "name": r.name, "id": r.id} for r in kept]
        options.print_json({"changes": result.changes, "kept": told})
    else:
        click.echo(summary(result.changes), err=True)


def _columns() -> int:
    return shutil.get_terminal_size().columns
