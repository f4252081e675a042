"""A resource provider in place of AWS's own: what a program registers is made on moto, and read back.

Runs inside the embedded engine, where outputs flow from resource to resource as AWS's API gives them.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from lastmile_sls.engine.properties import UNKNOWN_SENTINEL, comparable, from_struct, reveal, to_struct
from tests.conformance.aws import billing, buckets, functions, gateways, identities, queues, watching
from tests.conformance.aws.account import ACCOUNT, Account
from tests.conformance.aws.kind import Kind, Outputs
from tests.conformance.aws.requests import Inputs, NotCarriedError

KINDS: dict[str, Kind] = {
    **functions.KINDS,
    **gateways.KINDS,
    **buckets.KINDS,
    **identities.KINDS,
    **queues.KINDS,
    **watching.KINDS,
    **billing.KINDS,
}
_NO_DIFFERENCE = provider_pb2.DiffResponse.DIFF_NONE
_SOME_DIFFERENCE = provider_pb2.DiffResponse.DIFF_SOME


Spoil = Callable[[str, str, Outputs], None]


@dataclass(frozen=True)
class Made:
    """A resource that is there."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    """As the program gave them, secrets revealed."""
    outputs: Outputs
    tags: Mapping[str, str]
    """All that it must have: the provider's and its own."""


@dataclass
class Record:
    """What a provider has made and not removed, by URN."""

    account: Account
    folder: Path
    """What paths of files are relative to: where the program runs."""
    made: dict[str, Made] = field(default_factory=dict)
    default_tags: dict[str, str] = field(default_factory=dict)
    """What the provider's configuration gives every resource."""

    def provider(self) -> MotoProvider:
        """Return a provider that writes here: what the embedded engine asks for."""
        return MotoProvider(self)

    def replayed(self, spoil: Spoil, called: Mapping[str, str]) -> Record:
        """Make the same anew in an account that was emptied, each resource with the inputs that `spoil` leaves it.

        What the API calls otherwise this time is put in the place of what it was called before.

        Args:
            spoil: Given a resource's type, name and inputs, changes the inputs.
            called: New names of what the program did not make, by their old names.

        Raises as AWS's model and moto do.
        """
        anew = Record(self.account, self.folder, default_tags=self.default_tags)
        provider = MotoProvider(anew)
        called = dict(called)
        for urn, made in self.made.items():
            inputs = _called(copy.deepcopy(dict(made.inputs)), called)
            given = json.dumps(inputs)
            spoil(made.type, made.name, inputs)
            provider.Create(provider_pb2.CreateRequest(urn=urn, properties=to_struct(inputs)), None)
            other = _other_names(made.outputs, anew.made[urn].outputs)
            called |= {old: new for old, new in other.items() if json.dumps(old)[1:-1] not in given}
        return anew

    def of_type(self, type_token: str) -> list[Made]:
        """Return the resources of a type, in the order in which they were made."""
        return [made for made in self.made.values() if made.type == type_token]


class MotoProvider(provider_pb2_grpc.ResourceProviderServicer):
    """The package `aws`."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._account = record.account

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_outputs=True)

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="7.51.1")

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=_NO_DIFFERENCE)

    def Configure(self, request: Any, context: Any) -> Any:
        """Take the tags that every resource gets, which the SDK sends as JSON."""
        given = from_struct(request.args).get("defaultTags") or {}
        default = json.loads(given) if isinstance(given, str) else given
        self._record.default_tags = dict(default.get("tags") or {})
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        """Give a name to what has none, as AWS's provider does: the resource's own and a few letters more."""
        inputs, kind = from_struct(request.news), _kind(request.urn)
        if kind.named and not inputs.get(kind.named):
            name = request.urn.rpartition("::")[2]
            known = from_struct(request.olds).get(kind.named)
            mark = hashlib.sha256(request.urn.encode()).hexdigest()[:7]
            inputs[kind.named] = known or f"{name}-{mark}".lower()
        return provider_pb2.CheckResponse(inputs=to_struct(inputs))

    def Diff(self, request: Any, context: Any) -> Any:
        kind = _kind(request.urn)
        old, new = comparable(from_struct(request.old_inputs)), comparable(from_struct(request.news))
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key) and key[:2] != "__")
        changed = [key for key in changed if key not in request.ignoreChanges]
        anew = changed if kind.change is None else [key for key in changed if key in kind.anew]
        return provider_pb2.DiffResponse(
            changes=_SOME_DIFFERENCE if changed else _NO_DIFFERENCE,
            diffs=changed,
            replaces=anew,
            deleteBeforeReplace=bool(anew),
        )

    def Create(self, request: Any, context: Any) -> Any:
        given = from_struct(request.properties)
        kind = _kind(request.urn)
        if request.preview:
            unknown = dict.fromkeys(kind.computed, UNKNOWN_SENTINEL)
            return provider_pb2.CreateResponse(properties=to_struct({**given, **unknown}))
        tags = self._all_tags(kind, given)
        added = kind.make(self._account, self._inputs(request.urn, given), tags)
        outputs = self._keep(request.urn, given, added, tags)
        return provider_pb2.CreateResponse(id=added["id"], properties=to_struct(outputs))

    def Update(self, request: Any, context: Any) -> Any:
        given, kind = from_struct(request.news), _kind(request.urn)
        old = reveal(from_struct(request.olds))
        if request.preview:
            return provider_pb2.UpdateResponse(properties=to_struct({**old, **given}))
        if kind.change is None:
            raise NotCarriedError(f"{request.urn} is changed, but this type cannot be.")
        tags = self._all_tags(kind, given)
        known = {**old, "id": request.id}
        added = kind.change(self._account, self._inputs(request.urn, given), tags, known)
        return provider_pb2.UpdateResponse(properties=to_struct(self._keep(request.urn, given, added, tags)))

    def Delete(self, request: Any, context: Any) -> Any:
        known = {**reveal(from_struct(request.properties)), "id": request.id}
        _kind(request.urn).remove(self._account, known)
        self._record.made.pop(request.urn, None)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        """Answer what programs ask about where they are."""
        answers: dict[str, Callable[[], Outputs]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": self._identity,
            "aws:index/getRegion:getRegion": lambda: {
                "id": self._account.region,
                "region": self._account.region,
            },
            "aws:index/getPartition:getPartition": lambda: {"id": "aws", "partition": "aws"},
        }
        if request.tok not in answers:
            raise NotCarriedError(f"nothing answers the function {request.tok}.")
        fields: Any = {"return": to_struct(answers[request.tok]())}
        return provider_pb2.InvokeResponse(**fields)

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def _identity(self) -> Outputs:
        found = self._account.call("sts", "get_caller_identity")
        return {"id": ACCOUNT, "accountId": found["Account"], "arn": found["Arn"], "userId": found["UserId"]}

    def _inputs(self, urn: str, given: Mapping[str, Any]) -> Inputs:
        values = {key: value for key, value in reveal(given).items() if key not in ("tags", "region")}
        return Inputs(urn.rpartition("::")[2], values, self._record.folder)

    def _all_tags(self, kind: Kind, given: Mapping[str, Any]) -> dict[str, str]:
        if not kind.tagged:
            return {}
        return {**self._record.default_tags, **(reveal(given).get("tags") or {})}

    def _keep(self, urn: str, given: Outputs, added: Outputs, tags: Mapping[str, str]) -> Outputs:
        """Note what is there now, and return it as outputs: a secret input stays one."""
        outputs = {**given, **{name: value for name, value in added.items() if name != "id"}}
        if tags:
            outputs["tagsAll"] = dict(tags)
        token, name = urn.split("::")[-2].rpartition("$")[2], urn.rpartition("::")[2]
        known = {**reveal(outputs), "id": added["id"]}
        self._record.made[urn] = Made(token, name, reveal(given), known, tags)
        return outputs


def _kind(urn: str) -> Kind:
    """Return how a resource's type is carried out. Raises NotCarriedError for a type that nothing carries out."""
    token = urn.split("::")[-2].rpartition("$")[2]
    if token not in KINDS:
        raise NotCarriedError(f"nothing carries out {token}.")
    return KINDS[token]


def _other_names(before: Any, after: Any) -> dict[str, str]:
    """Return what outputs say otherwise the second time, from old to new."""
    if isinstance(before, str) and isinstance(after, str):
        return {before: after} if before != after else {}
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = [(before[key], after[key]) for key in before.keys() & after.keys() if key[:2] != "__"]
    elif isinstance(before, list) and isinstance(after, list):
        pairs = list(zip(before, after, strict=False))
    else:
        return {}
    return {old: new for pair in pairs for old, new in _other_names(*pair).items()}


def _called(value: Any, called: Mapping[str, str]) -> Any:
    """Return inputs with what is called otherwise now, the longest names first."""
    if isinstance(value, dict):
        return {key: _called(item, called) for key, item in value.items()}
    if isinstance(value, list):
        return [_called(item, called) for item in value]
    if not isinstance(value, str):
        return value
    for old in sorted(called, key=len, reverse=True):
        value = value.replace(old, called[old])
    return value
