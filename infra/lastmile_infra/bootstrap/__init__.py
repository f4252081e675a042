"""What an account shares, as one Pulumi component: makes what the bootstrap's plan says, and decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast, get_args

import pulumi

from lastmile_infra.sdk import module_for
from lastmile_sls.bootstrap.document import BootstrapPlan, Cloud, read

__all__ = ["Bootstrap", "deploy"]
Made = Mapping[str, pulumi.Input[str]]
Provision = Callable[[str, BootstrapPlan, pulumi.ResourceOptions], Made]


class Bootstrap(pulumi.ComponentResource):
    """Everything that a bootstrap's plan names, as children of one component.

    Args:
        plan: The plan.
        opts: With `providers`, the cloud's provider to use in the place of the one that is made from the plan.
    """

    made: Made
    """What each part is called: `state` (what `pulumi login` takes), and where there is one `billing`, `registry` and
    `secrets_provider` (what `pulumi stack init` takes)."""

    def __init__(self, plan: BootstrapPlan, opts: pulumi.ResourceOptions | None = None) -> None:
        name = "lastmile"
        super().__init__("lastmile:index:Bootstrap", name, {}, opts)
        self.made = _provision(plan["target"])(name, plan, pulumi.ResourceOptions(parent=self))
        self.register_outputs(dict(self.made))


def _provision(target: str) -> Provision:
    """Return what makes a target's resources. Raises ValueError, RunError."""
    return cast("Provision", module_for("lastmile_infra.bootstrap", target, get_args(Cloud)).provision)


def deploy(path: Path) -> Bootstrap:
    """Provision the plan in a file and export the stack's outputs: where, and what each part is called."""
    plan = read(path)
    bootstrap = Bootstrap(plan)
    where = {"target": plan["target"], "account": plan["account"], "region": plan["region"]}
    for name, value in {**where, **bootstrap.made}.items():
        pulumi.export(name, value)
    return bootstrap
