"""A program that uses each type of AWS resource that the tables know, with the arguments that matter."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

tags = {"model": "churn"}
provider = aws.Provider("here", region="eu-west-1", default_tags={"tags": {"owner": "us"}})
opts = pulumi.ResourceOptions(provider=provider)
account = aws.get_caller_identity_output(opts=pulumi.InvokeOptions(provider=provider)).account_id

bucket = aws.s3.Bucket("artifacts", bucket="artifacts-of-churn", force_destroy=True, tags=tags, opts=opts)
aws.s3.BucketVersioning(
    "versioning", bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}, opts=opts
)
aws.s3.BucketServerSideEncryptionConfiguration(
    "encryption",
    bucket=bucket.bucket,
    rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
    opts=opts,
)
aws.s3.BucketPublicAccessBlock(
    "closed",
    bucket=bucket.bucket,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
    opts=opts,
)
aws.s3.BucketOwnershipControls(
    "owned", bucket=bucket.bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=opts
)
aws.s3.BucketLifecycleConfiguration(
    "lifecycle",
    bucket=bucket.bucket,
    rules=[
        {
            "id": "old-versions",
            "status": "Enabled",
            "filter": {"prefix": "results/"},
            "expiration": {"days": 30},
            "noncurrent_version_expiration": {"noncurrent_days": 7},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
        }
    ],
    opts=opts,
)
aws.s3.BucketPolicy(
    "tls-only",
    bucket=bucket.bucket,
    policy=bucket.arn.apply(
        lambda arn: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"]}
                ],
            }
        )
    ),
    opts=opts,
)
code = aws.s3.BucketObjectv2(
    "code",
    bucket=bucket.bucket,
    key="bundles/code.txt",
    source=pulumi.FileAsset("code.txt"),
    content_type="text/plain",
    tags=tags,
    opts=opts,
)

logs = aws.cloudwatch.LogGroup("logs", retention_in_days=30, tags=tags, opts=opts)
role = aws.iam.Role(
    "role",
    assume_role_policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                }
            ],
        }
    ),
    tags=tags,
    opts=opts,
)
secret = aws.secretsmanager.Secret("key", recovery_window_in_days=7, tags=tags, opts=opts)
aws.secretsmanager.SecretVersion(
    "key-value", secret_id=secret.arn, secret_string=pulumi.Output.secret("hush-hush"), opts=opts
)
aws.iam.RolePolicy(
    "may",
    role=role.name,
    policy=pulumi.Output.all(bucket.arn, secret.arn, logs.arn).apply(
        lambda arns: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{arns[0]}/models/*"},
                    {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": arns[1]},
                    {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": f"{arns[2]}:*"},
                ],
            }
        )
    ),
    opts=opts,
)
images = aws.ecr.Repository(
    "images",
    name="churn",
    image_tag_mutability="IMMUTABLE",
    image_scanning_configuration={"scan_on_push": True},
    encryption_configurations=[{"encryption_type": "AES256"}],
    force_delete=True,
    tags=tags,
    opts=opts,
)
aws.ecr.LifecyclePolicy(
    "untagged",
    repository=images.name,
    policy=json.dumps(
        {
            "rules": [
                {
                    "rulePriority": 1,
                    "selection": {
                        "tagStatus": "untagged",
                        "countType": "sinceImagePushed",
                        "countUnit": "days",
                        "countNumber": 14,
                    },
                    "action": {"type": "expire"},
                }
            ]
        }
    ),
    opts=opts,
)

function = aws.lambda_.Function(
    "predict",
    role=role.arn,
    package_type="Zip",
    runtime="python3.13",
    handler="lastmile_runtime.handler",
    s3_bucket=bucket.bucket,
    s3_key=code.key,
    s3_object_version=code.version_id,
    source_code_hash="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    architectures=["arm64"],
    memory_size=1024,
    timeout=30,
    publish=True,
    ephemeral_storage={"size": 512},
    snap_start={"apply_on": "PublishedVersions"},
    environment={"variables": {"LASTMILE_BUCKET": bucket.bucket, "LASTMILE_SECRET": secret.arn}},
    logging_config={
        "log_format": "JSON",
        "log_group": logs.name,
        "application_log_level": "INFO",
        "system_log_level": "WARN",
    },
    tracing_config={"mode": "PassThrough"},
    reserved_concurrent_executions=10,
    tags=tags,
    opts=opts,
)
imaged = aws.lambda_.Function(
    "predict-image",
    role=role.arn,
    package_type="Image",
    image_uri=images.repository_url.apply(lambda url: f"{url}@sha256:{'0' * 64}"),
    image_config={"commands": ["lastmile_runtime.handler"]},
    memory_size=3008,
    timeout=60,
    opts=opts,
)
alias = aws.lambda_.Alias(
    "live",
    name="live",
    function_name=function.name,
    function_version=function.version,
    routing_config={"additional_version_weights": {"7": 0.1}},
    opts=opts,
)
aws.lambda_.ProvisionedConcurrencyConfig(
    "warm",
    function_name=function.name,
    qualifier=alias.name,
    provisioned_concurrent_executions=2,
    opts=opts,
)
url = aws.lambda_.FunctionUrl(
    "url",
    function_name=imaged.name,
    authorization_type="NONE",
    invoke_mode="BUFFERED",
    cors={
        "allow_origins": ["https://example.com"],
        "allow_methods": ["POST"],
        "allow_headers": ["content-type"],
        "max_age": 600,
    },
    opts=opts,
)
aws.lambda_.Permission(
    "url-open",
    action="lambda:InvokeFunctionUrl",
    function=imaged.name,
    principal="*",
    function_url_auth_type="NONE",
    opts=opts,
)
aws.lambda_.Permission(
    "url-invoke",
    action="lambda:InvokeFunction",
    function=imaged.name,
    principal="*",
    invoked_via_function_url=True,
    opts=opts,
)

api = aws.apigatewayv2.Api(
    "api",
    protocol_type="HTTP",
    cors_configuration={
        "allow_origins": ["https://example.com"],
        "allow_methods": ["GET", "POST"],
        "allow_headers": ["authorization"],
        "max_age": 600,
    },
    disable_execute_api_endpoint=True,
    tags=tags,
    opts=opts,
)
integration = aws.apigatewayv2.Integration(
    "integration",
    api_id=api.id,
    integration_type="AWS_PROXY",
    integration_uri=alias.invoke_arn,
    payload_format_version="2.0",
    timeout_milliseconds=30000,
    opts=opts,
)
authorizer = aws.apigatewayv2.Authorizer(
    "jwt",
    api_id=api.id,
    name="jwt",
    authorizer_type="JWT",
    identity_sources=["$request.header.Authorization"],
    jwt_configuration={"issuer": "https://issuer.example.com", "audiences": ["churn"]},
    opts=opts,
)
route = aws.apigatewayv2.Route(
    "everything",
    api_id=api.id,
    route_key="$default",
    target=integration.id.apply(lambda id_: f"integrations/{id_}"),
    authorization_type="JWT",
    authorizer_id=authorizer.id,
    authorization_scopes=["predict"],
    opts=opts,
)
stage = aws.apigatewayv2.Stage(
    "stage",
    api_id=api.id,
    name="$default",
    auto_deploy=True,
    access_log_settings={"destination_arn": logs.arn, "format": '{"id":"$context.requestId"}'},
    default_route_settings={"throttling_burst_limit": 20, "throttling_rate_limit": 10.5},
    tags=tags,
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[route]),
)
aws.lambda_.Permission(
    "api-invoke",
    action="lambda:InvokeFunction",
    function=function.name,
    qualifier=alias.name,
    principal="apigateway.amazonaws.com",
    source_arn=pulumi.Output.concat(api.execution_arn, "/*/*"),
    opts=opts,
)

certificate = aws.acm.Certificate(
    "certificate", domain_name="churn.example.com", validation_method="DNS", tags=tags, opts=opts
)
proof = certificate.domain_validation_options[0]
record = aws.route53.Record(
    "proof",
    zone_id="Z0123456789ABCDEFGHIJ",
    name=proof.resource_record_name,
    type=proof.resource_record_type,
    records=[proof.resource_record_value],
    ttl=300,
    opts=opts,
)
valid = aws.acm.CertificateValidation(
    "valid", certificate_arn=certificate.arn, validation_record_fqdns=[record.fqdn], opts=opts
)
domain = aws.apigatewayv2.DomainName(
    "domain",
    domain_name="churn.example.com",
    domain_name_configuration={
        "certificate_arn": valid.certificate_arn,
        "endpoint_type": "REGIONAL",
        "security_policy": "TLS_1_2",
    },
    tags=tags,
    opts=opts,
)
aws.apigatewayv2.ApiMapping("mapping", api_id=api.id, domain_name=domain.id, stage=stage.id, opts=opts)
aws.route53.Record(
    "alias",
    zone_id="Z0123456789ABCDEFGHIJ",
    name=domain.domain_name,
    type="A",
    aliases=[
        {
            "name": domain.domain_name_configuration.target_domain_name,
            "zone_id": domain.domain_name_configuration.hosted_zone_id,
            "evaluate_target_health": False,
        }
    ],
    opts=opts,
)

dead = aws.sqs.Queue(
    "dead", message_retention_seconds=1209600, sqs_managed_sse_enabled=True, tags=tags, opts=opts
)
jobs = aws.sqs.Queue(
    "jobs",
    visibility_timeout_seconds=180,
    message_retention_seconds=345600,
    redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 5}),
    sqs_managed_sse_enabled=True,
    tags=tags,
    opts=opts,
)
aws.sqs.RedriveAllowPolicy(
    "dead-redrive",
    queue_url=dead.url,
    redrive_allow_policy=pulumi.Output.json_dumps(
        {"redrivePermission": "byQueue", "sourceQueueArns": [jobs.arn]}
    ),
    opts=opts,
)
aws.sqs.QueuePolicy(
    "jobs-policy",
    queue_url=jobs.url,
    policy=jobs.arn.apply(
        lambda arn: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": arn}],
            }
        )
    ),
    opts=opts,
)
aws.lambda_.EventSourceMapping(
    "worker",
    event_source_arn=jobs.arn,
    function_name=alias.arn,
    batch_size=1,
    function_response_types=["ReportBatchItemFailures"],
    scaling_config={"maximum_concurrency": 10},
    tags=tags,
    opts=opts,
)
clocks = aws.scheduler.ScheduleGroup("clocks", name="churn-clocks", tags=tags, opts=opts)
clock = aws.scheduler.Schedule(
    "clock",
    name="churn-clock",
    group_name=clocks.name,
    schedule_expression="cron(0 6 ? * MON *)",
    schedule_expression_timezone="UTC",
    flexible_time_window={"mode": "OFF"},
    target={
        "arn": jobs.arn,
        "role_arn": role.arn,
        "input": '{"kind": "batch"}',
        "dead_letter_config": {"arn": dead.arn},
    },
    opts=opts,
)

alarms_key = aws.kms.Key(
    "alarms-key",
    description="What alarms say.",
    enable_key_rotation=True,
    deletion_window_in_days=7,
    policy=json.dumps({"Version": "2012-10-17", "Statement": []}),
    tags=tags,
    opts=opts,
)
alarms = aws.sns.Topic("alarms", kms_master_key_id=alarms_key.arn, tags=tags, opts=opts)
aws.sns.TopicPolicy(
    "alarms-policy",
    arn=alarms.arn,
    policy=json.dumps({"Version": "2012-10-17", "Statement": []}),
    opts=opts,
)
aws.sns.TopicSubscription(
    "alarms-mail", topic=alarms.arn, protocol="email", endpoint="on-call@example.com", opts=opts
)
aws.cloudwatch.MetricAlarm(
    "latency",
    name="churn-latency",
    alarm_description="One answer in twenty is late.",
    comparison_operator="GreaterThanOrEqualToThreshold",
    namespace="lastmile",
    metric_name="duration_ms",
    dimensions={"function": "churn"},
    extended_statistic="p95",
    period=300,
    evaluation_periods=1,
    threshold=250.5,
    treat_missing_data="notBreaching",
    alarm_actions=[alarms.arn],
    ok_actions=[alarms.arn],
    tags=tags,
    opts=opts,
)
aws.cloudwatch.MetricAlarm(
    "age",
    name="churn-age",
    comparison_operator="GreaterThanOrEqualToThreshold",
    namespace="AWS/SQS",
    metric_name="ApproximateAgeOfOldestMessage",
    dimensions={"QueueName": jobs.name},
    statistic="Maximum",
    period=300,
    evaluation_periods=1,
    threshold=900,
    opts=opts,
)
aws.cloudwatch.MetricAlarm(
    "errors",
    name="churn-errors",
    comparison_operator="GreaterThanOrEqualToThreshold",
    evaluation_periods=1,
    threshold=5,
    metric_queries=[
        {"id": "share", "expression": "100 * failed", "label": "%", "return_data": True},
        {
            "id": "failed",
            "metric": {
                "namespace": "lastmile",
                "metric_name": "faas.errors",
                "dimensions": {"function": "churn"},
                "stat": "Average",
                "period": 300,
            },
        },
    ],
    opts=opts,
)
dashboard = aws.cloudwatch.Dashboard(
    "dashboard", dashboard_name="churn", dashboard_body=json.dumps({"widgets": []}), opts=opts
)
aws.budgets.Budget(
    "budget",
    name="churn",
    budget_type="COST",
    time_unit="MONTHLY",
    limit_amount="50",
    limit_unit="USD",
    filter_expression={
        "ands": [
            {"tags": {"key": "model", "values": ["churn"]}},
            {"tags": {"key": "environment", "values": ["dev"]}},
        ]
    },
    metrics="UnblendedCost",
    notifications=[
        {
            "comparison_operator": "GREATER_THAN",
            "notification_type": "FORECASTED",
            "threshold": 99.5,
            "threshold_type": "PERCENTAGE",
            "subscriber_email_addresses": ["owner@example.com"],
        }
    ],
    tags=tags,
    opts=opts,
)

pulumi.export("url", api.api_endpoint)
pulumi.export("function", function.qualified_arn)
pulumi.export("open", url.function_url)
pulumi.export("account", account)
pulumi.export("queue", jobs.url)
pulumi.export("clock", clock.arn)
pulumi.export("dashboard", dashboard.dashboard_arn)
