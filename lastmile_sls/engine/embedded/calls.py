"""The calls to a resource provider, with our resources for their arguments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pulumi.runtime.proto import provider_pb2 as wire
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from lastmile_sls.engine.embedded.refusal import refusal
from lastmile_sls.engine.embedded.state import Resource, now
from lastmile_sls.engine.interface import EngineError
from lastmile_sls.engine.properties import Properties, from_struct, to_struct


def check(provider: Any, wanted: Resource, old: Resource | None, inputs: Properties) -> Properties:
    """Return the inputs as the provider completes them. Raises EngineError with every property that is wrong."""
    response = provider.Check(
        wire.CheckRequest(
            **_identity(wanted), olds=to_struct(old.inputs if old else {}), news=to_struct(inputs)
        ),
        None,
    )
    if response.failures:
        reasons = "; ".join(f"{f.property}: {f.reason}" for f in response.failures)
        raise EngineError(f"{wanted.type} {wanted.name} is not valid: {reasons}")
    return from_struct(response.inputs)


def diff(provider: Any, wanted: Resource, old: Resource, ignored: tuple[str, ...]) -> wire.DiffResponse:
    """Return what the provider says of the difference between the two."""
    answer: wire.DiffResponse = provider.Diff(
        wire.DiffRequest(
            **_identity(wanted),
            id=old.id,
            olds=to_struct(old.outputs),
            old_inputs=to_struct(old.inputs),
            news=to_struct(wanted.inputs),
            ignoreChanges=ignored,
        ),
        None,
    )
    return answer


def create(provider: Any, wanted: Resource, *, preview: bool) -> Resource:
    """Make the resource and return it with its id and outputs."""
    response = provider.Create(
        wire.CreateRequest(
            **_identity(wanted),
            properties=to_struct(wanted.inputs),
            timeout=_timeout(wanted, "create"),
            preview=preview,
        ),
        None,
    )
    outputs = from_struct(response.properties)
    return replace(wanted, id=response.id, outputs=outputs, created=now(), modified=now())


def update(provider: Any, wanted: Resource, old: Resource, *, preview: bool) -> Resource:
    """Change the resource in place and return it with its new outputs."""
    response = provider.Update(
        wire.UpdateRequest(
            **_identity(wanted),
            id=old.id,
            olds=to_struct(old.outputs),
            old_inputs=to_struct(old.inputs),
            news=to_struct(wanted.inputs),
            timeout=_timeout(wanted, "update"),
            preview=preview,
        ),
        None,
    )
    outputs = from_struct(response.properties)
    return replace(wanted, id=old.id, outputs=outputs, created=old.created, modified=now())


def delete(provider: Any, resource: Resource) -> None:
    """Delete the resource."""
    provider.Delete(
        wire.DeleteRequest(
            **_identity(resource),
            id=resource.id,
            properties=to_struct(resource.outputs),
            timeout=_timeout(resource, "delete"),
            old_inputs=to_struct(resource.inputs),
        ),
        None,
    )


def invoke(provider: Any, token: str, arguments: Properties, *, preview: bool) -> wire.InvokeResponse:
    """Return what a function of the provider answers. Raises EngineError when the provider has no functions."""
    if type(provider).Invoke is ResourceProviderServicer.Invoke:
        raise refusal(f"the function {token}")
    answer: wire.InvokeResponse = provider.Invoke(
        wire.InvokeRequest(tok=token, args=to_struct(arguments), preview=preview), None
    )
    return answer


def _timeout(resource: Resource, verb: str) -> float:
    return resource.custom_timeouts.get(verb, 0)


def _identity(resource: Resource) -> Any:
    return {"urn": resource.urn, "name": resource.name, "type": resource.type}
