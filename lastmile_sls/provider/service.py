"""The provider's service: Pulumi's `ResourceProvider` protocol in front of the embedded cloud."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto import provider_pb2 as wire
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from lastmile_sls import __version__
from lastmile_sls.engine.properties import (
    UNKNOWN_SENTINEL,
    Properties,
    from_struct,
    is_unknown,
    reveal,
    secret,
    to_struct,
)
from lastmile_sls.local.cloud import Cloud
from lastmile_sls.provider.schema import (
    INPUTS,
    NOT_COMPARED,
    OUTPUTS,
    kind_of,
    missing_inputs,
    pulumi_schema,
)


class LastmileProvider(ResourceProviderServicer):
    """Ids are deterministic, and a create adopts what a killed run of the same stack left.

    Methods raise LastmileError; whoever serves them over gRPC turns it into a status.
    """

    def __init__(self, engine: str, home: Path) -> None:
        self._cloud = Cloud(home, engine)

    def Handshake(self, request: Any, context: Any) -> wire.ProviderHandshakeResponse:
        """Say which of the protocol's features we speak."""
        return wire.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=False, accept_outputs=False
        )

    def GetSchema(self, request: Any, context: Any) -> wire.GetSchemaResponse:
        """Return the schema."""
        return wire.GetSchemaResponse(schema=pulumi_schema())

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
        kind = kind_of(request.type or _type(request.urn))
        inputs = from_struct(request.news)
        plain = reveal(inputs)
        wrong = [(name, f"{name} is missing.") for name in missing_inputs(kind, plain)]
        wrong += [
            (name, f"{name} is not an input of a {kind}.")
            for name in plain
            if name not in INPUTS[kind] and not name.startswith("__")
        ]
        known = {name: value for name, value in plain.items() if not is_unknown(value)}
        if not wrong:
            wrong = self._cloud.check(kind, known)
        failures = [wire.CheckFailure(property=name, reason=reason) for name, reason in wrong]
        return wire.CheckResponse(inputs=request.news, failures=failures)

    def Diff(self, request: Any, context: Any) -> wire.DiffResponse:
        """Compare inputs, and look whether the resource is still what it was."""
        kind = kind_of(request.type or _type(request.urn))
        old, new = reveal(from_struct(request.old_inputs)), reveal(from_struct(request.news))
        changed = [
            name
            for name in INPUTS[kind]
            if name not in NOT_COMPARED and old.get(name) != new.get(name) and not _only_unset(old, new, name)
        ]
        replaces = [name for name in changed if INPUTS[kind][name].get("willReplaceOnChanges")]
        changed += [name for name in self._cloud.drifted(request.id) if name not in changed]
        some, none = wire.DiffResponse.DIFF_SOME, wire.DiffResponse.DIFF_NONE
        return wire.DiffResponse(
            changes=some if changed else none, diffs=changed, replaces=replaces, deleteBeforeReplace=True
        )

    def Create(self, request: Any, context: Any) -> wire.CreateResponse:
        """Make the resource, or adopt it."""
        kind = kind_of(request.type or _type(request.urn))
        inputs = from_struct(request.properties)
        if request.preview:
            return wire.CreateResponse(properties=to_struct(_planned(kind, inputs)))
        id_, outputs = self._cloud.apply(kind, request.urn, reveal(inputs))
        return wire.CreateResponse(id=id_, properties=to_struct(_made(kind, inputs, outputs)))

    def Update(self, request: Any, context: Any) -> wire.UpdateResponse:
        """Make the resource what its new inputs say."""
        kind = kind_of(request.type or _type(request.urn))
        inputs = from_struct(request.news)
        if request.preview:
            return wire.UpdateResponse(
                properties=to_struct(_replanned(kind, inputs, from_struct(request.olds)))
            )
        _, outputs = self._cloud.apply(kind, request.urn, reveal(inputs))
        return wire.UpdateResponse(properties=to_struct(_made(kind, inputs, outputs)))

    def Read(self, request: Any, context: Any) -> wire.ReadResponse:
        """Return the resource as it is; an empty id when it is gone."""
        kind = kind_of(request.type or _type(request.urn))
        record = self._cloud.read(request.id)
        if record is None:
            return wire.ReadResponse()
        inputs = dict(record.inputs)
        return wire.ReadResponse(
            id=request.id,
            inputs=to_struct(inputs),
            properties=to_struct(_made(kind, inputs, record.outputs)),
        )

    def Delete(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Delete the resource, if it is there."""
        self._cloud.delete(request.id)
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Do nothing: every operation is short."""
        return empty_pb2.Empty()

    def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Do nothing: we never call the engine."""
        return empty_pb2.Empty()


def _type(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", 1)[-1]


def _made(kind: str, inputs: Properties, outputs: Mapping[str, Any]) -> Properties:
    marked = {
        name: secret(value) if OUTPUTS[kind].get(name, {}).get("secret") else value
        for name, value in outputs.items()
    }
    return {**inputs, **marked}


def _planned(kind: str, inputs: Properties) -> Properties:
    """Return a new resource's properties before it is made; a port that is asked for tells the address."""
    outputs = dict.fromkeys(OUTPUTS[kind], UNKNOWN_SENTINEL)
    return _made(kind, inputs, {**outputs, **_known_address(kind, inputs)})


def _replanned(kind: str, inputs: Properties, olds: Properties) -> Properties:
    kept = {name: olds[name] for name in OUTPUTS[kind] if name in olds}
    return {**inputs, **kept, **_known_address(kind, inputs)}


def _known_address(kind: str, inputs: Properties) -> Properties:
    port = inputs.get("port") if kind == "route" else None
    return {"port": port, "url": f"http://127.0.0.1:{port}"} if port and not is_unknown(port) else {}


def _only_unset(old: Properties, new: Properties, name: str) -> bool:
    """An input that is not given and one that is null mean the same."""
    return old.get(name) in (None, {}, []) and new.get(name) in (None, {}, [])
