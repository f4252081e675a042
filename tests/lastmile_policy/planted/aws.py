"""Breaks each rule on AWS once, in a resource that is named for it; all else is as it must be, or not known yet."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

tags = {"model": "churn", "environment": "prod", "cost-center": "sales-0815"}
opts = pulumi.ResourceOptions(provider=aws.Provider("here", region="eu-west-1"))


def policy(effect: str, principal: object, action: str, condition: object) -> str:
    statement = {"Effect": effect, "Principal": principal, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]})


def function(name: str, **more: object) -> aws.lambda_.Function:
    arguments: dict[str, object] = {
        "name": name,
        "role": "arn:aws:iam::123456789012:role/churn",
        "runtime": "python3.13",
        "handler": "handler.handler",
        "memory_size": 512,
        "reserved_concurrent_executions": 10,
        "logging_config": {"log_format": "JSON", "log_group": "/aws/lambda/kept"},
        "tags": tags,
        **more,
    }
    return aws.lambda_.Function(name, opts=opts, **arguments)


aws.cloudwatch.LogGroup("kept", name="/aws/lambda/kept", retention_in_days=30, tags=tags, opts=opts)
aws.cloudwatch.LogGroup("breaks-log-retention", name="/aws/lambda/for-ever", tags=tags, opts=opts)
aws.cloudwatch.LogGroup(
    "breaks-tags",
    name="/churn",
    retention_in_days=30,
    tags={"model": "churn", "environment": "test"},
    opts=opts,
)
aws.sqs.Queue("breaks-regions", region="us-east-1", redrive_allow_policy="{}", tags=tags, opts=opts)
aws.sqs.Queue(
    "breaks-encrypted", redrive_allow_policy="{}", sqs_managed_sse_enabled=False, tags=tags, opts=opts
)
dead = aws.sqs.Queue("dead", name="dead", tags=tags, opts=opts)
aws.sqs.Queue(
    "jobs",
    redrive_policy=json.dumps(
        {"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:dead", "maxReceiveCount": 5}
    ),
    tags=tags,
    opts=opts,
)
aws.sqs.Queue("breaks-dead-letters", tags=tags, opts=opts)
aws.sqs.QueuePolicy(
    "breaks-no-anonymous",
    queue_url=dead.url,
    policy=policy("Allow", "*", "sqs:SendMessage", {}),
    opts=opts,
)
aws.sqs.QueuePolicy(
    "not-known-yet",
    queue_url=dead.url,
    policy=dead.arn.apply(lambda arn: policy("Allow", {"AWS": arn}, "sqs:SendMessage", {})),
    opts=opts,
)
aws.s3.Bucket("closed", bucket="closed-bucket", tags=tags, opts=opts)
aws.s3.BucketPolicy(
    "closed-policy",
    bucket="closed-bucket",
    policy=policy("Deny", "*", "s3:*", {"Bool": {"aws:SecureTransport": "false"}}),
    opts=opts,
)
aws.s3.Bucket("breaks-buckets-tls", bucket="open-bucket", tags=tags, opts=opts)
aws.s3.BucketPublicAccessBlock(
    "breaks-private-storage",
    bucket="open-bucket",
    block_public_acls=True,
    block_public_policy=False,
    ignore_public_acls=True,
    restrict_public_buckets=True,
    opts=opts,
)
aws.sns.TopicSubscription(
    "breaks-tls",
    topic="arn:aws:sns:eu-west-1:123456789012:alarms",
    protocol="http",
    endpoint="http://example.com/alarm",
    opts=opts,
)
function("breaks-memory", memory_size=4096)
function("breaks-instances", reserved_concurrent_executions=None)
function("breaks-log-groups", logging_config=None)
asking = function("asking", environment={"variables": {"LASTMILE_AUTH": "{}"}})
aws.lambda_.FunctionUrl("asked-by-the-function", function_name="asking", authorization_type="NONE", opts=opts)
aws.lambda_.FunctionUrl("open-prod", function_name="breaks-memory", authorization_type="NONE", opts=opts)
aws.lambda_.FunctionUrl(
    "breaks-endpoint-auth", function_name="breaks-memory", authorization_type="NONE", opts=opts
)
aws.cloudwatch.MetricAlarm(
    "breaks-alarms-latency",
    name="churn-prod-latency",
    comparison_operator="GreaterThanThreshold",
    evaluation_periods=1,
    metric_name="Duration",
    namespace="AWS/Lambda",
    period=300,
    statistic="Maximum",
    threshold=1000,
    tags=tags,
    opts=opts,
)
aws.budgets.Budget(
    "breaks-budget",
    budget_type="COST",
    time_unit="MONTHLY",
    limit_amount="1000",
    limit_unit="USD",
    notifications=[
        {
            "comparison_operator": "GREATER_THAN",
            "notification_type": "ACTUAL",
            "threshold": 100,
            "threshold_type": "PERCENTAGE",
            "subscriber_email_addresses": ["finance@example.com"],
        }
    ],
    tags=tags,
    opts=opts,
)
