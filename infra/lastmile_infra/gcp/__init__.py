"""Google Cloud: Cloud Run behind its own address or a load balancer, Cloud Storage, Pub/Sub, IAM, Secret Manager, images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_gcp as gcp

from lastmile_infra.delivery import Key
from lastmile_infra.functions import called_first, variables_of
from lastmile_infra.gcp.function import Function, make_function, make_images
from lastmile_infra.gcp.gateway import exposure_of, make_gateway
from lastmile_infra.gcp.identity import allow_secrets, allow_to_call, make_account, make_keys
from lastmile_infra.gcp.money import make_budget
from lastmile_infra.gcp.operations import make_channels, oversee
from lastmile_infra.gcp.queue import Queue, allow_to_send, make_queue, work_on
from lastmile_infra.gcp.schedule import make_schedule
from lastmile_infra.gcp.scope import Scope, open_scope
from lastmile_infra.gcp.storage import allow_folders, allow_to_read, folders_of, make_storage
from lastmile_infra.outputs import Outputs
from lastmile_infra.storage import Storage
from lastmile_sls.plan.document import FunctionPlan, Plan

__all__ = ["provision"]


@dataclass(frozen=True)
class _Around:
    """What the functions have around them."""

    account: gcp.serviceaccount.Account
    keys: Sequence[Key]
    storage: Storage | None
    queue: Queue | None


def provision(name: str, plan: Plan, folder: Path, opts: pulumi.ResourceOptions) -> Outputs:
    """Make all that the plan names: what the functions need first, what watches them last.

    Raises ValueError for what Google does not have.
    """
    scope = open_scope(name, plan, opts)
    around = _Around(
        account=make_account(scope, plan["identity"]),
        keys=make_keys(scope, plan["deployment"], plan["keys"]),
        storage=make_storage(scope, plan["storage"], plan["routing"]) if plan["storage"] else None,
        queue=make_queue(scope, plan["queue"], plan["identity"]) if plan["queue"] else None,
    )
    functions = _make_functions(scope, plan, folder, around)
    gateway = make_gateway(scope, plan["endpoint"], functions[plan["endpoint"]["function"]])
    queue, schedule = _work(scope, plan, around.queue, functions)
    alarms, dashboard = _oversee(scope, plan, around.account, gateway.balancer)
    storage = around.storage
    return Outputs(
        url=gateway.url,
        account=around.account.project,
        key=around.keys[-1].value if around.keys else None,
        functions={function: made.service.id for function, made in functions.items()},
        bucket=storage.url if storage else None,
        routing=storage.routing if storage else None,
        dns_records=gateway.dns_records,
        logs={function: made.service.name for function, made in functions.items()},
        queue=queue,
        schedule=schedule,
        alarms=alarms,
        dashboard=dashboard,
    )


def _make_functions(scope: Scope, plan: Plan, folder: Path, around: _Around) -> dict[str, Function]:
    """Make the functions, those that others call first."""
    endpoint, images = plan["endpoint"], make_images(scope, plan["deployment"])
    after = _allow(scope, plan, around)
    made: dict[str, Function] = {}
    for function, called in called_first(plan):
        is_asked = endpoint["function"] == function["name"]
        made[function["name"]] = make_function(
            scope,
            function,
            folder=folder,
            account=around.account,
            images=images,
            environment=_variables_of(plan, function, around, {name: made[name].url for name in called}),
            exposure=exposure_of(endpoint if is_asked else None, _pushes_for(function)),
            after=after,
        )
        for name in called:
            allow_to_call(scope, f"{name}-called", made[name].service, around.account.member)
    return made


def _variables_of(
    plan: Plan, function: FunctionPlan, around: _Around, urls: dict[str, pulumi.Output[str]]
) -> dict[str, pulumi.Input[str]]:
    endpoint, storage, queue = plan["endpoint"], around.storage, around.queue
    checks_keys = endpoint["function"] == function["name"] and endpoint["auth_at"] == "function"
    variables = variables_of(
        function,
        routing=storage.routing if storage else None,
        key_digests=[key.digest for key in around.keys] if checks_keys else [],
        urls=urls,
        queue=queue.url if queue else None,
        bucket=storage.url if storage else None,
    )
    if function["queue"] and queue:
        variables["LASTMILE_PUSH_ACCOUNT"] = queue.account.email
    return variables


def _pushes_for(function: FunctionPlan) -> str | None:
    """Return whom the tokens of pushes are for."""
    return function["environment"].get("LASTMILE_PUSH_AUDIENCE") if function["queue"] else None


def _allow(scope: Scope, plan: Plan, around: _Around) -> list[pulumi.Resource]:
    """Let the account do what the functions do, and return what must be there before they start."""
    account, storage, queue = around.account, around.storage, around.queue
    used = sorted({name for function in plan["functions"] for name in function["secrets"].values()})
    after = allow_secrets(scope, account, used)
    if storage and plan["routing"]:
        after += [*storage.ready, allow_to_read(scope, storage, plan["routing"]["path"], account)]
    if queue:
        after.append(allow_to_send(scope, "sends", queue, account.member))
    if storage:
        worked_in = [folder for function in plan["functions"] for folder in folders_of(function)]
        after += allow_folders(scope, storage, worked_in, account)
    return after


def _work(
    scope: Scope, plan: Plan, queue: Queue | None, functions: dict[str, Function]
) -> tuple[dict[str, pulumi.Output[str]], pulumi.Output[str] | None]:
    """Have the function that works on the queue pushed its messages, and the clock send its own; return the outputs."""
    if queue is None or plan["queue"] is None:
        return {}, None
    (worker,) = (function for function in plan["functions"] if function["queue"])
    audience = worker["environment"]["LASTMILE_PUSH_AUDIENCE"]
    pushes = work_on(scope, plan["queue"], queue, functions[worker["name"]], audience)
    schedule = make_schedule(scope, plan["schedule"], queue) if plan["schedule"] else None
    named = {"topic": queue.topic.id, "subscription": pushes.id, "dead_letters": queue.dead_letters.id}
    return named, schedule


def _oversee(
    scope: Scope, plan: Plan, account: gcp.serviceaccount.Account, balancer: pulumi.Output[str] | None
) -> tuple[dict[str, pulumi.Output[str]], pulumi.Output[str] | None]:
    """Have people told of what goes wrong, and of what it costs; return the alarms and the dashboard."""
    operations, budget = plan["operations"], plan["budget"]
    told = [*(operations["notify"] if operations else []), *(budget["notify"] if budget else [])]
    channels = make_channels(scope, dict.fromkeys(told))
    if budget:
        make_budget(scope, budget, account.project, [channels[address] for address in budget["notify"]])
    if operations is None:
        return {}, None
    return oversee(
        scope, plan, operations, [channels[address] for address in operations["notify"]], account, balancer
    )
