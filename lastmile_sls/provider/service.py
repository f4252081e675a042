"""The provider's service: Pulumi's `ResourceProvider` protocol in front of the types of resources."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto import provider_pb2 as wire
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from lastmile_sls import __version__
from lastmile_sls.delivery.patience import Patience
from lastmile_sls.engine.properties import (
    Properties,
    from_struct,
    is_unknown,
    reveal,
    secret,
    to_struct,
)
from lastmile_sls.errors import LastmileError
from lastmile_sls.provider.resource import ResourceType, State, Values
from lastmile_sls.provider.schema import pulumi_schema
from lastmile_sls.provider.table import resource_types


class LastmileProvider(ResourceProviderServicer):
    """Hands each request to the type that it is about.

    Methods raise LastmileError; whoever serves them over gRPC turns it into a status.
    """

    def __init__(
        self,
        engine: str,
        home: Path,
        environ: Mapping[str, str] = os.environ,
        patience: Patience | None = None,
    ) -> None:
        self._patience = patience or Patience()
        self._types = resource_types(engine, home, environ, self._patience)

    def Handshake(self, request: Any, context: Any) -> wire.ProviderHandshakeResponse:
        """Say which of the protocol's features we speak."""
        return wire.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=False, accept_outputs=False
        )

    def GetSchema(self, request: Any, context: Any) -> wire.GetSchemaResponse:
        """Return the schema."""
        return wire.GetSchemaResponse(schema=pulumi_schema(kind.schema for kind in self._types.values()))

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        """Return the version."""
        return plugin_pb2.PluginInfo(version=__version__)

    def CheckConfig(self, request: Any, context: Any) -> wire.CheckResponse:
        """Accept any configuration: there is none."""
        return wire.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> wire.DiffResponse:
        """Say that no configuration matters."""
        return wire.DiffResponse(changes=wire.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> wire.ConfigureResponse:
        """Say which of the protocol's features we speak."""
        return wire.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> wire.CheckResponse:
        """Refuse inputs that are missing, unknown to us, or out of range."""
        kind = self._type(request)
        plain = _plain(request.news)
        known = {name: value for name, value in plain.items() if not is_unknown(value)}
        wrong = kind.schema.check(plain) or kind.check(known)
        failures = [wire.CheckFailure(property=name, reason=reason) for name, reason in wrong]
        return wire.CheckResponse(inputs=request.news, failures=failures)

    def Diff(self, request: Any, context: Any) -> wire.DiffResponse:
        """Compare inputs, and look whether the resource is still what it was."""
        kind = self._type(request)
        state, wanted = _state(request.id, request.old_inputs, request.olds), _plain(request.news)
        changed = kind.schema.changed(state.inputs, wanted)
        replaces = kind.schema.replacing(changed)
        changed += [name for name in kind.drifted(state, wanted) if name not in changed]
        some, none = wire.DiffResponse.DIFF_SOME, wire.DiffResponse.DIFF_NONE
        return wire.DiffResponse(
            changes=some if changed else none, diffs=changed, replaces=replaces, deleteBeforeReplace=True
        )

    def Create(self, request: Any, context: Any) -> wire.CreateResponse:
        """Make the resource, or adopt it."""
        kind, inputs = self._type(request), from_struct(request.properties)
        if request.preview:
            return wire.CreateResponse(properties=_made(kind, inputs, kind.planned(reveal(inputs), {})))
        id_, outputs = kind.create(request.urn, reveal(inputs))
        return wire.CreateResponse(id=id_, properties=_made(kind, inputs, outputs))

    def Update(self, request: Any, context: Any) -> wire.UpdateResponse:
        """Make the resource what its new inputs say."""
        kind, inputs = self._type(request), from_struct(request.news)
        state = _state(request.id, request.old_inputs, request.olds)
        if request.preview:
            outputs = kind.planned(reveal(inputs), state.outputs)
        else:
            outputs = kind.update(request.urn, state, reveal(inputs))
        return wire.UpdateResponse(properties=_made(kind, inputs, outputs))

    def Read(self, request: Any, context: Any) -> wire.ReadResponse:
        """Return the resource as it is; an empty id when it is gone."""
        kind = self._type(request)
        found = kind.read(_state(request.id, request.inputs, request.properties))
        if found is None:
            return wire.ReadResponse()
        inputs, outputs = dict(found[0]), found[1]
        return wire.ReadResponse(
            id=request.id, inputs=to_struct(inputs), properties=_made(kind, inputs, outputs)
        )

    def Delete(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Delete the resource, if it is there."""
        self._type(request).delete(_state(request.id, request.old_inputs, request.properties))
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        """End what waits; what is being done is done."""
        self._patience.end()
        return empty_pb2.Empty()

    def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Do nothing: we never call the engine."""
        return empty_pb2.Empty()

    def _type(self, request: Any) -> ResourceType:
        token = request.type or request.urn.split("::")[2].rsplit("$", 1)[-1]
        found = self._types.get(token)
        if found is None:
            known = ", ".join(self._types)
            raise LastmileError(f"the provider has no resource of the type {token}.", f"It has {known}.")
        return found


def _plain(struct: struct_pb2.Struct) -> Properties:
    values: Properties = reveal(from_struct(struct))
    return values


def _state(id_: str, inputs: struct_pb2.Struct, outputs: struct_pb2.Struct) -> State:
    return State(id_, _plain(inputs), _plain(outputs))


def _made(kind: ResourceType, inputs: Properties, outputs: Values) -> struct_pb2.Struct:
    """Return a resource's properties: its inputs, and its own outputs, the secret ones marked."""
    own = {name: outputs[name] for name in kind.schema.outputs if name in outputs}
    marked = {
        name: secret(value) if kind.schema.outputs[name].get("secret") else value
        for name, value in own.items()
    }
    return to_struct({**inputs, **marked})
