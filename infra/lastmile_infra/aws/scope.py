"""What everything of a deployment on AWS is made with: its name's beginning, tags, place and provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from lastmile_infra.aws.policies import Place
from lastmile_sls.plan.document import PlacePlan


@dataclass(frozen=True)
class Scope:
    """Passed to whatever makes resources."""

    name: str
    """What the resources' names in Pulumi begin with."""
    tags: dict[str, str]
    region: str
    account: pulumi.Output[str]
    """The account's twelve digits."""
    opts: pulumi.ResourceOptions
    """Of what AWS's provider makes."""
    delivered: pulumi.ResourceOptions
    """Of what lastmile's own provider makes."""

    def options(self, **more: Any) -> pulumi.ResourceOptions:
        """Return AWS's options and more."""
        return pulumi.ResourceOptions.merge(self.opts, pulumi.ResourceOptions(**more))

    def policy(self, write: Callable[..., str], *parts: pulumi.Input[Any]) -> pulumi.Output[str]:
        """Return a policy document once the account, and the parts that it is made of, are known."""

        def written(known: list[Any]) -> str:
            account, *rest = known
            return write(Place(self.region, account), *rest)

        return pulumi.Output.all(self.account, *parts).apply(written)


def open_scope(name: str, place: PlacePlan, tags: dict[str, str], opts: pulumi.ResourceOptions) -> Scope:
    """Return a deployment's scope, with the provider of AWS that its parent has, or one of its own."""
    provider = _provider(name, place, opts)
    account = place["account"]
    known = (
        pulumi.Output.from_input(account)
        if account
        else aws.get_caller_identity_output(
            opts=pulumi.InvokeOutputOptions(parent=opts.parent, provider=provider)
        ).account_id
    )
    return Scope(
        name=name,
        tags=tags,
        region=place["region"],
        account=known,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=provider)),
        delivered=opts,
    )


def _provider(name: str, place: PlacePlan, opts: pulumi.ResourceOptions) -> pulumi.ProviderResource:
    given = opts.parent.get_provider("aws:index/provider:Provider") if opts.parent else None
    if given is not None:
        return given
    account = place["account"]
    made: pulumi.ProviderResource = aws.Provider(
        f"{name}-aws",
        region=place["region"],
        allowed_account_ids=[account] if account else None,
        opts=opts,
    )
    return made
