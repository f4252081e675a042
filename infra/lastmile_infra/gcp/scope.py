"""What everything of a deployment on Google Cloud is made with: its name's beginning, labels, place and provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from lastmile_sls.plan.document import PlacePlan, Plan
from lastmile_sls.plan.names import short

_LONGEST_STEM = 55
"""A bucket's name has at most 63 characters, and so have those of Compute Engine's resources (the discovery document of
compute v1, `[a-z]([-a-z0-9]{0,61}[a-z0-9])?`); Pulumi adds eight where it makes the name."""


@dataclass(frozen=True)
class Scope:
    """Passed to whatever makes resources."""

    name: str
    """What the resources' names in Pulumi begin with."""
    labels: dict[str, str]
    region: str
    opts: pulumi.ResourceOptions
    """Of what Google's provider makes."""
    delivered: pulumi.ResourceOptions
    """Of what lastmile's own provider makes."""

    def options(self, **more: Any) -> pulumi.ResourceOptions:
        """Return Google's options and more."""
        return pulumi.ResourceOptions.merge(self.opts, pulumi.ResourceOptions(**more))

    def stem(self, part: str) -> str:
        """Return the name in Pulumi of a resource whose name at Google is this and what Pulumi adds."""
        return short(f"{self.name}-{part}", _LONGEST_STEM)


def open_scope(name: str, plan: Plan, opts: pulumi.ResourceOptions) -> Scope:
    """Return a deployment's scope: Google's provider, its parent's or one of its own, and the APIs that are used.

    Raises ValueError for a plan that says no place.
    """
    place = plan["place"]
    if place is None:
        raise ValueError("the plan says no place, which a deployment to Google Cloud needs.")
    provider = opts.parent.get_provider("gcp:index/provider:Provider") if opts.parent else None
    if provider is None:
        provider = gcp.Provider(f"{name}-gcp", **_place_of(plan, place), opts=opts)
    with_provider = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=provider))
    apis = [
        gcp.projects.Service(
            f"{name}-api-{api}",
            service=f"{api}.googleapis.com",
            disable_on_destroy=False,  # others in the project may use it
            opts=with_provider,
        )
        for api in apis_of(plan)
    ]
    return Scope(
        name=name,
        labels=plan["tags"],
        region=place["region"],
        opts=pulumi.ResourceOptions.merge(with_provider, pulumi.ResourceOptions(depends_on=apis)),
        delivered=opts,
    )


def _place_of(plan: Plan, place: PlacePlan) -> dict[str, Any]:
    """Return where a provider makes things; with a budget, whose quota its API takes from, which a person must say
    (cloud.google.com/docs/authentication/troubleshoot-adc#user-creds-client-based, read 2026-11-29).
    """
    found: dict[str, Any] = {"project": place["account"], "region": place["region"]}
    if plan["budget"]:
        found |= {"billing_project": place["account"], "user_project_override": True}
    return found


def apis_of(plan: Plan) -> list[str]:
    """Return the APIs that a plan's resources need, as the beginnings of their hosts."""
    storage, endpoint = plan["storage"], plan["endpoint"]
    operations, budget = plan["operations"], plan["budget"]
    domain = endpoint["domain"]
    needed = {
        "artifactregistry": True,
        "billingbudgets": budget is not None,
        "cloudresourcemanager": budget is not None,
        "cloudscheduler": plan["schedule"] is not None,
        "compute": endpoint["gateway"] == "load_balancer",
        "dns": bool(domain and domain["zone"]),
        "iam": True,
        "logging": operations is not None,
        "monitoring": bool(operations or budget),
        "pubsub": plan["queue"] is not None,
        "run": True,
        "secretmanager": bool(plan["keys"] or any(function["secrets"] for function in plan["functions"])),
        "storage": bool(storage and not storage["adopted"]),
    }
    return [api for api, is_needed in needed.items() if is_needed]
