"""How each resource of our programs for AWS is priced, or why it costs nothing by itself."""

from __future__ import annotations

from collections.abc import Mapping

from lastmile_sls.estimate.aws import functions, gateway, operations, queue, storage
from lastmile_sls.estimate.month import CloudCosts, Formula

_PRICED: Mapping[str, Formula] = {
    "aws:apigatewayv2/api:Api": gateway.http_api,
    "aws:cloudwatch/dashboard:Dashboard": operations.dashboard,
    "aws:cloudwatch/logGroup:LogGroup": operations.log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": operations.alarm,
    "aws:ecr/repository:Repository": storage.repository,
    "aws:kms/key:Key": operations.key,
    "aws:lambda/function:Function": functions.function,
    "aws:lambda/functionUrl:FunctionUrl": gateway.function_url,
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": functions.provisioned_concurrency,
    "aws:s3/bucket:Bucket": storage.bucket,
    "aws:s3/bucketObjectv2:BucketObjectv2": storage.package,
    "aws:scheduler/schedule:Schedule": queue.schedule,
    "aws:secretsmanager/secret:Secret": operations.secret,
    "aws:sqs/queue:Queue": queue.queue,
}
_API = "Part of the HTTP API, whose requests are billed (aws.amazon.com/api-gateway/pricing, 2026-09-21)."
_BUCKET = (
    "A setting of the bucket, which is billed for what it holds (aws.amazon.com/s3/pricing, 2026-09-06)."
)
_FUNCTION = "A setting of the function, which is billed (aws.amazon.com/lambda/pricing, 2026-09-20)."
_IAM = "IAM has no charge (aws.amazon.com/iam, 2026-09-29)."
_QUEUE = "A setting of the queue, which is billed for its requests (aws.amazon.com/sqs/pricing, 2026-10-01)."
_TOPIC = "Alarms publish little: the first million requests a month are free (aws.amazon.com/sns/pricing, 2026-10-02)."
_FREE: Mapping[str, str] = {
    "aws:acm/certificate:Certificate": "Public certificates for AWS's own services are free "
    "(aws.amazon.com/certificate-manager/pricing, 2026-04-07).",
    "aws:acm/certificateValidation:CertificateValidation": "Waits for the certificate; nothing in the account.",
    "aws:apigatewayv2/apiMapping:ApiMapping": _API,
    "aws:apigatewayv2/authorizer:Authorizer": "The API checks tokens itself, at no charge of its own "
    "(aws.amazon.com/api-gateway/pricing, 2025-10-31).",
    "aws:apigatewayv2/domainName:DomainName": _API,
    "aws:apigatewayv2/integration:Integration": _API,
    "aws:apigatewayv2/route:Route": _API,
    "aws:apigatewayv2/stage:Stage": _API,
    "aws:budgets/budget:Budget": "A budget without actions is free "
    "(aws.amazon.com/aws-cost-management/aws-budgets/pricing, 2026-09-29).",
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": "A setting of the repository, which is billed for what it holds.",
    "aws:ecr/repositoryPolicy:RepositoryPolicy": "A setting of the repository, which is billed for what it holds.",
    "aws:iam/role:Role": _IAM,
    "aws:iam/rolePolicy:RolePolicy": _IAM,
    "aws:lambda/alias:Alias": _FUNCTION,
    "aws:lambda/eventSourceMapping:EventSourceMapping": "What it asks of the queue is billed with the queue.",
    "aws:lambda/permission:Permission": _FUNCTION,
    "aws:route53/record:Record": "A record costs nothing in a zone that is there; queries for an alias of AWS's own "
    "are free (aws.amazon.com/route53/pricing, 2026-04-07).",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _BUCKET,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _BUCKET,
    "aws:s3/bucketPolicy:BucketPolicy": _BUCKET,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _BUCKET,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _BUCKET,
    "aws:s3/bucketVersioning:BucketVersioning": _BUCKET,
    "aws:scheduler/scheduleGroup:ScheduleGroup": "A group is free; each time a clock strikes is billed with the schedule.",
    "aws:secretsmanager/secretVersion:SecretVersion": "Part of the secret, which is billed.",
    "aws:sns/topic:Topic": _TOPIC,
    "aws:sns/topicPolicy:TopicPolicy": "A setting of the topic.",
    "aws:sns/topicSubscription:TopicSubscription": "Mails are sent when an alarm changes: the first 1 000 a month are "
    "free, 100 000 more cost 2 USD (aws.amazon.com/sns/pricing, 2026-09-29).",
    "aws:sqs/queuePolicy:QueuePolicy": _QUEUE,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _QUEUE,
}
COSTS = CloudCosts(priced=_PRICED, free=_FREE)
