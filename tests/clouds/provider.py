"""A provider that stands in a cloud's place: it makes files, refuses what the SDK's types forbid, and writes all down.

It serves one of the packages `aws`, `gcp` and `azure-native` in the embedded engine, and as
`python -m tests.clouds.provider PACKAGE` under the Pulumi CLI. Its world is the folder LASTMILE_TEST_CLOUDS.
What a resource answers comes from tests/clouds/outputs; an output that is not there is a text which says so, and whatever is
given that text is refused.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from collections.abc import Mapping
from concurrent import futures
from typing import Any, get_args, get_origin

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from lastmile_sls.engine.properties import (
    UNKNOWN_SENTINEL,
    Properties,
    comparable,
    from_struct,
    is_secret,
    reveal,
    to_struct,
)
from lastmile_sls.provider.lifetime import wait
from tests.clouds import sdk_types
from tests.clouds.outputs import aws, azure, bootstrap, gcp
from tests.clouds.outputs.answers import answer_of
from tests.clouds.outputs.made import Made, Outputs, Place
from tests.clouds.wire import Finding, strings, unwrap
from tests.clouds.world import Call, World, name_of, type_of

OUTPUTS: dict[str, dict[str, Outputs]] = {
    "aws": {**aws.OUTPUTS, **bootstrap.AWS},
    "gcp": {**gcp.OUTPUTS, **bootstrap.GCP},
    "azure-native": {**azure.OUTPUTS, **bootstrap.AZURE},
}
MISSING = "there-is-no-output"
"""Begins the text in the place of an output that the tables do not have."""
# Of every cloud, the inputs that say which resource it is and where; a change of the name replaces it as well.
_PLACES = frozenset({"location", "region", "project", "resourceGroupName", "accountName", "scope", "bucket"})
_NAMES = frozenset(
    {"name", "accountId", "repositoryId", "secretId", "vaultName", "containerName", "profileName"}
)
_REGIONS = {"aws": "eu-west-1", "gcp": "europe-west1", "azure-native": "westeurope"}


class CloudProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Plays one package."""

    def __init__(self, package: str, world: World | None = None) -> None:
        self.package = package
        self.world = world or World.of_environment()
        self._place = Place(region=_REGIONS[package])

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=importlib.metadata.version(sdk_types.PACKAGES[self.package]))

    def CheckConfig(self, request: Any, context: Any) -> Any:
        findings = sdk_types.judge(f"{sdk_types.PROVIDER_PREFIX}{self.package}", from_struct(request.news))
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(findings))

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        """Note the provider's inputs, and take the place from them. The embedded engine calls this without CheckConfig."""
        inputs = from_struct(request.args)
        type_ = f"{sdk_types.PROVIDER_PREFIX}{self.package}"
        findings = sdk_types.judge(type_, inputs)
        if findings:
            raise ValueError(f"the provider of {self.package} is not valid: {'; '.join(map(str, findings))}")
        shown = {key: value for key, value in inputs.items() if key != "version"}
        if shown:
            self.world.note(Call("configure", type_, self.package, f"::::{type_}::{_key(shown)}", shown))
        plain = reveal(inputs)
        self._place = Place(
            region=plain.get("region") or plain.get("location") or self._place.region,
            project=plain.get("project") or self._place.project,
            subscription=plain.get("subscriptionId") or self._place.subscription,
        )
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        inputs = from_struct(request.news)
        self._note("check", request.urn, inputs)
        return provider_pb2.CheckResponse(
            inputs=request.news, failures=_failures(self._findings(type_of(request.urn), inputs))
        )

    def _findings(self, type_: str, inputs: Properties) -> list[Finding]:
        if type_ not in OUTPUTS[self.package]:
            return [Finding("", f"{type_} has no entry in the outputs of tests/clouds: add one.")]
        findings = sdk_types.judge(type_, inputs)
        return findings + [
            Finding(path, f"is computed from an output that tests/clouds does not give: {text}.")
            for path, text in strings(inputs)
            if MISSING in text
        ]

    def Diff(self, request: Any, context: Any) -> Any:
        """Compare inputs. A change of the name, or of the place, makes another resource."""
        old, new = comparable(from_struct(request.old_inputs)), comparable(from_struct(request.news))
        ignored = {*request.ignoreChanges}
        changed = sorted(
            k for k in {*old, *new} - ignored if old.get(k) != new.get(k) and not k.startswith("__")
        )
        replaces = [key for key in changed if key in _PLACES | _NAMES]
        changes = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=changes, diffs=changed, replaces=replaces)

    def Create(self, request: Any, context: Any) -> Any:
        inputs = from_struct(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=to_struct(self._planned(request.urn, inputs)))
        self._note("create", request.urn, inputs)
        outputs = self._outputs(request.urn, inputs, 1)
        id_ = outputs.pop("id")
        self.world.keep(type_of(request.urn), id_, inputs, 1)
        return provider_pb2.CreateResponse(id=id_, properties=to_struct(outputs))

    def Update(self, request: Any, context: Any) -> Any:
        inputs, type_ = from_struct(request.news), type_of(request.urn)
        kept = self.world.read(type_, request.id)
        assert kept is not None, f"{type_} {request.id} is to change, and is not there"
        outputs = self._outputs(request.urn, inputs, kept["generation"] + 1)
        outputs.pop("id")
        if not request.preview:
            self._note("update", request.urn, inputs)
            self.world.keep(type_, request.id, inputs, kept["generation"] + 1)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    def Read(self, request: Any, context: Any) -> Any:
        type_ = type_of(request.urn)
        kept = self.world.read(type_, request.id)
        if kept is None:
            return provider_pb2.ReadResponse()
        outputs = self._outputs(request.urn, kept["inputs"], kept["generation"])
        outputs.pop("id")
        return provider_pb2.ReadResponse(
            id=request.id, inputs=to_struct(kept["inputs"]), properties=to_struct(outputs)
        )

    def Delete(self, request: Any, context: Any) -> Any:
        self._note("delete", request.urn, {})
        self.world.drop(type_of(request.urn), request.id)
        if self.package == "azure-native":
            self.world.drop_below(request.id)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        answer = answer_of(request.tok, self._place)
        if answer is None:
            reason = f"{request.tok} has no answer in tests/clouds/outputs/answers.py: add one."
            return provider_pb2.InvokeResponse(failures=_failures([Finding("", reason)]))
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(to_struct(answer))
        return response

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def _note(self, verb: str, urn: str, inputs: Properties) -> None:
        self.world.note(Call(verb, type_of(urn), name_of(urn), urn, inputs))

    # -- outputs ----------------------------------------------------------------------------------

    def _outputs(self, urn: str, inputs: Properties, generation: int) -> Properties:
        """Return a resource's outputs: its inputs, what the table computes, and a warning for what it does not."""
        type_ = type_of(urn)
        made = Made(type_, name_of(urn), urn, reveal(inputs), self._place, generation)
        given = _merged(inputs, OUTPUTS[self.package][type_](made))
        given.pop("__defaults", None)
        missing = {
            name: f"{MISSING} {type_} {name}" for name in _required_texts(type_) if given.get(name) is None
        }
        return {**missing, **given}

    def _planned(self, urn: str, inputs: Properties) -> Properties:
        """Return what a preview knows: the inputs. All else is known after creation."""
        return _with_unknowns(inputs, sdk_types.output_types(type_of(urn)))


def _required_texts(type_: str) -> list[str]:
    """Return the outputs that are always there and are texts."""
    found = []
    cls = sdk_types.resource_class(type_)
    for name, member in vars(cls).items():
        if not isinstance(member, property) or member.fget is None:
            continue
        hint = member.fget.__annotations__.get("return")
        if get_origin(hint) is not None and get_args(hint) == (str,):
            found.append(getattr(member.fget, "_pulumi_name", name))
    return found


def _with_unknowns(inputs: Properties, outputs: Mapping[str, Any]) -> Properties:
    """Return the inputs, and as unknown what a resource gives beside them, in its records too."""
    planned: Properties = dict.fromkeys(outputs, UNKNOWN_SENTINEL)
    for name, value in inputs.items():
        hint = outputs.get(name)
        members = sdk_types.record_outputs(hint)
        if isinstance(value, list) and get_origin(hint) is Mapping:
            planned[name] = UNKNOWN_SENTINEL  # Azure's identities go in as a list and come out as a map
        elif members and isinstance(value, dict) and not is_secret(value):
            planned[name] = _with_unknowns(value, members)
        else:
            planned[name] = value
    return planned


def _merged(inputs: Properties, computed: Properties) -> Properties:
    """Return the inputs with what is computed; a record that both have is merged, and a given value is not changed."""
    merged = dict(inputs)
    for key, value in computed.items():
        before = unwrap(merged.get(key))
        merged[key] = (
            _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
        )
    return merged


def _failures(findings: list[Finding]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=finding.path, reason=finding.problem) for finding in findings]


def _key(inputs: Properties) -> str:
    return json.dumps(inputs, sort_keys=True).replace("::", ":")


def serve(servicer: Any) -> None:
    """Serve as a Pulumi plugin: print the port, then wait to be ended."""
    parent = os.getppid()
    server = grpc.server(futures.ThreadPoolExecutor(8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    wait(server, parent)


if __name__ == "__main__":
    serve(CloudProvider(sys.argv[1]))
