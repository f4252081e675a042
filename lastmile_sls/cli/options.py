"""Options that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import click

from lastmile_sls.engine.interface import UNKNOWN, EngineName, Secret
from lastmile_sls.plan.document import Target

spec_option = click.option(
    "--spec",
    "-f",
    "spec_path",
    type=click.Path(path_type=Path),
    help="The spec, or its folder. Default: lastmile.yaml here.",
)
target_option = click.option(
    "--target",
    type=click.Choice(get_args(Target)),
    default="local",
    show_default=True,
    help="Where the deployment goes.",
)
environment_option = click.option(
    "--environment", metavar="NAME", help="Of this environment, dev or prod say, and not of the spec's."
)
outputs_option = click.option(
    "--outputs",
    "outputs_path",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The stack's outputs, from `pulumi stack output --json`, in place of asking the Pulumi CLI.",
)
bundles_of_option = click.option(
    "--bundles-of",
    metavar="ENVIRONMENT",
    help="Deploy the very bundles that were built for this environment; build nothing.",
)
engine_option = click.option(
    "--engine",
    "engine_name",
    type=click.Choice(get_args(EngineName)),
    help="What hosts the Pulumi program. Default: embedded for local, the Pulumi CLI for clouds.",
)
take_over_option = click.option(
    "--take-over", is_flag=True, help="Take over a stack that the other engine made, as it stands."
)
policy_option = click.option(
    "--policy",
    "policy_path",
    type=click.Path(path_type=Path),
    help="Hold what is deployed to a cloud to this file's rules. Default: lastmile.policy.yaml beside the spec, "
    "if there is one.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def print_json(value: Any) -> None:
    """Print a value as JSON; secrets are masked, unknown values are null."""
    click.echo(json.dumps(value, indent=2, default=_masked, ensure_ascii=False))


def _masked(value: Any) -> Any:
    if isinstance(value, Secret):
        return repr(value)
    if value is UNKNOWN:
        return None
    raise TypeError(f"{type(value).__name__} has no JSON form")
