"""AWS's models: CloudFormation's schemas as cfn-lint carries them, botocore's where CloudFormation has no such type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from tests.clouds.api_models.bootstrap import AWS_RENAMES, AWS_ROOTS
from tests.clouds.api_models.mapping import CloudModel, Place
from tests.clouds.api_models.node import Bounds, Node

_REGION = "us-east-1"
_SCALARS = frozenset({"string", "integer", "number", "boolean"})
_BOTOCORE_SCALARS = {
    "string": "string",
    "character": "string",
    "blob": "string",
    "timestamp": "string",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
}

ROOTS: dict[str, tuple[str, ...]] = {
    "aws:lambda/function:Function": ("AWS::Lambda::Function", "lambda:CreateFunction"),
    "aws:lambda/alias:Alias": ("lambda:CreateAlias", "AWS::Lambda::Alias"),
    "aws:lambda/permission:Permission": ("AWS::Lambda::Permission", "lambda:AddPermission"),
    "aws:lambda/functionUrl:FunctionUrl": ("AWS::Lambda::Url", "lambda:CreateFunctionUrlConfig"),
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": (
        "lambda:PutProvisionedConcurrencyConfig",
    ),
    "aws:apigatewayv2/api:Api": ("AWS::ApiGatewayV2::Api", "apigatewayv2:CreateApi"),
    "aws:apigatewayv2/integration:Integration": (
        "AWS::ApiGatewayV2::Integration",
        "apigatewayv2:CreateIntegration",
    ),
    "aws:apigatewayv2/route:Route": ("AWS::ApiGatewayV2::Route", "apigatewayv2:CreateRoute"),
    "aws:apigatewayv2/stage:Stage": ("AWS::ApiGatewayV2::Stage", "apigatewayv2:CreateStage"),
    "aws:apigatewayv2/authorizer:Authorizer": (
        "AWS::ApiGatewayV2::Authorizer",
        "apigatewayv2:CreateAuthorizer",
    ),
    "aws:apigatewayv2/domainName:DomainName": (
        "AWS::ApiGatewayV2::DomainName",
        "apigatewayv2:CreateDomainName",
    ),
    "aws:apigatewayv2/apiMapping:ApiMapping": (
        "AWS::ApiGatewayV2::ApiMapping",
        "apigatewayv2:CreateApiMapping",
    ),
    "aws:acm/certificate:Certificate": ("AWS::CertificateManager::Certificate", "acm:RequestCertificate"),
    "aws:acm/certificateValidation:CertificateValidation": ("acm:DescribeCertificate",),
    "aws:route53/record:Record": ("AWS::Route53::RecordSet", "route53:ChangeResourceRecordSets"),
    "aws:s3/bucket:Bucket": ("AWS::S3::Bucket", "s3:CreateBucket"),
    "aws:s3/bucketVersioning:BucketVersioning": ("AWS::S3::Bucket", "s3:PutBucketVersioning"),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "s3:PutBucketEncryption",
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ("s3:PutPublicAccessBlock",),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ("s3:PutBucketOwnershipControls",),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        "s3:PutBucketLifecycleConfiguration",
    ),
    "aws:s3/bucketPolicy:BucketPolicy": ("AWS::S3::BucketPolicy", "s3:PutBucketPolicy"),
    "aws:s3/bucketObjectv2:BucketObjectv2": ("s3:PutObject",),
    "aws:iam/role:Role": ("AWS::IAM::Role", "iam:CreateRole"),
    "aws:iam/rolePolicy:RolePolicy": ("AWS::IAM::RolePolicy", "iam:PutRolePolicy"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ("iam:AttachRolePolicy",),
    "aws:secretsmanager/secret:Secret": ("AWS::SecretsManager::Secret", "secretsmanager:CreateSecret"),
    "aws:secretsmanager/secretVersion:SecretVersion": ("secretsmanager:PutSecretValue",),
    "aws:cloudwatch/logGroup:LogGroup": ("AWS::Logs::LogGroup", "logs:CreateLogGroup"),
    "aws:ecr/repository:Repository": ("AWS::ECR::Repository", "ecr:CreateRepository"),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": ("AWS::ECR::Repository", "ecr:PutLifecyclePolicy"),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": ("AWS::ECR::Repository", "ecr:SetRepositoryPolicy"),
    "aws:sqs/queue:Queue": ("AWS::SQS::Queue", "sqs:CreateQueue"),
    "aws:sqs/queuePolicy:QueuePolicy": ("AWS::SQS::QueuePolicy", "sqs:SetQueueAttributes"),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": ("AWS::SQS::Queue", "sqs:SetQueueAttributes"),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (
        "AWS::Lambda::EventSourceMapping",
        "lambda:CreateEventSourceMapping",
    ),
    "aws:scheduler/schedule:Schedule": ("AWS::Scheduler::Schedule", "scheduler:CreateSchedule"),
    "aws:scheduler/scheduleGroup:ScheduleGroup": (
        "AWS::Scheduler::ScheduleGroup",
        "scheduler:CreateScheduleGroup",
    ),
    "aws:kms/key:Key": ("AWS::KMS::Key", "kms:CreateKey"),
    "aws:sns/topic:Topic": ("AWS::SNS::Topic", "sns:CreateTopic"),
    "aws:sns/topicPolicy:TopicPolicy": ("AWS::SNS::TopicPolicy", "sns:SetTopicAttributes"),
    "aws:sns/topicSubscription:TopicSubscription": ("AWS::SNS::Subscription", "sns:Subscribe"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("AWS::CloudWatch::Alarm", "cloudwatch:PutMetricAlarm"),
    "aws:cloudwatch/dashboard:Dashboard": ("AWS::CloudWatch::Dashboard", "cloudwatch:PutDashboard"),
    "aws:budgets/budget:Budget": ("budgets:CreateBudget",),
}

_BLOCK = "s3:PutPublicAccessBlock#PublicAccessBlockConfiguration"
_ALARM, _BUDGET = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:budgets/budget:Budget"

RENAMES: dict[Place, str] = {
    ("aws:lambda/function:Function", "name"): "FunctionName",
    ("aws:lambda/function:Function", "s3Bucket"): "#Code.S3Bucket",
    ("aws:lambda/function:Function", "s3Key"): "#Code.S3Key",
    ("aws:lambda/function:Function", "s3ObjectVersion"): "#Code.S3ObjectVersion",
    ("aws:lambda/function:Function", "imageUri"): "#Code.ImageUri",
    ("aws:lambda/function:Function", "sourceKmsKeyArn"): "#Code.SourceKMSKeyArn",
    ("aws:lambda/function:Function", "codeSha256"): "lambda:PublishVersion#CodeSha256",
    ("aws:lambda/function:Function", "sourceCodeHash"): "lambda:PublishVersion#CodeSha256",
    ("aws:lambda/permission:Permission", "function"): "FunctionName",
    ("aws:lambda/functionUrl:FunctionUrl", "authorizationType"): "AuthType",
    ("aws:apigatewayv2/integration:Integration", "timeoutMilliseconds"): "TimeoutInMillis",
    ("aws:apigatewayv2/stage:Stage", "name"): "StageName",
    ("aws:acm/certificateValidation:CertificateValidation", "validationRecordFqdns"): (
        "AWS::Route53::RecordSet#Name"
    ),
    ("aws:acm/certificate:Certificate", "validationOptions"): "DomainValidationOptions",
    ("aws:route53/record:Record", "aliases"): "AliasTarget",
    ("aws:route53/record:Record", "aliases.name"): "DNSName",
    ("aws:route53/record:Record", "aliases.zoneId"): "HostedZoneId",
    ("aws:route53/record:Record", "records"): "ResourceRecords",
    ("aws:route53/record:Record", "zoneId"): "HostedZoneId",
    ("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", "rules"): (
        "#ServerSideEncryptionConfiguration.Rules"
    ),
    ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "blockPublicAcls"): (
        f"{_BLOCK}.BlockPublicAcls"
    ),
    ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "blockPublicPolicy"): (
        f"{_BLOCK}.BlockPublicPolicy"
    ),
    ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "ignorePublicAcls"): (
        f"{_BLOCK}.IgnorePublicAcls"
    ),
    ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "restrictPublicBuckets"): (
        f"{_BLOCK}.RestrictPublicBuckets"
    ),
    ("aws:s3/bucketOwnershipControls:BucketOwnershipControls", "rule"): "#OwnershipControls.Rules",
    ("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "rules"): (
        "#LifecycleConfiguration.Rules"
    ),
    ("aws:s3/bucketPolicy:BucketPolicy", "policy"): "PolicyDocument",
    ("aws:s3/bucketObjectv2:BucketObjectv2", "content"): "Body",
    ("aws:s3/bucketObjectv2:BucketObjectv2", "source"): "Body",
    ("aws:s3/bucketObjectv2:BucketObjectv2", "tags"): "s3:PutObjectTagging#Tagging.TagSet",
    ("aws:s3/bucketObjectv2:BucketObjectv2", "kmsKeyId"): "SSEKMSKeyId",
    ("aws:iam/role:Role", "name"): "RoleName",
    ("aws:iam/role:Role", "assumeRolePolicy"): "AssumeRolePolicyDocument",
    ("aws:iam/rolePolicy:RolePolicy", "name"): "PolicyName",
    ("aws:iam/rolePolicy:RolePolicy", "policy"): "PolicyDocument",
    ("aws:iam/rolePolicy:RolePolicy", "role"): "RoleName",
    ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "role"): "RoleName",
    ("aws:secretsmanager/secretVersion:SecretVersion", "secretStringWo"): "SecretString",
    ("aws:secretsmanager/secret:Secret", "recoveryWindowInDays"): (
        "secretsmanager:DeleteSecret#RecoveryWindowInDays"
    ),
    ("aws:cloudwatch/logGroup:LogGroup", "name"): "LogGroupName",
    ("aws:ecr/repository:Repository", "name"): "RepositoryName",
    ("aws:ecr/repository:Repository", "forceDelete"): "ecr:DeleteRepository#force",
    ("aws:ecr/lifecyclePolicy:LifecyclePolicy", "repository"): "RepositoryName",
    ("aws:ecr/lifecyclePolicy:LifecyclePolicy", "policy"): "#LifecyclePolicy.LifecyclePolicyText",
    ("aws:ecr/repositoryPolicy:RepositoryPolicy", "repository"): "RepositoryName",
    ("aws:ecr/repositoryPolicy:RepositoryPolicy", "policy"): "RepositoryPolicyText",
    ("aws:sqs/queue:Queue", "name"): "QueueName",
    ("aws:sqs/queue:Queue", "messageRetentionSeconds"): "MessageRetentionPeriod",
    ("aws:sqs/queue:Queue", "visibilityTimeoutSeconds"): "VisibilityTimeout",
    ("aws:sqs/queuePolicy:QueuePolicy", "policy"): "PolicyDocument",
    ("aws:kms/key:Key", "policy"): "KeyPolicy",
    ("aws:kms/key:Key", "deletionWindowInDays"): "PendingWindowInDays",
    ("aws:sns/topicPolicy:TopicPolicy", "arn"): "TopicArn",
    ("aws:sns/topicPolicy:TopicPolicy", "policy"): "PolicyDocument",
    ("aws:sns/topicSubscription:TopicSubscription", "topic"): "TopicArn",
    (_ALARM, "name"): "AlarmName",
    (_ALARM, "metricQueries"): "Metrics",
    (_ALARM, "metricQueries.metric"): "MetricStat",
    **{
        (_ALARM, f"metricQueries.metric.{name}"): f"Metric.{name[0].upper()}{name[1:]}"
        for name in ("namespace", "metricName", "dimensions")
    },
    (_BUDGET, "name"): "#Budget.BudgetName",
    (_BUDGET, "budgetType"): "#Budget.BudgetType",
    (_BUDGET, "timeUnit"): "#Budget.TimeUnit",
    (_BUDGET, "limitAmount"): "#Budget.BudgetLimit.Amount",
    (_BUDGET, "limitUnit"): "#Budget.BudgetLimit.Unit",
    (_BUDGET, "filterExpression"): "#Budget.FilterExpression",
    (_BUDGET, "metrics"): "#Budget.Metrics",
    (_BUDGET, "notifications"): "#NotificationsWithSubscribers",
    **{
        (_BUDGET, f"notifications.{name}"): f"Notification.{name[0].upper()}{name[1:]}"
        for name in ("comparisonOperator", "notificationType", "threshold", "thresholdType")
    },
    (_BUDGET, "notifications.subscriberEmailAddresses"): "Subscribers.Address",
    (_BUDGET, "tags"): "ResourceTags",
}
UNMAPPED: dict[Place, str] = {
    ("aws:route53/record:Record", "allowOverwrite"): (
        "the provider's own: whether it sends UPSERT or CREATE, so that a record that is there is no mistake"
    ),
    ("aws:secretsmanager/secretVersion:SecretVersion", "secretStringWoVersion"): (
        "the provider's own: with another number it sends the write-only value again"
    ),
    ("aws:s3/bucket:Bucket", "forceDestroy"): (
        "the provider's own: whether it empties the bucket before it deletes it"
    ),
}


@cache
def load(reference: str) -> Node:
    """Return the node of `AWS::Service::Type` or of `service:Operation`, which is what the operation is given."""
    if "::" in reference:
        schema = _schema(reference)
        return _from_schema(reference, {"type": "object", **schema}, schema)
    service, operation = reference.split(":")
    return _from_shape(reference, _service_model(service).operation_model(operation).input_shape)


def _schema(type_name: str) -> dict[str, Any]:
    """Return a resource's schema, with cfn-lint's corrections: all lie in one folder, and a region's index names them."""
    folder = resources.files("cfnlint") / "data" / "schemas"
    index = json.loads((folder / "providers" / f"{_REGION}.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = json.loads(
        (folder / "resources" / f"{index[type_name]}.json").read_text(encoding="utf-8")
    )
    return found


def _from_schema(label: str, schema: Mapping[str, Any], document: Mapping[str, Any]) -> Node:
    schema = _resolved(schema, document)
    kinds = {"list": "list", "array": "list", "object": "record"}
    listed = schema.get("type", [])
    named = frozenset(kinds.get(kind, kind) for kind in ([listed] if isinstance(listed, str) else listed))
    named = named or frozenset({"record"})
    properties = _properties(schema, document)
    item = schema.get("items") or _map_item(schema)
    return Node(
        label,
        named if properties or item or not named & {"record", "list"} else frozenset({"any"}),
        bounds=_schema_bounds(schema),
        members=lambda: {
            name: _from_schema(f"{label}.{name}", member, document) for name, member in properties.items()
        },
        item=(lambda: _from_schema(f"{label}[]", item, document)) if item else None,
        keys=Bounds(pattern=next(iter(schema.get("patternProperties", {})), None), search=True),
    )


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _properties(schema: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a record, those of its variants too."""
    found = dict(schema.get("properties", {}))
    for word in ("anyOf", "oneOf", "allOf"):
        for variant in schema.get(word, ()):
            for name, member in _properties(_resolved(variant, document), document).items():
                found.setdefault(name, member)
    return found


def _map_item(schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    patterns: dict[str, Any] = schema.get("patternProperties", {})
    extra = schema.get("additionalProperties")
    return next(iter(patterns.values()), None) or (extra if isinstance(extra, dict) else None)


def _schema_bounds(schema: Mapping[str, Any]) -> Bounds:
    return Bounds(
        enum=tuple(schema.get("enum", ())),
        pattern=schema.get("pattern"),
        search=True,
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
        min_length=schema.get("minLength"),
        max_length=schema.get("maxLength"),
    )


@cache
def _service_model(service: str) -> Any:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def _from_shape(label: str, shape: Any) -> Node:
    if shape.type_name == "structure":
        return Node(
            label,
            frozenset({"any"} if shape.is_document_type else {"record"}),
            members=lambda: {
                name: _from_shape(f"{label}.{name}", member) for name, member in shape.members.items()
            },
        )
    if shape.type_name == "list":
        return Node(label, frozenset({"list"}), item=lambda: _from_shape(f"{label}[]", shape.member))
    if shape.type_name == "map":
        keys = _shape_bounds(shape.key)
        return Node(label, frozenset({"map"}), item=lambda: _from_shape(f"{label}[]", shape.value), keys=keys)
    return Node(label, frozenset({_BOTOCORE_SCALARS[shape.type_name]}), bounds=_shape_bounds(shape))


def _shape_bounds(shape: Any) -> Bounds:
    metadata = shape.metadata
    text = _BOTOCORE_SCALARS[shape.type_name] == "string"
    low, high = metadata.get("min"), metadata.get("max")
    return Bounds(
        enum=tuple(metadata.get("enum", ())),
        pattern=metadata.get("pattern"),
        minimum=None if text else low,
        maximum=None if text else high,
        min_length=low if text else None,
        max_length=high if text else None,
    )


MODEL = CloudModel("aws", load, {**ROOTS, **AWS_ROOTS}, {**RENAMES, **AWS_RENAMES}, UNMAPPED)
