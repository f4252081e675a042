"""Provisions specs on Azure with Pulumi's own mocks, judges what every resource is told by the SDK's types, and keeps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

from lastmile_infra import Deployment
from lastmile_sls.engine.properties import Properties, from_struct, reveal
from lastmile_sls.plan.document import Plan
from lastmile_sls.spec.model import Spec
from tests.clouds import sdk_types
from tests.clouds.outputs import azure
from tests.clouds.outputs.made import Made, Place
from tests.lastmile_infra.plans import plan_of

SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
TENANT = "00000000-0000-4000-8000-000000000002"
DEPLOYER = "00000000-0000-4000-8000-000000000003"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/churn-dev/providers"
DATA_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/churn-dev-data-1234567/providers"
DIGEST = "sha256:00000ff" + "0" * 57
IDENTITY = f"{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/churn-dev"


class Plain(Made):
    """What Azure makes, with names and ids that can be read."""

    @property
    def suffix(self) -> str:
        return "1234567"

    def uuid(self, salt: str) -> str:
        return f"{salt} of {self.logical}"

    def digest(self, length: int, salt: str = "") -> str:
        return (salt or "x")[:length]


@dataclass(frozen=True)
class Recorded:
    """A resource as it was registered."""

    type: str
    name: str
    inputs: Properties
    request: Any
    """The engine's message, with the options."""

    @property
    def waits_for(self) -> set[str]:
        """The names of the resources that it says it depends on."""
        return {urn.rpartition("::")[2] for urn in self.request.dependencies}


@dataclass
class Run:
    """What one program registered and returned."""

    resources: list[Recorded] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def one(self, type_: str, name: str | None = None) -> Recorded:
        """Return the one resource of a type, the part of its token after the module."""
        (found,) = self.all(type_, name)
        return found

    def all(self, type_: str, name: str | None = None) -> list[Recorded]:
        """Return the resources of a type, and of a name if there is one."""
        return [r for r in self.resources if r.type.endswith(f":{type_}") and name in (None, r.name)]

    def inputs(self, type_: str, name: str | None = None) -> dict[str, Any]:
        """Return what the one resource of a type was told, without what all are told."""
        told = dict(self.one(type_, name).inputs)
        for key in ("resourceGroupName", "location", "tags"):
            told.pop(key, None)
        return told

    def names(self) -> list[str]:
        """Return every resource as `Type name`, in order."""
        return sorted(f"{r.type.rpartition(':')[2]} {r.name}" for r in self.resources)

    def settings(self, app: str) -> dict[str, str]:
        """Return a function app's settings."""
        settings = self.inputs("WebApp", app)["siteConfig"]["appSettings"]
        assert [setting["name"] for setting in settings] == sorted(s["name"] for s in settings)
        return {setting["name"]: setting["value"] for setting in settings}

    def grants(self) -> list[tuple[str, str, str]]:
        """Return who may do what on what: principal, role's GUID, the resource's id."""
        return [
            (r["principalId"], r["roleDefinitionId"].rpartition("/")[2], r["scope"])
            for r in (found.inputs for found in self.all("RoleAssignment"))
        ]


class _Monitor(MockMonitor):
    def __init__(self, mocks: Mocks, run: Run) -> None:
        super().__init__(mocks)
        self._run = run

    def RegisterResource(self, request: Any) -> Any:
        if request.type != "pulumi:pulumi:Stack":
            inputs = from_struct(request.object)
            if request.type.startswith("azure-native:"):
                assert sdk_types.judge(request.type, inputs) == [], request.name
            self._run.resources.append(Recorded(request.type, request.name, reveal(inputs), request))
        register: Callable[[Any], Any] = super().RegisterResource
        return register(request)


class _Azure(Mocks):
    def __init__(self, client_id: str) -> None:
        self._client_id = client_id

    def call(self, args: MockCallArgs) -> Any:
        assert args.token == "azure-native:authorization:getClientConfig"
        return {
            "clientId": self._client_id,
            "objectId": DEPLOYER,
            "subscriptionId": SUBSCRIPTION,
            "tenantId": TENANT,
        }

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if args.typ in azure.OUTPUTS:
            place = Place(region="westeurope", subscription=SUBSCRIPTION, tenant=TENANT)
            made = azure.OUTPUTS[args.typ](Plain(args.typ, args.name, args.name, args.inputs, place))
            return made["id"], {**args.inputs, **made}
        lastmile = _LASTMILE.get(args.typ)
        return f"{args.name}-id", {**args.inputs, **(lastmile(args.inputs) if lastmile else {})}


_LASTMILE: dict[str, Callable[[Any], dict[str, str]]] = {
    "lastmile:index:Key": lambda told: {"value": f"value of {told['name']}", "digest": DIGEST},
    "lastmile:index:Image": lambda told: {"reference": f"{told['repository']}@sha256:ef", "tag": "t"},
}


def provisioned(spec: Spec, folder: Path, *, client_id: str = AZURE_CLI) -> Run:
    """Provision a spec on Azure; `client_id` is the application with which the deployer signs in."""
    return provisioned_plan(plan_of(spec, "azure"), folder, client_id=client_id)


def provisioned_plan(
    plan: Plan,
    folder: Path,
    opts: Callable[[], pulumi.ResourceOptions] | None = None,
    client_id: str = AZURE_CLI,
) -> Run:
    """Provision a plan, with the options that a user's own program would give the component."""
    run = Run()
    mocks = _Azure(client_id)
    pulumi.runtime.set_mocks(mocks, "churn", "dev-azure", preview=False, monitor=_Monitor(mocks, run))

    def program() -> pulumi.Output[Any]:
        deployment = Deployment(plan, folder, opts=opts() if opts else None)

        def keep(outputs: dict[str, Any]) -> None:
            run.outputs.update(outputs)

        return pulumi.Output.from_input(deployment.outputs.exports()).apply(keep)

    until_done: Callable[[Callable[[], Any]], Callable[[], None]] = pulumi.runtime.test
    until_done(program)()
    return run
