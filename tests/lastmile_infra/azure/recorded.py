"""Provisions specs on Azure with Pulumi's own mocks, judges what every resource is told by the SDK's types, and keeps it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pulumi.runtime.mocks import MockResourceArgs

from lastmile_sls.delivery.release import Release
from lastmile_sls.engine.properties import Properties
from lastmile_sls.plan.document import Plan
from lastmile_sls.spec.model import Spec
from tests.clouds import sdk_types
from tests.clouds.outputs import azure
from tests.clouds.outputs.made import Made, Place
from tests.lastmile_infra import recorded
from tests.lastmile_infra.plans import plan_of
from tests.lastmile_infra.recorded import DELIVERED, Cloud, Opts, Outputs, by_type, record

SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
TENANT = "00000000-0000-4000-8000-000000000002"
DEPLOYER = "00000000-0000-4000-8000-000000000003"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/churn-dev/providers"
DATA_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/churn-dev-data-1234567/providers"
IDENTITY = f"{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/churn-dev"


WATCHED: dict[str, Any] = {
    "queue": {"max_attempts": 3},
    "schedule": {"cron": "0 6 * * 1-5", "input": "batch/in", "output": "batch/out"},
    "operations": {"notify": ["a@example.com", "b@example.com"]},
    "budget": {"monthly_limit": 100.0, "alerts_percent": [62.5, 100.0]},
}
"""The changes of a spec that has everything beside the endpoint."""


class Plain(Made):
    """What Azure makes, with names and ids that can be read."""

    @property
    def suffix(self) -> str:
        return "1234567"

    def uuid(self, salt: str) -> str:
        return f"{salt} of {self.logical}"

    def digest(self, length: int, salt: str = "") -> str:
        return (salt or "x")[:length]


class Run(recorded.Run):
    """What one program registered and returned, in Azure's words."""

    def inputs(self, type_: str, name: str | None = None) -> dict[str, Any]:
        """Return what the one resource of a type was told, without what all are told."""
        told = dict(self.one(type_, name).inputs)
        for key in ("resourceGroupName", "location", "tags"):
            told.pop(key, None)
        return told

    def settings(self, app: str) -> dict[str, str]:
        """Return a function app's settings."""
        settings = self.inputs("WebApp", app)["siteConfig"]["appSettings"]
        assert [setting["name"] for setting in settings] == sorted(s["name"] for s in settings)
        return {setting["name"]: setting["value"] for setting in settings}

    def settings_of_release(self, app: str) -> dict[str, str]:
        """Return the settings of a function app's one release, which go with its code."""
        (settings,) = json.loads(self.settings(app)["LASTMILE_RELEASES"]).values()
        found: dict[str, str] = settings
        return found

    def grants(self) -> list[tuple[str, str, str]]:
        """Return who may do what on what: principal, role's GUID, the resource's id."""
        return [
            (r["principalId"], r["roleDefinitionId"].rpartition("/")[2], r["scope"])
            for r in (found.inputs for found in self.all("RoleAssignment"))
        ]


_MADE: dict[str, Outputs] = {
    **DELIVERED,
    "Image": lambda a: {"reference": f"{a.inputs['repository']}@sha256:ef", "tag": "t"},
    "Release": lambda a: dict(Release().create("", a.inputs)[1]),
}


def _outputs(args: MockResourceArgs) -> dict[str, Any]:
    if args.typ not in azure.OUTPUTS:
        return by_type(_MADE)(args)
    place = Place(region="westeurope", subscription=SUBSCRIPTION, tenant=TENANT)
    return azure.OUTPUTS[args.typ](Plain(args.typ, args.name, args.name, args.inputs, place))


def _judge(type_: str, inputs: Properties) -> Sequence[object]:
    return sdk_types.judge(type_, inputs) if type_.startswith("azure-native:") else []


def _azure(client_id: str) -> Cloud:
    def answer(token: str) -> dict[str, Any]:
        assert token == "azure-native:authorization:getClientConfig"
        return {
            "clientId": client_id,
            "objectId": DEPLOYER,
            "subscriptionId": SUBSCRIPTION,
            "tenantId": TENANT,
        }

    return Cloud(_outputs, answer, _judge)


def provisioned(spec: Spec, folder: Path, *, client_id: str = AZURE_CLI) -> Run:
    """Provision a spec on Azure; `client_id` is the application with which the deployer signs in."""
    return provisioned_plan(plan_of(spec, "azure"), folder, client_id=client_id)


def provisioned_plan(plan: Plan, folder: Path, opts: Opts | None = None, client_id: str = AZURE_CLI) -> Run:
    """Provision a plan, with the options that a user's own program would give the component."""
    return record(Run(), _azure(client_id), plan, folder, opts)
