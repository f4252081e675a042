"""Where a deployment's resources on Azure are made: in which group, where, with which tags, by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pulumi
from pulumi_azure_native import Provider, authorization, resources

from lastmile_sls.plan.document import PlacePlan, Plan

_AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""Azure CLI, with which people sign in: Pulumi's provider has no other way to be a person
(learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in, 2026-11-29)."""


@dataclass(frozen=True)
class Deployer:
    """Whoever runs Pulumi."""

    principal_id: pulumi.Output[str]
    principal_type: pulumi.Output[str]


@dataclass(frozen=True)
class Scope:
    """What every resource of a deployment is made with."""

    name: str
    """What the resources' names in the stack begin with."""
    deployment: str
    group: pulumi.Output[str]
    """The resource group's name."""
    location: str
    tags: Mapping[str, str]
    subscription: pulumi.Output[str]
    tenant: pulumi.Output[str]
    deployer: Deployer
    opts: pulumi.ResourceOptions
    """Of what Azure's provider makes."""
    delivered: pulumi.ResourceOptions
    """Of what lastmile's own provider makes."""

    @property
    def here(self) -> dict[str, Any]:
        """What every resource takes that has a location and tags."""
        return {"resource_group_name": self.group, "location": self.location, "tags": self.tags}

    @property
    def everywhere(self) -> dict[str, Any]:
        """What every resource takes that has tags, but is in no one location."""
        return {**self.here, "location": "Global"}

    def after(self, *before: pulumi.Resource) -> pulumi.ResourceOptions:
        """Return options for a resource that is made after these."""
        return pulumi.ResourceOptions.merge(self.opts, pulumi.ResourceOptions(depends_on=list(before)))

    def kept(self) -> Scope:
        """Return a group of its own whose resources outlive the stack, with all that is in them."""
        opts = pulumi.ResourceOptions.merge(self.opts, pulumi.ResourceOptions(retain_on_delete=True))
        group = resources.ResourceGroup(
            f"{self.deployment}-data", location=self.location, tags=self.tags, opts=opts
        )
        return replace(self, group=group.name, opts=opts)


def open_scope(name: str, plan: Plan, opts: pulumi.ResourceOptions) -> Scope:
    """Make the deployment's resource group, and the provider that the plan names unless the component brings one."""
    where = place_of(plan)
    with_provider = pulumi.ResourceOptions.merge(
        opts, pulumi.ResourceOptions(provider=_provider(name, where, opts))
    )
    config = authorization.get_client_config_output(
        opts=pulumi.InvokeOutputOptions(parent=with_provider.parent, provider=with_provider.provider)
    )
    group = resources.ResourceGroup(
        f"{name}-group",
        resource_group_name=plan["deployment"],
        location=where["region"],
        tags=plan["tags"],
        opts=with_provider,
    )
    return Scope(
        name=name,
        deployment=plan["deployment"],
        group=group.name,
        location=where["region"],
        tags=plan["tags"],
        subscription=pulumi.Output.from_input(where["account"] or config.subscription_id),
        tenant=config.tenant_id,
        deployer=Deployer(config.object_id, config.client_id.apply(type_of)),
        opts=with_provider,
        delivered=opts,
    )


def place_of(plan: Plan) -> PlacePlan:
    """Return where the plan is for. Raises ValueError for a plan that does not say it."""
    if plan["place"] is None:
        raise ValueError("the plan says no place, which a deployment to Azure needs.")
    return plan["place"]


def _provider(name: str, where: PlacePlan, opts: pulumi.ResourceOptions) -> Provider | None:
    """Return a provider for the plan's subscription; None where the component or the stack's config says which."""
    brought = opts.parent.get_provider("azure-native:index:Provider") if opts.parent else None
    if brought is not None or where["account"] is None:
        return None
    return Provider(f"{name}-azure", subscription_id=where["account"], opts=opts)


def type_of(client_id: str) -> str:
    """Return what kind of principal signs in with an application: a role assignment must say it, and say it right."""
    return "User" if client_id == _AZURE_CLI else "ServicePrincipal"
