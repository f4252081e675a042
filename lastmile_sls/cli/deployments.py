"""Which deployment a command means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lastmile_sls.errors import LastmileError
from lastmile_sls.local.home import Place

if TYPE_CHECKING:
    from lastmile_sls.cloud_stack import CloudStack

name_argument = click.argument("deployment", required=False)


def find_cloud_stack(
    deployment: str | None, spec_path: Path | None, target: str, environment: str | None
) -> CloudStack:
    """Return the stack that a spec has on a cloud. Raises LastmileError when it is not deployed there."""
    from lastmile_sls import deploy
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.cloud_stack import find_stack

    if deployment is not None:
        raise click.UsageError(f"on {target} a deployment is found by its spec: -f SPEC, --environment NAME.")
    return find_stack(find_spec(spec_path), as_target(target), environment, deploy.environ())


def choose_stack(
    deployment: str | None,
    spec_path: Path | None,
    target: str,
    environment: str | None,
    outputs_path: Path | None,
) -> CloudStack | None:
    """Return the stack on a cloud that is meant, by its outputs or its spec; None when it is on this machine."""
    if outputs_path is None:
        return find_cloud_stack(deployment, spec_path, target, environment) if target != "local" else None
    from lastmile_sls import deploy
    from lastmile_sls.asked import as_target
    from lastmile_sls.cloud_stack import read_outputs

    if deployment is not None:
        raise click.UsageError("--outputs says which deployment is meant: do not name another.")
    return read_outputs(outputs_path, None if target == "local" else as_target(target), deploy.environ())


def find_deployment(deployment: str | None, spec_path: Path | None, environment: str | None = None) -> Place:
    """Return the deployment of this machine that is named, that the spec describes, or that is the only one here."""
    from lastmile_sls import deploy
    from lastmile_sls.asked import SPEC_FILE, find_spec
    from lastmile_sls.local.home import deployments, find_home
    from lastmile_sls.plan.make import deployment_name
    from lastmile_sls.spec.load import load

    home = find_home(deploy.environ())
    there = deployments(home)
    names = [place.deployment for place in there]
    if deployment is None and (spec_path is not None or Path(SPEC_FILE).exists()):
        deployment = deployment_name(load(find_spec(spec_path), environment))
    if deployment is None:
        if len(there) == 1:
            return there[0]
        raise LastmileError(
            f"there are {len(there)} deployments on this machine: {', '.join(names)}."
            if there
            else "nothing is deployed on this machine.",
            "Name one of them, or a spec with -f." if there else "Deploy a spec: lastmile up -f SPEC",
        )
    if deployment not in names:
        raise LastmileError(
            f"{deployment} is not deployed on this machine; there {'is' if len(names) == 1 else 'are'} "
            f"{', '.join(names) or 'none'}.",
            "Deploy it: lastmile up",
        )
    return Place.of(home, deployment)
