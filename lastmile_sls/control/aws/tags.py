"""What tags AWS says that resources have: each service is asked for its own.

The index of all tags (Resource Groups Tagging API) would answer for a hundred at once, but has not every type, nothing that
never had a tag, and still has what was deleted (docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/
API_GetResources.html, unverified). So it is asked only for types that a deployment of ours does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.aws.client import Aws
from lastmile_sls.control.refusals import UntoldError
from lastmile_sls.control.tags import Tell, seen
from lastmile_sls.errors import LastmileError
from lastmile_sls.tags.document import Deployed, Seen

_NONE = "NoSuchTagSet"
"""What S3 answers for a bucket without tags."""


Arguments = Callable[[Deployed], dict[str, str]]


@dataclass(frozen=True)
class _Own:
    """How a service tells a resource's tags (botocore's models)."""

    service: str
    operation: str
    arguments: Arguments
    answer: str = "Tags"


def _by_arn(name: str) -> Arguments:
    return lambda resource: {name: resource.arn}


def _by_id(name: str) -> Arguments:
    return lambda resource: {name: resource.id}


def _stage(resource: Deployed) -> dict[str, str]:
    """Return the arguments for a stage, `arn:aws:apigateway:REGION::/apis/ID/stages/NAME`."""
    _, _, path = resource.arn.partition("/apis/")
    api, _, name = path.partition("/stages/")
    return {"ApiId": api, "StageName": name}


def _object(resource: Deployed) -> dict[str, str]:
    """Return the arguments for an object, `arn:aws:s3:::BUCKET/KEY`."""
    bucket, _, key = resource.arn.rpartition(":::")[2].partition("/")
    return {"Bucket": bucket, "Key": key}


_OWN: Mapping[str, _Own] = {
    "aws:acm/certificate:Certificate": _Own("acm", "list_tags_for_certificate", _by_arn("CertificateArn")),
    "aws:apigatewayv2/api:Api": _Own("apigatewayv2", "get_api", _by_id("ApiId")),
    "aws:apigatewayv2/domainName:DomainName": _Own("apigatewayv2", "get_domain_name", _by_id("DomainName")),
    "aws:apigatewayv2/stage:Stage": _Own("apigatewayv2", "get_stage", _stage),
    "aws:budgets/budget:Budget": _Own(
        "budgets", "list_tags_for_resource", _by_arn("ResourceARN"), "ResourceTags"
    ),
    "aws:cloudwatch/logGroup:LogGroup": _Own(
        "logs", "list_tags_for_resource", _by_arn("resourceArn"), "tags"
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _Own(
        "cloudwatch", "list_tags_for_resource", _by_arn("ResourceARN")
    ),
    "aws:ecr/repository:Repository": _Own("ecr", "list_tags_for_resource", _by_arn("resourceArn"), "tags"),
    "aws:iam/role:Role": _Own("iam", "list_role_tags", _by_id("RoleName")),
    "aws:kms/key:Key": _Own("kms", "list_resource_tags", _by_arn("KeyId")),
    "aws:lambda/eventSourceMapping:EventSourceMapping": _Own("lambda", "list_tags", _by_arn("Resource")),
    "aws:lambda/function:Function": _Own("lambda", "list_tags", _by_arn("Resource")),
    "aws:s3/bucket:Bucket": _Own("s3", "get_bucket_tagging", _by_id("Bucket"), "TagSet"),
    "aws:s3/bucketObjectv2:BucketObjectv2": _Own("s3", "get_object_tagging", _object, "TagSet"),
    "aws:scheduler/scheduleGroup:ScheduleGroup": _Own(
        "scheduler", "list_tags_for_resource", _by_arn("ResourceArn")
    ),
    "aws:secretsmanager/secret:Secret": _Own("secretsmanager", "describe_secret", _by_arn("SecretId")),
    "aws:sns/topic:Topic": _Own("sns", "list_tags_for_resource", _by_arn("ResourceArn")),
    "aws:sqs/queue:Queue": _Own("sqs", "list_queue_tags", _by_id("QueueUrl")),
}
"""By type, each that a deployment of ours may have."""
TYPES = frozenset(_OWN)


class Tags:
    """The tags of a deployment on AWS."""

    def __init__(self, stack: CloudStack) -> None:
        """Raises LastmileError when boto3 is not installed."""
        self._aws = Aws(stack)

    def look(self, resources: Sequence[Deployed], wanted: Mapping[str, str], tell: Tell) -> Iterator[Seen]:
        """Yield what AWS says of each resource. Raises LastmileError, also for another account's credentials."""
        self._require_account()
        for resource in resources:
            tell(f"asking for the tags of {resource}")
            yield seen(resource, partial(self._ask, resource))

    def notes(self, wanted: Mapping[str, str]) -> list[str]:
        """Return which of the keys the bill does not have, because nobody activated them for it."""
        try:
            found = self._activated(list(wanted))
        except UntoldError as error:
            said = error.message.rstrip(".")
            return [
                f"whether the bill has these tags was not looked at; the account that pays says it: {said}"
            ]
        off = [key for key in wanted if found.get(key) != "Active"]
        if not off:
            return []
        kind = "no active cost allocation tag" if len(off) == 1 else "no active cost allocation tags"
        activate = f"lastmile bootstrap --target aws --account {self._aws.account or 'ID'} --activate-tags"
        return [f"the bill does not have {_listed(off)}: {kind} of this account. Activate: {activate}"]

    def _require_account(self) -> None:
        """Raise LastmileError for credentials of another account, where all would seem gone."""
        with self._aws.asking("the account"):
            found = str(self._aws.client("sts").get_caller_identity()["Account"])
        if self._aws.account not in (None, found):
            raise self._aws.asked.missing("the stack", "", found)

    def _ask(self, resource: Deployed) -> Seen:
        """Return what a resource's own service says. Raises MissingError, UntoldError and LastmileError."""
        from botocore.exceptions import ClientError

        own = _OWN.get(resource.type)
        if own is None:
            return self._index(resource)
        with self._aws.asking(f"the tags of {resource}"):
            try:
                answer = getattr(self._aws.client(own.service), own.operation)(**own.arguments(resource))
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") != _NONE:
                    raise
                answer = {}
        if when := answer.get("DeletedDate"):
            return Seen(resource, "gone", why=f"{resource} is to be deleted on {when:%Y-%m-%d}.")
        return Seen(resource, "there", _tags(answer.get(own.answer)))

    def _index(self, resource: Deployed) -> Seen:
        """Return what the index of tags has of a resource. Raises UntoldError for what it does not have."""
        found: list[Any] = []
        if resource.arn:
            with self._aws.asking(f"the tags of {resource}"):
                client = self._aws.client("resourcegroupstaggingapi")
                found = client.get_resources(ResourceARNList=[resource.arn])["ResourceTagMappingList"]
        if not found:
            raise UntoldError(f"AWS's index of tags does not have {resource}: it never had one, or is gone.")
        return Seen(resource, "there", _tags(found[0].get("Tags")))

    def _activated(self, keys: Sequence[str]) -> dict[str, str]:
        """Return whether the bill tells keys apart, `Active` or `Inactive`; a key that no bill has seen is not in it."""
        with self._aws.asking("the cost allocation tags"):
            answer = self._aws.client("ce").list_cost_allocation_tags(TagKeys=list(keys), MaxResults=100)
        return {tag["TagKey"]: tag["Status"] for tag in answer["CostAllocationTags"]}


def _tags(found: Any) -> dict[str, str]:
    """Return tags that are a map, or a list of keys and values in any of AWS's spellings. Raises LastmileError."""
    if isinstance(found, Mapping):
        return {str(key): str(value) for key, value in found.items()}
    tags = {}
    for entry in found or ():
        plain = {name.lower().removeprefix("tag"): str(value) for name, value in entry.items()}
        if "key" not in plain:
            raise LastmileError(f"AWS told a tag as {entry!r}, which has no key.")
        tags[plain["key"]] = plain.get("value", "")
    return tags


def _listed(keys: Sequence[str]) -> str:
    return keys[0] if len(keys) == 1 else f"{', '.join(keys[:-1])} and {keys[-1]}"
