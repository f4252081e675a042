"""Google Cloud: Cloud Run behind its own address or a load balancer, Cloud Storage, IAM, Secret Manager, images."""

from __future__ import annotations

from pathlib import Path

import pulumi

from lastmile_infra.delivery import Key
from lastmile_infra.functions import called_first, variables_of
from lastmile_infra.gcp.function import Function, make_function, make_images
from lastmile_infra.gcp.gateway import exposure_of, make_gateway
from lastmile_infra.gcp.identity import allow_secrets, allow_to_call, make_account, make_keys
from lastmile_infra.gcp.scope import Scope, open_scope
from lastmile_infra.gcp.storage import allow_to_read, make_storage
from lastmile_infra.outputs import Outputs
from lastmile_infra.storage import Storage
from lastmile_sls.plan.document import Plan

__all__ = ["provision"]


def provision(name: str, plan: Plan, folder: Path, opts: pulumi.ResourceOptions) -> Outputs:
    """Make the plan's keys, storage, account, functions and endpoint. Raises ValueError for what Google does not have."""
    scope = open_scope(name, plan, opts)
    keys = make_keys(scope, plan["deployment"], plan["keys"])
    storage = make_storage(scope, plan["storage"], plan["routing"]) if plan["storage"] else None
    functions = _make_functions(scope, plan, folder, storage, keys)
    gateway = make_gateway(scope, plan["endpoint"], functions[plan["endpoint"]["function"]])
    return Outputs(
        url=gateway.url,
        key=keys[-1].value if keys else None,
        functions={function: made.service.id for function, made in functions.items()},
        bucket=storage.url if storage else None,
        routing=storage.routing if storage else None,
        dns_records=gateway.dns_records,
    )


def _make_functions(
    scope: Scope, plan: Plan, folder: Path, storage: Storage | None, keys: list[Key]
) -> dict[str, Function]:
    """Make the functions, those that others call first."""
    endpoint = plan["endpoint"]
    account, images = make_account(scope, plan["identity"]), make_images(scope, plan["deployment"])
    used = sorted({name for function in plan["functions"] for name in function["secrets"].values()})
    after = allow_secrets(scope, account, used)
    if storage and plan["routing"]:
        after += [*storage.ready, allow_to_read(scope, storage, plan["routing"]["path"], account)]
    made: dict[str, Function] = {}
    for function, called in called_first(plan):
        is_asked = endpoint["function"] == function["name"]
        made[function["name"]] = make_function(
            scope,
            function,
            folder=folder,
            account=account,
            images=images,
            environment=variables_of(
                function,
                routing=storage.routing if storage else None,
                key_digests=[key.digest for key in keys]
                if is_asked and endpoint["auth_at"] == "function"
                else [],
                urls={name: made[name].url for name in called},
            ),
            exposure=exposure_of(endpoint if is_asked else None),
            after=after,
        )
        for name in called:
            allow_to_call(scope, f"{name}-called", made[name].service, account.member)
    return made
