"""Azure: Functions' Flex Consumption plan or Container Apps, with storage, a queue, a vault, an identity, and Front Door."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pulumi

from lastmile_infra.azure.container import ContainerApps
from lastmile_infra.azure.dashboard import make_dashboard
from lastmile_infra.azure.events import Form
from lastmile_infra.azure.front_door import Guard, make_front, make_guard
from lastmile_infra.azure.function import App, FunctionApps
from lastmile_infra.azure.gateway import Entrance, callers_of
from lastmile_infra.azure.identity import Identity, make_identity
from lastmile_infra.azure.logs import Workspace, make_workspace
from lastmile_infra.azure.money import make_budget
from lastmile_infra.azure.operations import Watched, make_alarms
from lastmile_infra.azure.queue import make_queue
from lastmile_infra.azure.schedule import schedule_of
from lastmile_infra.azure.scope import Scope, open_scope
from lastmile_infra.azure.settings import Made, settings_of
from lastmile_infra.azure.storage import Container, make_storage, open_container
from lastmile_infra.azure.vault import make_keys, use_secrets
from lastmile_infra.functions import called_first
from lastmile_infra.outputs import Outputs
from lastmile_sls.plan.document import FunctionPlan, PackagePlan, Plan

__all__ = ["provision"]


def provision(name: str, plan: Plan, folder: Path, opts: pulumi.ResourceOptions) -> Outputs:
    """Make the plan's identity, keys, storage, queue, functions and endpoint, and what watches them; long because there is
    one line for each, and one for each output."""
    scope = open_scope(name, plan, opts)
    identity = make_identity(scope, plan["identity"])
    container = open_container(scope, plan)
    made = _make_surroundings(scope, plan, identity, container)
    guard = make_guard(scope, plan["endpoint"])
    workspace = make_workspace(scope, plan)
    apps = _make_functions(scope, plan, folder, made, guard, workspace)
    router = apps[plan["endpoint"]["function"]]
    front = make_front(scope, guard, plan["endpoint"], router.host) if guard else None
    dead_letters = plan["queue"]["dead_letters"] if plan["queue"] else None
    watched = Watched(workspace, _form(plan), router.name, guard, dead_letters)
    operations, dashboard = plan["operations"], plan["operations"] and plan["operations"]["dashboard"]
    if plan["budget"]:
        own = [scope.group, *([container.group] if container and container.own else [])]
        make_budget(scope, plan["budget"], own, datetime.now(UTC).date())
    return Outputs(
        url=front.url if front else pulumi.Output.concat("https://", router.host),
        account=scope.subscription,
        key=made.keys.callers[-1].value if made.keys.callers else None,
        functions={function: app.id for function, app in apps.items()},
        bucket=made.storage.url if made.storage else None,
        routing=made.storage.routing if made.storage else None,
        dns_records=front.dns_records if front else (),
        logs=dict.fromkeys(apps, workspace.customer_id),
        queue={"jobs": made.queue.jobs, "dead_letters": made.queue.dead_letters} if made.queue else {},
        schedule=schedule_of(plan["schedule"], router),
        alarms=make_alarms(scope, operations, watched) if operations else {},
        dashboard=make_dashboard(scope, dashboard, watched) if dashboard else None,
    )


def _make_surroundings(scope: Scope, plan: Plan, identity: Identity, container: Container | None) -> Made:
    """Make what functions are joined to."""
    return Made(
        identity,
        make_keys(scope, plan, identity),
        use_secrets(scope, plan, identity),
        make_storage(scope, plan, identity, container) if container else None,
        make_queue(scope, plan["queue"], container, identity) if plan["queue"] and container else None,
    )


def _make_functions(
    scope: Scope, plan: Plan, folder: Path, made: Made, guard: Guard | None, workspace: Workspace
) -> dict[str, App]:
    """Make the functions, those first that others ask."""
    endpoint, entrance = plan["endpoint"], Entrance(callers_of(plan), guard)
    platform = _PLATFORMS[_form(plan)](scope, made.identity, workspace)
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


_PLATFORMS: Mapping[Form, type[FunctionApps] | type[ContainerApps]] = {
    "zip": FunctionApps,
    "image": ContainerApps,
}


def _form(plan: Plan) -> Form:
    """Return the form of the plan's packages. Raises ValueError for one that Azure does not take."""
    match _package(plan["functions"][0])["form"]:
        case "zip" | "image" as form:
            return form
        case form:
            raise ValueError(f"a package's form is {form!r}, but Azure takes 'zip' and 'image'.")


def _package(function: FunctionPlan) -> PackagePlan:
    if function["package"] is None:
        raise ValueError(
            f"the function {function['name']!r} has no package, but Azure takes a zip or an image."
        )
    return function["package"]
