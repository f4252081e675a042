"""The local target: functions, routes, queues, schedules, buckets, documents and keys of the embedded cloud."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi

from lastmile_infra.functions import called_first
from lastmile_infra.local.function import Function
from lastmile_infra.local.gateway import Route
from lastmile_infra.local.identity import Key
from lastmile_infra.local.queue import Queue
from lastmile_infra.local.schedule import Schedule
from lastmile_infra.local.storage import Bucket, Document
from lastmile_infra.outputs import Outputs
from lastmile_sls.plan.document import Plan

__all__ = ["Bucket", "Document", "Function", "Key", "Queue", "Route", "Schedule", "provision"]


def provision(name: str, plan: Plan, folder: Path, opts: pulumi.ResourceOptions) -> Outputs:
    """Make the plan's keys, storage, queue, functions and endpoint."""
    deployment, tags = plan["deployment"], plan["tags"]
    keys = [
        Key(f"{name}-{key}", deployment=deployment, key=key, tags=tags, opts=opts) for key in plan["keys"]
    ]
    bucket, opts_of_functions = _storage(name, plan, opts)
    queue = _queue(name, plan, opts)
    functions: dict[str, Function] = {}
    for function, called in called_first(plan):
        functions[function["name"]] = Function(
            f"{name}-{function['name']}",
            deployment=deployment,
            plan=function,
            folder=folder,
            bucket=bucket.name if bucket and function["bucket"] else None,
            queue=queue.name if queue and function["queue"] else None,
            calls=[functions[other].name for other in called],
            tags=tags,
            opts=opts_of_functions,
        )
    route = Route(
        f"{name}-{plan['endpoint']['name']}",
        deployment=deployment,
        plan=plan["endpoint"],
        function=functions[plan["endpoint"]["function"]],
        keys=keys,
        tags=tags,
        opts=opts,
    )
    schedule = _schedule(name, plan, queue, opts)
    routing = plan["routing"]
    return Outputs(
        url=route.url,
        key=keys[-1].value if keys else None,
        functions={function: made.name for function, made in functions.items()},
        bucket=bucket.url if bucket else None,
        routing=pulumi.Output.concat(bucket.url, "/", routing["path"]) if bucket and routing else None,
        schedule=schedule.name if schedule else None,
    )


def _storage(
    name: str, plan: Plan, opts: pulumi.ResourceOptions
) -> tuple[Bucket | None, pulumi.ResourceOptions]:
    """Make the bucket and the routing document; return the bucket, and options that wait for both."""
    deployment, tags, routing = plan["deployment"], plan["tags"], plan["routing"]
    storage = plan["storage"]
    if storage is None:
        return None, opts
    bucket = Bucket(
        f"{name}-{storage['name']}", deployment=deployment, bucket=storage["name"], tags=tags, opts=opts
    )
    if routing is None:
        return bucket, opts
    document = Document(
        f"{name}-routing",
        deployment=deployment,
        document="routing",
        bucket=bucket.name,
        path=routing["path"],
        content=json.dumps(routing["content"], indent=1),
        tags=tags,
        opts=opts,
    )
    return bucket, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[document]))


def _queue(name: str, plan: Plan, opts: pulumi.ResourceOptions) -> Queue | None:
    queue = plan["queue"]
    if queue is None:
        return None
    return Queue(
        f"{name}-{queue['name']}",
        deployment=plan["deployment"],
        queue=queue["name"],
        max_attempts=queue["max_attempts"],
        visibility_timeout_s=queue["visibility_timeout_s"],
        retention_s=queue["retention_s"],
        tags=plan["tags"],
        opts=opts,
    )


def _schedule(name: str, plan: Plan, queue: Queue | None, opts: pulumi.ResourceOptions) -> Schedule | None:
    schedule = plan["schedule"]
    if schedule is None or queue is None:
        return None
    return Schedule(
        f"{name}-{schedule['name']}",
        deployment=plan["deployment"],
        plan=schedule,
        queue=queue.name,
        tags=plan["tags"],
        opts=opts,
    )
