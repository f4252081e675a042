"""A deployment as one Pulumi component, whatever its target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast, get_args

import pulumi

from lastmile_infra.outputs import Outputs
from lastmile_infra.sdk import module_for
from lastmile_sls.plan.document import Plan, Target, read

Provision = Callable[[str, Plan, Path, pulumi.ResourceOptions], Outputs]


class Deployment(pulumi.ComponentResource):
    """Everything that a plan names, as children of one component.

    Args:
        plan: The plan.
        folder: What the plan's paths are relative to.
        name: The component's name; its children's names derive from it.
        opts: With `providers`, the clouds' providers to use in the place of those that are made from the plan.
    """

    outputs: Outputs
    """Where it is reached, and where its parts are."""
    url: pulumi.Output[str]
    """The endpoint's address."""
    key: pulumi.Output[str] | None
    """The API key, a secret; None when the endpoint takes none."""

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        name: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        name = name or plan["deployment"]
        super().__init__("lastmile:index:Deployment", name, {}, opts)
        self.outputs = _provision(plan["target"])(name, plan, folder, pulumi.ResourceOptions(parent=self))
        self.url, self.key = self.outputs.url, self.outputs.key
        self.register_outputs({"url": self.url})


def _provision(target: str) -> Provision:
    """Return what makes a target's resources. Raises ValueError, RunError."""
    return cast("Provision", module_for("lastmile_infra", target, get_args(Target)).provision)


def deploy(path: Path) -> Deployment:
    """Provision the plan in a file and export the stack's outputs: what the plan says of it, and those of `Outputs`."""
    plan = read(path)
    deployment = Deployment(plan, path.parent)
    pulumi.export("deployment", plan["deployment"])
    pulumi.export("versions", [id_ for function in plan["functions"] for id_ in function["versions"]])
    pulumi.export("target", plan["target"])
    pulumi.export("auth", plan["endpoint"]["auth"])
    if plan["place"]:
        pulumi.export("region", plan["place"]["region"])
    for name, value in deployment.outputs.exports().items():
        pulumi.export(name, value)
    return deployment


def deploy_spec(path: Path, target: str) -> Deployment:
    """Build what a spec needs, unless it is built, provision it, and export the stack's outputs.

    Raises RunError with the message of whatever the spec, its files or the target refuse.
    """
    from lastmile_sls import deploy as engines
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.build.prepare import prepare
    from lastmile_sls.build.sign import require_signatures
    from lastmile_sls.errors import LastmileError

    try:
        spec_path = find_spec(path)
        prepared = prepare(spec_path, as_target(target), engines.environ())
        require_signatures(prepared, spec_path)
    except LastmileError as error:
        raise pulumi.RunError(str(error)) from error
    return deploy(prepared.program.folder / "plan.json")
