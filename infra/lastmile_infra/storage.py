"""A deployment's storage in any cloud, and the routing document that is put into it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi

from lastmile_infra.delivery import Document
from lastmile_sls.plan.document import RoutingDocumentPlan


@dataclass(frozen=True)
class Storage:
    """A bucket; on Azure a container of blobs."""

    bucket: pulumi.Output[str]
    """Its name."""
    url: pulumi.Output[str]
    """The store's URL (see `lastmile_runtime.stores`)."""
    routing: pulumi.Output[str] | None = None
    """The live routing document's URL."""
    ready: Sequence[pulumi.Resource] = ()
    """What must be there before a function reads from it."""


def add_routing(
    storage: Storage,
    plan: RoutingDocumentPlan,
    name: str,
    opts: pulumi.ResourceOptions,
    region: str | None = None,
) -> Storage:
    """Return the storage with the routing document in it, which is made unless there is one, and outlives its stack.

    Args:
        storage: Where it goes.
        plan: What it is.
        name: What the resources' names in the stack begin with.
        opts: Of what lastmile's own provider makes.
        region: The bucket's, where the cloud's clients need to know it.
    """
    document = Document(
        f"{name}-routing",
        url=storage.url,
        path=plan["path"],
        content=json.dumps(plan["content"], indent=1),
        region=region,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True)),
    )
    routing = pulumi.Output.concat(storage.url, "/", plan["path"])
    return replace(storage, routing=routing, ready=[*storage.ready, document])
