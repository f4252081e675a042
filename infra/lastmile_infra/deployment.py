"""A deployment as one Pulumi component, whatever its target."""

from __future__ import annotations

from pathlib import Path

import pulumi

from lastmile_infra import local
from lastmile_sls.plan.document import Plan, read

_TARGETS = {"local": local.provision}


class Deployment(pulumi.ComponentResource):
    """Everything that a plan names, as children of one component.

    Args:
        plan: The plan.
        folder: What the plan's paths are relative to.
        name: The component's name; its children's names derive from it.
    """

    url: pulumi.Output[str]
    """The endpoint's address."""
    key: pulumi.Output[str] | None
    """The API key, a secret; None when the endpoint is public."""

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        name: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        name = name or plan["deployment"]
        super().__init__("lastmile:index:Deployment", name, {}, opts)
        provision = _TARGETS.get(plan["target"])
        if provision is None:
            raise ValueError(f"target is {plan['target']!r}, but it must be one of {list(_TARGETS)}.")
        endpoint = provision(name, plan, folder, pulumi.ResourceOptions(parent=self))
        self.url, self.key = endpoint.url, endpoint.key
        self.register_outputs({"url": self.url})


def deploy(path: Path) -> Deployment:
    """Provision the plan in a file and export the stack's outputs: `url`, `deployment`, and `key` if there is one."""
    plan = read(path)
    deployment = Deployment(plan, path.parent)
    pulumi.export("url", deployment.url)
    pulumi.export("deployment", plan["deployment"])
    if deployment.key is not None:
        pulumi.export("key", deployment.key)
    return deployment
