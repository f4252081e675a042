"""AWS: Lambda behind an HTTP API or a function URL, S3, IAM, Secrets Manager, ECR; SQS, Scheduler, CloudWatch, Budgets."""

from __future__ import annotations

from pathlib import Path

import pulumi

from lastmile_infra.aws.function import Function, environment_of, make_function
from lastmile_infra.aws.gateway import make_gateway
from lastmile_infra.aws.identity import make_keys, make_role
from lastmile_infra.aws.money import make_budget
from lastmile_infra.aws.operations import make_operations
from lastmile_infra.aws.queue import Queue, make_queue, work_on
from lastmile_infra.aws.schedule import make_schedule
from lastmile_infra.aws.scope import Scope, open_scope
from lastmile_infra.aws.storage import make_storage
from lastmile_infra.delivery import Key
from lastmile_infra.functions import called_first
from lastmile_infra.outputs import Outputs
from lastmile_infra.storage import Storage
from lastmile_sls.plan.document import Plan

__all__ = ["provision"]


def provision(name: str, plan: Plan, folder: Path, opts: pulumi.ResourceOptions) -> Outputs:
    """Make all that the plan names. Raises ValueError for what AWS does not have."""
    place = plan["place"]
    if place is None:
        raise ValueError("the plan says no place, which a deployment to AWS needs.")
    scope = open_scope(name, place, plan["tags"], opts)
    keys = make_keys(scope, plan["deployment"], plan["keys"])
    storage = make_storage(scope, plan["storage"], plan["routing"]) if plan["storage"] else None
    queue = make_queue(scope, plan["queue"]) if plan["queue"] else None
    functions = _make_functions(scope, plan, folder, storage, keys, queue)
    gateway = make_gateway(scope, plan["endpoint"], functions[plan["endpoint"]["function"]])
    schedule = _make_work(scope, plan, queue, functions)
    watched = make_operations(scope, plan, plan["operations"]) if plan["operations"] else None
    if plan["budget"]:
        make_budget(scope, plan["budget"])
    return Outputs(
        url=gateway.url,
        account=scope.account,
        key=keys[-1].value if keys else None,
        functions={function: made.arn for function, made in functions.items()},
        bucket=storage.url if storage else None,
        routing=storage.routing if storage else None,
        dns_records=gateway.dns_records,
        logs={function: made.log_group for function, made in functions.items()},
        queue={"jobs": queue.jobs, "dead_letters": queue.dead_letters} if queue else {},
        schedule=schedule,
        alarms=watched.alarms if watched else {},
        dashboard=watched.dashboard if watched else None,
    )


def _make_work(
    scope: Scope, plan: Plan, queue: Queue | None, functions: dict[str, Function]
) -> pulumi.Output[str] | None:
    """Have the queue worked on, and the clock send to it; return the clock's ARN."""
    if plan["queue"] is None or queue is None:
        return None
    for function in plan["functions"]:
        if function["queue"]:
            work_on(scope, plan["queue"], queue, functions[function["name"]])
    return make_schedule(scope, plan["schedule"], plan["queue"], queue) if plan["schedule"] else None


def _make_functions(
    scope: Scope,
    plan: Plan,
    folder: Path,
    storage: Storage | None,
    keys: list[Key],
    queue: Queue | None,
) -> dict[str, Function]:
    """Make the functions, those that others call first."""
    bucket = storage.bucket if storage else None
    role, policy = make_role(scope, plan["identity"], plan["functions"], bucket, plan["queue"])
    endpoint = plan["endpoint"]
    made: dict[str, Function] = {}
    for function, called in called_first(plan):
        checks = endpoint["auth_at"] == "function" and endpoint["function"] == function["name"]
        environment = environment_of(
            scope,
            function,
            routing=storage.routing if storage else None,
            key_digests=[key.digest for key in keys] if checks else [],
            urls={name: made[name].url for name in called},
            queue=queue.url if queue else None,
            bucket=storage.url if storage else None,
        )
        made[function["name"]] = make_function(
            scope,
            function,
            folder=folder,
            role=role,
            storage=storage,
            environment=environment,
            after=[policy, *(storage.ready if storage else [])],
        )
    return made
