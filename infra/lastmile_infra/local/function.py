"""A function of the embedded cloud."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pulumi

from lastmile_sls.plan.document import FunctionPlan


class Function(pulumi.CustomResource):
    """Processes that run a bundle: started by a request, ended when idle."""

    name: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        deployment: str,
        plan: FunctionPlan,
        folder: Path,
        bucket: pulumi.Input[str] | None,
        queue: pulumi.Input[str] | None,
        calls: Sequence[pulumi.Input[str]],
        tags: dict[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "deployment": deployment,
            "name": plan["name"],
            "source": str((folder / plan["bundle"]["path"]).resolve()),
            "bundleDigest": plan["bundle"]["digest"],
            "memoryMb": plan["memory_mb"],
            "timeoutS": plan["timeout_s"],
            "idleTimeoutS": plan["idle_timeout_s"],
            "concurrency": plan["concurrency"],
            "minInstances": plan["min_instances"],
            "maxInstances": plan["max_instances"],
            "environment": {},
            "routing": plan["routing"],
            "bucket": bucket,
            "routingDocument": plan["routing_document"],
            "queue": queue,
            "jobs": plan["jobs"],
            "callback": plan["callback"],
            "batch": plan["batch"],
            "calls": calls,
            "why": plan["why"],
            "tags": tags,
        }
        super().__init__("lastmile:local:Function", resource_name, properties, opts)
