"""Provisions specs on Google Cloud with Pulumi's own mocks, and keeps what every resource was told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

from lastmile_infra import Deployment
from lastmile_sls.engine.properties import from_struct, reveal
from lastmile_sls.plan.document import Plan
from tests.lastmile_infra.aws.recorded import Recorded, Run
from tests.lastmile_infra.plans import plan_of, spec_of

PROJECT, REGION = "acme-models", "europe-west1"
ADDRESS = "203.0.113.7"
ACCOUNT = f"churn-dev@{PROJECT}.iam.gserviceaccount.com"
REFERENCE = f"{REGION}-docker.pkg.dev/{PROJECT}/churn-dev/predict@sha256:{'ef' * 32}"


def uri_of(function: str) -> str:
    """Return the address that Cloud Run gives a function."""
    return f"https://{function}-123456789012.{REGION}.run.app"


class _Monitor(MockMonitor):
    def __init__(self, mocks: Mocks, run: Run) -> None:
        super().__init__(mocks)
        self._run = run

    def RegisterResource(self, request: Any) -> Any:
        if request.type != "pulumi:pulumi:Stack":
            inputs = reveal(from_struct(request.object))
            self._run.resources.append(Recorded(request.type, request.name, inputs, request))
        register: Callable[[Any], Any] = super().RegisterResource
        return register(request)


class _Gcp(Mocks):
    def call(self, args: MockCallArgs) -> Any:
        raise AssertionError(f"nothing asks for {args.token}")

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        type_ = args.typ.rpartition(":")[2]
        made = _MADE.get(type_)
        id_ = f"{args.name}-id"
        if args.typ == "gcp:cloudrunv2/service:Service":
            id_ = f"projects/{PROJECT}/locations/{args.inputs['location']}/services/{args.inputs['name']}"
            return id_, {**args.inputs, "uri": uri_of(args.inputs["name"])}
        return id_, {**args.inputs, **(made(args) if made else {})}


_MADE: dict[str, Callable[[MockResourceArgs], dict[str, Any]]] = {
    "Key": lambda a: {"value": f"value of {a.inputs['name']}", "digest": f"sha256:{a.inputs['name']}"},
    "Document": lambda a: {"location": f"{a.inputs['url']}/{a.inputs['path']}"},
    "Image": lambda a: {"reference": f"{a.inputs['repository']}@sha256:{'ef' * 32}", "tag": "t"},
    "Account": lambda a: {
        "email": f"{a.inputs['accountId']}@{PROJECT}.iam.gserviceaccount.com",
        "member": f"serviceAccount:{a.inputs['accountId']}@{PROJECT}.iam.gserviceaccount.com",
    },
    "Bucket": lambda a: {"name": f"{a.name}-1234567"},
    "Repository": lambda a: {
        "registryUri": f"{a.inputs['location']}-docker.pkg.dev/{PROJECT}/{a.inputs['repositoryId']}"
    },
    "GlobalAddress": lambda _: {"address": ADDRESS},
}
"""What Google tells of what it made, by the type's name."""


def run_of(folder: Path, **changes: Any) -> Run:
    """Provision a changed spec on Google Cloud."""
    return provisioned_plan(plan_of(spec_of(**changes), "gcp"), folder)


def provisioned_plan(
    plan: Plan, folder: Path, opts: Callable[[], pulumi.ResourceOptions] | None = None
) -> Run:
    """Provision a plan, with the options that a user's own program would give the component."""
    run, mocks = Run(), _Gcp()
    pulumi.runtime.set_mocks(mocks, "churn", "dev-gcp", preview=False, monitor=_Monitor(mocks, run))

    def program() -> pulumi.Output[Any]:
        deployment = Deployment(plan, folder, opts=opts() if opts else None)

        def keep(outputs: dict[str, Any]) -> None:
            run.outputs.update(outputs)

        return pulumi.Output.from_input(deployment.outputs.exports()).apply(keep)

    until_done: Callable[[Callable[[], Any]], Callable[[], None]] = pulumi.runtime.test
    until_done(program)()
    return run
