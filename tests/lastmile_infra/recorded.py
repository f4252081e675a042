"""Provisions plans with Pulumi's own mocks in a cloud's place, and keeps what every resource was told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

from lastmile_infra import Deployment
from lastmile_sls.engine.properties import Properties, from_struct, reveal
from lastmile_sls.plan.document import Plan

Opts = Callable[[], pulumi.ResourceOptions]
"""The options that a user's own program would give the component, made while it runs."""
Outputs = Callable[[MockResourceArgs], dict[str, Any]]
KEY_DIGEST = "sha256:00000ff" + "0" * 57


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
    calls: list[str] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def one(self, type_: str, name: str | None = None) -> Recorded:
        """Return the one resource of a type, the part of its token after the module."""
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


@dataclass(frozen=True)
class Cloud:
    """What differs between clouds: what they tell a program, and who judges what they are told."""

    outputs: Outputs
    """What it tells of what it made beside the inputs; with an `id` where that is not `NAME-id`."""
    answer: Callable[[str], dict[str, Any]]
    """What it says to a call, by the call's token."""
    judge: Callable[[str, Properties], Sequence[object]] = lambda _type, _inputs: []
    """What is wrong with a resource's inputs, with secrets marked, by its type."""


AnyRun = TypeVar("AnyRun", bound=Run)


def record(run: AnyRun, cloud: Cloud, plan: Plan, folder: Path, opts: Opts | None = None) -> AnyRun:
    """Provision a plan and return the run with all of it."""
    mocks = _Played(cloud, run)
    monitor = _Monitor(mocks, cloud, run)

    def program() -> pulumi.Output[Any]:
        deployment = Deployment(plan, folder, opts=opts() if opts else None)
        return pulumi.Output.from_input(deployment.outputs.exports()).apply(run.outputs.update)

    until_done: Callable[[Callable[[], Any]], Callable[[], None]] = pulumi.runtime.test
    with asyncio.Runner() as runner:
        runner.get_loop()  # Pulumi takes the thread's, and whoever has called asyncio.run before leaves it without one
        pulumi.runtime.set_mocks(mocks, "churn", f"dev-{plan['target']}", preview=False, monitor=monitor)
        until_done(program)()
    return run


def by_type(made: Mapping[str, Outputs]) -> Outputs:
    """Return what tells of a resource by the last part of its type, and nothing of types that are not there."""

    def tell(args: MockResourceArgs) -> dict[str, Any]:
        outputs = made.get(args.typ.rpartition(":")[2])
        return outputs(args) if outputs else {}

    return tell


DELIVERED: dict[str, Outputs] = {
    "Key": lambda a: {"value": f"value of {a.inputs['name']}", "digest": KEY_DIGEST},
    "Document": lambda a: {"location": f"{a.inputs['url']}/{a.inputs['path']}"},
    "Image": lambda a: {"reference": f"{a.inputs['repository']}@sha256:{'ef' * 32}", "tag": "t"},
}
"""What lastmile's own provider tells of what it made, by the type's last part."""


class _Monitor(MockMonitor):
    def __init__(self, mocks: Mocks, cloud: Cloud, run: Run) -> None:
        super().__init__(mocks)
        self._cloud = cloud
        self._run = run

    def RegisterResource(self, request: Any) -> Any:
        if request.type != "pulumi:pulumi:Stack":
            inputs = from_struct(request.object)
            assert self._cloud.judge(request.type, inputs) == [], request.name
            self._run.resources.append(Recorded(request.type, request.name, reveal(inputs), request))
        register: Callable[[Any], Any] = super().RegisterResource
        return register(request)


class _Played(Mocks):
    def __init__(self, cloud: Cloud, run: Run) -> None:
        self._cloud = cloud
        self._run = run

    def call(self, args: MockCallArgs) -> Any:
        self._run.calls.append(args.token)
        return self._cloud.answer(args.token)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        outputs = {**self._cloud.outputs(args)}
        return outputs.pop("id", f"{args.name}-id"), {**args.inputs, **outputs}
