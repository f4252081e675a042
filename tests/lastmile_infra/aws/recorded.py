"""Provisions specs on AWS with Pulumi's own mocks, and keeps what every resource was told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

from lastmile_infra import Deployment
from lastmile_sls.engine.properties import from_struct, reveal
from lastmile_sls.plan.document import Plan
from lastmile_sls.spec.model import Spec
from tests.lastmile_infra.plans import plan_of

ACCOUNT = "123456789012"
FUNCTIONS = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function"


@dataclass(frozen=True)
class Recorded:
    """A resource as it was registered."""

    type: str
    name: str
    inputs: dict[str, Any]
    request: Any
    """The engine's message, with the options."""


@dataclass
class Run:
    """What one program registered and returned."""

    resources: list[Recorded] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def one(self, type_: str, name: str | None = None) -> Recorded:
        """Return the one resource of a type, the part of its token after the package."""
        (found,) = self.all(type_, name)
        return found

    def all(self, type_: str, name: str | None = None) -> list[Recorded]:
        """Return the resources of a type, and of a name if there is one."""
        return [r for r in self.resources if r.type.endswith(f":{type_}") and name in (None, r.name)]

    def inputs(self, type_: str, name: str | None = None) -> dict[str, Any]:
        """Return what the one resource of a type was told."""
        return self.one(type_, name).inputs

    def names(self) -> list[str]:
        """Return every resource as `Type name`, in order."""
        return sorted(f"{r.type.rpartition(':')[2]} {r.name}" for r in self.resources)


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


class _Aws(Mocks):
    def __init__(self, run: Run) -> None:
        self._run = run

    def call(self, args: MockCallArgs) -> Any:
        self._run.calls.append(args.token)
        return {"accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "id": ACCOUNT}

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        made = _MADE.get(args.typ.rpartition(":")[2])
        return f"{args.name}-id", {**args.inputs, **(made(args) if made else {})}


_MADE: dict[str, Callable[[MockResourceArgs], dict[str, Any]]] = {
    "Key": lambda a: {"value": f"value of {a.inputs['name']}", "digest": "sha256:00000ff" + "0" * 57},
    "Document": lambda a: {"location": f"{a.inputs['url']}/{a.inputs['path']}"},
    "Image": lambda a: {"reference": f"{a.inputs['repository']}@sha256:{'ef' * 32}", "tag": "t"},
    "Role": lambda a: {"arn": f"arn:aws:iam::{ACCOUNT}:role/{a.inputs['name']}"},
    "Bucket": lambda a: {"bucket": f"{a.name}-1234567", "arn": f"arn:aws:s3:::{a.name}-1234567"},
    "Repository": lambda a: {
        "name": a.name,
        "repositoryUrl": f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/{a.name}",
    },
    "Function": lambda a: {"arn": f"{FUNCTIONS}:{a.inputs['name']}", "version": "1"},
    "Alias": lambda a: {
        "arn": f"{FUNCTIONS}:{a.inputs['functionName']}:{a.inputs['name']}",
        "invokeArn": f"invoke {a.inputs['functionName']}:{a.inputs['name']}",
    },
    "Api": lambda a: {
        "apiEndpoint": "https://abc.execute-api.eu-west-1.amazonaws.com",
        "executionArn": f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:abc",
    },
    "FunctionUrl": lambda a: {"functionUrl": "https://abc.lambda-url.eu-west-1.on.aws/"},
    "DomainName": lambda a: {
        "domainNameConfiguration": {
            **a.inputs["domainNameConfiguration"],
            "targetDomainName": "d-abc.execute-api.eu-west-1.amazonaws.com",
            "hostedZoneId": "ZGATEWAY",
        }
    },
    "Certificate": lambda a: {
        "arn": "arn:made",
        "domainValidationOptions": [
            {
                "domainName": a.inputs["domainName"],
                "resourceRecordName": "_proof.predict.example.com.",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_x.acm-validations.aws.",
            }
        ],
    },
    "Record": lambda a: {"fqdn": a.inputs["name"].rstrip(".")},
}
"""What AWS tells of what it made, by the type's name."""


def provisioned(spec: Spec, folder: Path, sizes: dict[str, int] | None = None) -> Run:
    """Provision a spec on AWS; `sizes` are its bundles' bytes by function."""
    return provisioned_plan(plan_of(spec, "aws", sizes), folder)


def provisioned_plan(
    plan: Plan, folder: Path, opts: Callable[[], pulumi.ResourceOptions] | None = None
) -> Run:
    """Provision a plan, with the options that a user's own program would give the component."""
    run = Run()
    mocks = _Aws(run)
    pulumi.runtime.set_mocks(mocks, "churn", "dev-aws", preview=False, monitor=_Monitor(mocks, run))

    def program() -> pulumi.Output[Any]:
        deployment = Deployment(plan, folder, opts=opts() if opts else None)

        def keep(outputs: dict[str, Any]) -> None:
            run.outputs.update(outputs)

        return pulumi.Output.from_input(deployment.outputs.exports()).apply(keep)

    until_done: Callable[[Callable[[], Any]], Callable[[], None]] = pulumi.runtime.test
    until_done(program)()
    return run
