"""The deployment's tags on everything that takes any, and for what takes none the thing that its charges land on.

An object in S3 takes at most ten tags and may have the fixed ones alone (`lastmile_infra.aws.tags`). No example has one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lastmile_sls.plan.document import Target
from tests.clouds import sdk_types
from tests.clouds.wire import Record, unwrap
from tests.examples.conftest import Lived
from tests.examples.projects import CLOUDS, EXAMPLES

TAGS: dict[str, tuple[str, ...]] = {
    "aws": ("tags",),
    "gcp": ("userLabels", "labels"),
    "azure-native": ("tags",),
}
"""By package: the inputs that costs are told apart by. The `tags` of Google Cloud are another thing, for policies, and
where there are `userLabels`, its `labels` are too."""
FREE = "nothing: it costs nothing itself"
UNTAGGED: dict[str, str] = {
    # AWS
    "aws:apigatewayv2/apiMapping:ApiMapping": "aws:apigatewayv2/api:Api",
    "aws:apigatewayv2/authorizer:Authorizer": "aws:apigatewayv2/api:Api",
    "aws:apigatewayv2/integration:Integration": "aws:apigatewayv2/api:Api",
    "aws:apigatewayv2/route:Route": "aws:apigatewayv2/api:Api",
    "aws:acm/certificateValidation:CertificateValidation": FREE,
    "aws:ecr/repositoryPolicy:RepositoryPolicy": FREE,
    "aws:iam/rolePolicy:RolePolicy": FREE,
    "aws:lambda/alias:Alias": "aws:lambda/function:Function",
    "aws:lambda/functionUrl:FunctionUrl": "aws:lambda/function:Function",
    "aws:lambda/permission:Permission": FREE,
    "aws:route53/record:Record": "aws:route53/zone:Zone",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "aws:s3/bucket:Bucket",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": FREE,
    "aws:s3/bucketPolicy:BucketPolicy": FREE,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": FREE,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "aws:s3/bucket:Bucket"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": "aws:s3/bucket:Bucket",
    "aws:cloudwatch/dashboard:Dashboard": "the account: CloudWatch tells dashboards apart by no tag",
    "aws:scheduler/schedule:Schedule": "aws:scheduler/scheduleGroup:ScheduleGroup",
    "aws:sns/topicPolicy:TopicPolicy": FREE,
    "aws:sns/topicSubscription:TopicSubscription": "aws:sns/topic:Topic",
    "aws:sqs/queuePolicy:QueuePolicy": FREE,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": FREE,
    "aws:secretsmanager/secretVersion:SecretVersion": "aws:secretsmanager/secret:Secret",
    # Google Cloud
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": FREE,
    "gcp:compute/backendService:BackendService": "gcp:compute/globalForwardingRule:GlobalForwardingRule",
    "gcp:compute/managedSslCertificate:ManagedSslCertificate": (
        "gcp:compute/globalForwardingRule:GlobalForwardingRule"
    ),
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": (
        "gcp:compute/globalForwardingRule:GlobalForwardingRule"
    ),
    "gcp:compute/sSLPolicy:SSLPolicy": FREE,
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy": "gcp:compute/globalForwardingRule:GlobalForwardingRule",
    "gcp:compute/uRLMap:URLMap": "gcp:compute/globalForwardingRule:GlobalForwardingRule",
    "gcp:billing/budget:Budget": FREE,
    "gcp:cloudscheduler/job:Job": "the project: Cloud Scheduler's jobs have no labels",
    "gcp:logging/metric:Metric": "the project: metrics that are made of the log have no labels",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": "the project: log buckets have no labels",
    "gcp:logging/projectExclusion:ProjectExclusion": FREE,
    "gcp:logging/projectSink:ProjectSink": FREE,
    "gcp:monitoring/dashboard:Dashboard": FREE,
    "gcp:projects/serviceIdentity:ServiceIdentity": FREE,
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": FREE,
    "gcp:pubsub/topicIAMMember:TopicIAMMember": FREE,
    "gcp:serviceaccount/iAMMember:IAMMember": FREE,
    "gcp:dns/recordSet:RecordSet": "gcp:dns/managedZone:ManagedZone",
    "gcp:projects/service:Service": FREE,
    "gcp:secretmanager/secretVersion:SecretVersion": "gcp:secretmanager/secret:Secret",
    "gcp:serviceaccount/account:Account": FREE,
    "gcp:storage/bucketIAMMember:BucketIAMMember": FREE,
    # Azure
    "azure-native:authorization:RoleAssignment": FREE,
    "azure-native:cdn:AFDCustomDomain": "azure-native:cdn:Profile",
    "azure-native:cdn:AFDOrigin": "azure-native:cdn:Profile",
    "azure-native:cdn:AFDOriginGroup": "azure-native:cdn:Profile",
    "azure-native:cdn:Route": "azure-native:cdn:Profile",
    "azure-native:cdn:SecurityPolicy": "azure-native:cdn:Profile",
    "azure-native:dns:RecordSet": "azure-native:dns:Zone",
    "azure-native:consumption:Budget": FREE,
    "azure-native:monitor:DiagnosticSetting": FREE,
    "azure-native:operationalinsights:Table": "azure-native:operationalinsights:Workspace",
    "azure-native:storage:Queue": "azure-native:storage:StorageAccount",
    "azure-native:storage:BlobContainer": "azure-native:storage:StorageAccount",
    "azure-native:storage:BlobServiceProperties": "azure-native:storage:StorageAccount",
    "azure-native:storage:ManagementPolicy": "azure-native:storage:StorageAccount",
    "azure-native:web:WebAppScmAllowed": FREE,
    # What lastmile's own provider makes: it takes the tags of what it is put into.
    "lastmile:index:Document": "the bucket that it lies in",
    "lastmile:index:Image": "the registry that it is sent to",
    "lastmile:index:Key": FREE,
    "lastmile:index:Package": "the function app that it is put into",
    "lastmile:index:Release": FREE,
}
"""By type: what its charges are told by (each cloud's pages on tags; the SDKs' arguments, pulumi_aws 7.51, pulumi_gcp 10.2,
pulumi_azure_native 3.29). Of DNS records that is the user's zone, which was there before."""


def all_records(lived: Lived, cloud: Target) -> Iterator[tuple[dict[str, str], Record]]:
    """Yield every resource of every example, beside the tags of its plan."""
    for example in EXAMPLES:
        life = lived(example, cloud)
        for record in life.up.records:
            if not record.type.startswith(sdk_types.PROVIDER_PREFIX):
                yield life.plan["tags"], record


def tag_field(type_: str) -> str | None:
    """Return the input that takes a type's tags."""
    package = type_.partition(":")[0]
    if package == "lastmile":
        return None
    fields = sdk_types.resource_fields(type_)
    return next((name for name in TAGS[package] if name in fields), None)


OTHERS = {
    "aws:budgets/budget:Budget": "filterExpression",
    "gcp:billing/budget:Budget": "budgetFilter",
    "gcp:monitoring/notificationChannel:NotificationChannel": "labels",
}
"""By type: an input in which tags are what is asked for, or `labels` are the settings."""


def tags_within(value: Any) -> Iterator[Any]:
    """Yield every map of tags inside of an input."""
    value = unwrap(value)
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("tags", "labels", "userLabels"):
                yield item
            else:
                yield from tags_within(item)
    elif isinstance(value, list):
        for item in value:
            yield from tags_within(item)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_takes_tags_has_exactly_the_plans(lived: Lived, cloud: Target) -> None:
    taking = [
        (tags, record) for tags, record in all_records(lived, cloud) if tag_field(record.type) is not None
    ]
    assert taking
    for tags, record in taking:
        assert record.inputs.get(tag_field(record.type) or "") == tags, record.key
        inputs = {name: value for name, value in record.inputs.items() if name != OTHERS.get(record.type)}
        assert all(found == tags for found in tags_within(inputs)), record.key


def test_instances_on_cloud_run_have_them_too(lived: Lived) -> None:
    for tags, record in all_records(lived, "gcp"):
        if record.type == "gcp:cloudrunv2/service:Service":
            assert record.inputs["template"]["labels"] == tags


def test_what_takes_none_is_told_by_something_that_does(lived: Lived) -> None:
    without = {
        record.type
        for cloud in CLOUDS
        for _, record in all_records(lived, cloud)
        if tag_field(record.type) is None
    }
    assert without == set(UNTAGGED)
    for parent in {*UNTAGGED.values()} - {FREE}:
        assert " " in parent or tag_field(parent) is not None, parent
