"""Azure: Functions' Flex Consumption plan or Container Apps, with storage, a vault, an identity, and Front Door."""

from __future__ import annotations

from pathlib import Path

import pulumi

from lastmile_infra.azure.container import ContainerApps
from lastmile_infra.azure.front_door import Guard, make_front, make_guard
from lastmile_infra.azure.function import App, FunctionApps
from lastmile_infra.azure.gateway import Entrance, callers_of
from lastmile_infra.azure.identity import make_identity
from lastmile_infra.azure.scope import Scope, open_scope
from lastmile_infra.azure.settings import Made, settings_of
from lastmile_infra.azure.storage import make_storage
from lastmile_infra.azure.vault import make_keys, use_secrets
from lastmile_infra.functions import called_first
from lastmile_infra.outputs import Outputs
from lastmile_sls.plan.document import FunctionPlan, PackagePlan, Plan

__all__ = ["provision"]


def provision(name: str, plan: Plan, folder: Path, opts: pulumi.ResourceOptions) -> Outputs:
    """Make the plan's identity, keys, storage, functions and endpoint."""
    scope = open_scope(name, plan, opts)
    identity = make_identity(scope, plan["identity"])
    made = Made(
        identity,
        make_keys(scope, plan, identity),
        use_secrets(scope, plan, identity),
        make_storage(scope, plan, identity),
    )
    guard = make_guard(scope, plan["endpoint"])
    apps = _make_functions(scope, plan, folder, made, guard)
    router = apps[plan["endpoint"]["function"]]
    front = make_front(scope, guard, plan["endpoint"], router.host) if guard else None
    return Outputs(
        url=front.url if front else pulumi.Output.concat("https://", router.host),
        key=made.keys.callers[-1].value if made.keys.callers else None,
        functions={function: app.id for function, app in apps.items()},
        bucket=made.storage.url if made.storage else None,
        routing=made.storage.routing if made.storage else None,
        dns_records=front.dns_records if front else (),
    )


def _make_functions(
    scope: Scope, plan: Plan, folder: Path, made: Made, guard: Guard | None
) -> dict[str, App]:
    """Make the functions, those first that others ask."""
    endpoint, entrance = plan["endpoint"], Entrance(callers_of(plan), guard)
    platform = _platform(_package(plan["functions"][0])["form"])(scope, made.identity)
    apps: dict[str, App] = {}
    for function, called in called_first(plan):
        apps[function["name"]] = platform.make(
            function,
            _package(function),
            settings_of(function, endpoint, made, {name: apps[name].url for name in called}),
            folder,
            entrance if function["name"] == endpoint["function"] else None,
        )
    return apps


def _platform(form: str) -> type[FunctionApps] | type[ContainerApps]:
    """Return what runs packages of a form. Raises ValueError for a form that Azure does not take."""
    match form:
        case "zip":
            return FunctionApps
        case "image":
            return ContainerApps
    raise ValueError(f"a package's form is {form!r}, but Azure takes 'zip' and 'image'.")


def _package(function: FunctionPlan) -> PackagePlan:
    if function["package"] is None:
        raise ValueError(
            f"the function {function['name']!r} has no package, but Azure takes a zip or an image."
        )
    return function["package"]
