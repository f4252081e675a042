"""Stands in for a cloud's provider in previews: no account, no network, no plugin.

It takes every input as it comes and knows no computed output. What the cloud's own provider would say (an input out
of range, a change that needs a replacement) it cannot say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from pulumi.runtime.proto import provider_pb2 as wire
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from lastmile_sls.engine.embedded.refusal import refusal
from lastmile_sls.engine.interface import EngineError
from lastmile_sls.engine.properties import Properties, comparable, from_struct, reveal, to_struct

CLOUD_PACKAGES = ("aws", "gcp", "azure-native")

_ACCOUNT = "000000000000"
_NOBODY = "00000000-0000-0000-0000-000000000000"
_REGION = "us-east-1"
# How a region's name begins, its partition, and the partition's domain (botocore/data/partitions.json, botocore
# 1.44, 2026-11-29); every other region is of the partition aws.
_PARTITIONS = (
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("", "aws", "amazonaws.com"),
)


class OfflineProvider(ResourceProviderServicer):
    """Previews the resources of one cloud's package; refuses to make, change or delete any."""

    def __init__(self, package: str) -> None:
        """Stand in for the package's provider, `aws` for `aws:s3/bucket:Bucket`."""
        self._package = package
        self._config: Properties = {}

    def Handshake(self, request: Any, context: Any) -> wire.ProviderHandshakeResponse:
        """Say which of the protocol's features we speak."""
        return wire.ProviderHandshakeResponse(accept_secrets=True)

    def Configure(self, request: Any, context: Any) -> wire.ConfigureResponse:
        """Note the configuration: functions answer with its region, project or subscription."""
        self._config = reveal(from_struct(request.args))
        return wire.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> wire.CheckResponse:
        """Accept the inputs as they are."""
        return wire.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> wire.DiffResponse:
        """Compare inputs; which changes the cloud makes by replacement only its own provider knows."""
        old, new = comparable(from_struct(request.old_inputs)), comparable(from_struct(request.news))
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        some, none = wire.DiffResponse.DIFF_SOME, wire.DiffResponse.DIFF_NONE
        return wire.DiffResponse(changes=some if changed else none, diffs=changed)

    def Create(self, request: Any, context: Any) -> wire.CreateResponse:
        """Return the inputs for a preview; every computed output stays unknown."""
        if not request.preview:
            raise self._never("create", request)
        return wire.CreateResponse(properties=self._known(request.properties))

    def Update(self, request: Any, context: Any) -> wire.UpdateResponse:
        """Return the inputs for a preview; every computed output stays unknown."""
        if not request.preview:
            raise self._never("update", request)
        return wire.UpdateResponse(properties=self._known(request.news))

    def _known(self, inputs: Any) -> Any:
        """Return what an output will be: its input, but of azure-native only plain values, for others change their form."""
        if self._package != "azure-native":
            return inputs
        known = from_struct(inputs)
        return to_struct(
            {name: value for name, value in known.items() if not isinstance(value, (dict, list))}
        )

    def Delete(self, request: Any, context: Any) -> NoReturn:
        """Refuse: a preview deletes nothing."""
        raise self._never("delete", request)

    def Invoke(self, request: Any, context: Any) -> wire.InvokeResponse:
        """Answer the functions that tell who and where with placeholders. Raises EngineError for any other."""
        answer = _FUNCTIONS.get(request.tok)
        if answer is None:
            raise refusal(f"the function {request.tok}")
        if not request.preview:
            raise _previews_only(f"the function {request.tok} has no true answer")
        response = wire.InvokeResponse()
        # The field is called `return`, which Python keeps for itself.
        getattr(response, "return").update(answer(self._config, from_struct(request.args)))
        return response

    def _never(self, verb: str, request: Any) -> EngineError:
        name = request.urn.rsplit("::", 1)[-1]
        return _previews_only(f"{request.type} {name} is not {verb}d")


def _previews_only(what: str) -> EngineError:
    from lastmile_sls.engine.pulumi_cli.command import HOW_TO_INSTALL

    return EngineError(
        f"{what}: the embedded engine previews what runs in a cloud and never deploys it.",
        "Deploy with the Pulumi CLI: lastmile up --engine pulumi\n" + HOW_TO_INSTALL,
    )


def _caller_identity(config: Properties, arguments: Properties) -> Properties:
    """Return the account of twelve zeros, which AWS gives to nobody."""
    arn = f"arn:{_partition(config, arguments)['partition']}:iam::{_ACCOUNT}:root"
    return {"accountId": _ACCOUNT, "arn": arn, "id": _ACCOUNT, "userId": _ACCOUNT}


def _region(config: Properties, arguments: Properties) -> Properties:
    """Return the region asked for or configured; without one, us-east-1."""
    region = arguments.get("region") or config.get("region") or _REGION
    domain = next(domain for prefix, _, domain in _PARTITIONS if region.startswith(prefix))
    return {
        "region": region,
        "name": region,
        "id": region,
        "description": region,
        "endpoint": f"ec2.{region}.{domain}",
    }


def _partition(config: Properties, arguments: Properties) -> Properties:
    """Return the partition of the region configured; without one, of us-east-1."""
    region = config.get("region") or _REGION
    partition, domain = next(
        (name, domain) for prefix, name, domain in _PARTITIONS if region.startswith(prefix)
    )
    return {
        "partition": partition,
        "id": partition,
        "dnsSuffix": domain,
        "reverseDnsPrefix": ".".join(reversed(domain.split("."))),
    }


def _client_config(config: Properties, arguments: Properties) -> Properties:
    """Return the subscription and tenant configured, and ids of zeros for what is not."""
    keys = ("clientId", "objectId", "subscriptionId", "tenantId")
    return {key: config.get(key) or _NOBODY for key in keys}


def _project(config: Properties, arguments: Properties) -> Properties:
    """Return the project asked for or configured (`project` without one), with the number 0."""
    project = arguments.get("projectId") or config.get("project") or "project"
    return {
        "projectId": project,
        "name": project,
        "id": f"projects/{project}",
        "number": "0",
        "orgId": "",
        "folderId": "",
        "billingAccount": "",
        "autoCreateNetwork": False,
        "deletionPolicy": "",
        "labels": {},
        "effectiveLabels": {},
        "pulumiLabels": {},
        "tags": {},
    }


# What a function is given: the provider's configuration and its own arguments.
_FUNCTIONS: Mapping[str, Callable[[Properties, Properties], Properties]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
    "azure-native:authorization:getClientConfig": _client_config,
    "gcp:organizations/getProject:getProject": _project,
}
