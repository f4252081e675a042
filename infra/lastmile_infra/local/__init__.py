"""The local target: functions, routes, queues, buckets and keys of the embedded cloud."""

from __future__ import annotations

from pathlib import Path

import pulumi

from lastmile_infra.endpoint import Endpoint
from lastmile_infra.local.function import Function
from lastmile_infra.local.gateway import Route
from lastmile_infra.local.identity import Key
from lastmile_infra.local.queue import Queue
from lastmile_infra.local.storage import Bucket
from lastmile_sls.plan.document import Plan

__all__ = ["Bucket", "Function", "Key", "Queue", "Route", "provision"]


def provision(name: str, plan: Plan, folder: Path, opts: pulumi.ResourceOptions) -> Endpoint:
    """Make the plan's keys, functions and endpoint."""
    deployment, tags = plan["deployment"], plan["tags"]
    keys = [
        Key(f"{name}-{key}", deployment=deployment, key=key, tags=tags, opts=opts) for key in plan["keys"]
    ]
    functions = {
        function["name"]: Function(
            f"{name}-{function['name']}",
            deployment=deployment,
            plan=function,
            folder=folder,
            tags=tags,
            opts=opts,
        )
        for function in plan["functions"]
    }
    route = Route(
        f"{name}-{plan['endpoint']['name']}",
        deployment=deployment,
        plan=plan["endpoint"],
        function=functions[plan["endpoint"]["function"]],
        keys=keys,
        tags=tags,
        opts=opts,
    )
    return Endpoint(route.url, keys[0].value if keys else None)
