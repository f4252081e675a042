"""A Pulumi program with every type of resource that an endpoint on AWS needs: what the tests of the carrying out run.

Run by the embedded engine as a project's program: everything is at the top level, as users write it.
"""

import json

import pulumi
import pulumi_aws as aws

config = pulumi.Config()
provider = aws.Provider(
    "aws", region="eu-west-1", default_tags={"tags": {"lastmile:deployment": "churn", "team": "risk"}}
)
made = pulumi.ResourceOptions(provider=provider)
account = aws.get_caller_identity(opts=pulumi.InvokeOptions(provider=provider)).account_id

bucket = aws.s3.Bucket("data", force_destroy=True, opts=made)
aws.s3.BucketVersioning(
    "data", bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}, opts=made
)
aws.s3.BucketServerSideEncryptionConfiguration(
    "data",
    bucket=bucket.bucket,
    rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
    opts=made,
)
aws.s3.BucketPublicAccessBlock(
    "data",
    bucket=bucket.bucket,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
    opts=made,
)
aws.s3.BucketOwnershipControls(
    "data", bucket=bucket.bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=made
)
aws.s3.BucketLifecycleConfiguration(
    "data",
    bucket=bucket.bucket,
    rules=[
        {
            "id": "results",
            "status": "Enabled",
            "filter": {"prefix": "results/"},
            "expiration": {"days": 30},
            "noncurrent_version_expiration": {"noncurrent_days": 7},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
        }
    ],
    opts=made,
)
aws.s3.BucketPolicy(
    "data",
    bucket=bucket.bucket,
    policy=bucket.arn.apply(
        lambda arn: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": [arn, f"{arn}/*"],
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    }
                ],
            }
        )
    ),
    opts=made,
)
aws.s3.BucketObjectv2(
    "routing",
    bucket=bucket.bucket,
    key="routing/routing.json",
    content='{"champion": "v1"}',
    content_type="application/json",
    opts=pulumi.ResourceOptions(provider=provider, ignore_changes=["content"]),
)
secret = aws.secretsmanager.Secret("key", recovery_window_in_days=0, opts=made)
aws.secretsmanager.SecretVersion(
    "key", secret_id=secret.id, secret_string=config.require_secret("key"), opts=made
)
logs = aws.cloudwatch.LogGroup("predict", name="/aws/lambda/churn", retention_in_days=14, opts=made)
role = aws.iam.Role(
    "predict",
    assume_role_policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    ),
    opts=made,
)
aws.iam.RolePolicy(
    "predict",
    role=role.name,
    policy=pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                    "Resource": pulumi.Output.concat(logs.arn, ":*"),
                },
                {
                    "Effect": "Allow",
                    "Action": "s3:GetObject",
                    "Resource": pulumi.Output.concat(bucket.arn, "/routing/routing.json"),
                },
                {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret.arn},
            ],
        }
    ),
    opts=made,
)
predict = aws.lambda_.Function(
    "predict",
    role=role.arn,
    package_type="Zip",
    runtime="python3.13",
    handler="lastmile_runtime.adapters.aws.handler",
    code=pulumi.FileArchive("bundle.zip"),
    architectures=["arm64"],
    memory_size=config.require_int("memory"),
    timeout=30,
    ephemeral_storage={"size": 512},
    environment={
        "variables": {"LASTMILE_SECRETS": secret.arn, "LASTMILE_ROUTING_URL": "s3://b/routing.json"}
    },
    logging_config={"log_format": "JSON", "log_group": logs.name},
    snap_start={"apply_on": "PublishedVersions"},
    publish=True,
    opts=made,
)
live = aws.lambda_.Alias(
    "live", name="live", function_name=predict.name, function_version=predict.version, opts=made
)
api = aws.apigatewayv2.Api(
    "churn",
    protocol_type="HTTP",
    disable_execute_api_endpoint=True,
    cors_configuration={
        "allow_origins": ["https://app.example.com"],
        "allow_methods": ["POST"],
        "max_age": 600,
    },
    opts=made,
)
integration = aws.apigatewayv2.Integration(
    "predict",
    api_id=api.id,
    integration_type="AWS_PROXY",
    integration_uri=live.invoke_arn,
    payload_format_version="2.0",
    timeout_milliseconds=30000,
    opts=made,
)
authorizer = aws.apigatewayv2.Authorizer(
    "jwt",
    api_id=api.id,
    authorizer_type="JWT",
    identity_sources=["$request.header.Authorization"],
    jwt_configuration={"issuer": "https://issuer.example.com", "audiences": ["churn"]},
    opts=made,
)
route = aws.apigatewayv2.Route(
    "predict",
    api_id=api.id,
    route_key="ANY /{proxy+}",
    target=pulumi.Output.concat("integrations/", integration.id),
    authorization_type="JWT",
    authorizer_id=authorizer.id,
    opts=made,
)
stage = aws.apigatewayv2.Stage(
    "default",
    api_id=api.id,
    name="$default",
    auto_deploy=True,
    access_log_settings={"destination_arn": logs.arn, "format": "$context.requestId"},
    default_route_settings={"throttling_burst_limit": 20, "throttling_rate_limit": 10},
    opts=made,
)
aws.lambda_.Permission(
    "gateway",
    action="lambda:InvokeFunction",
    function=predict.name,
    qualifier=live.name,
    principal="apigateway.amazonaws.com",
    source_arn=pulumi.Output.concat(api.execution_arn, "/*/*"),
    opts=made,
)
certificate = aws.acm.Certificate(
    "churn", domain_name="churn.example.com", validation_method="DNS", opts=made
)
option = certificate.domain_validation_options[0]
record = aws.route53.Record(
    "validation",
    zone_id=config.require("zone"),
    name=option.resource_record_name,
    type=option.resource_record_type,
    records=[option.resource_record_value],
    ttl=300,
    allow_overwrite=True,
    opts=made,
)
validated = aws.acm.CertificateValidation(
    "churn", certificate_arn=certificate.arn, validation_record_fqdns=[record.fqdn], opts=made
)
domain = aws.apigatewayv2.DomainName(
    "churn",
    domain_name="churn.example.com",
    domain_name_configuration={
        "certificate_arn": validated.certificate_arn,
        "endpoint_type": "REGIONAL",
        "security_policy": "TLS_1_2",
    },
    opts=made,
)
aws.apigatewayv2.ApiMapping("churn", api_id=api.id, domain_name=domain.domain_name, stage=stage.id, opts=made)
aws.route53.Record(
    "churn",
    zone_id=config.require("zone"),
    name="churn.example.com",
    type="A",
    aliases=[
        {
            "name": domain.domain_name_configuration.target_domain_name,
            "zone_id": domain.domain_name_configuration.hosted_zone_id,
            "evaluate_target_health": False,
        }
    ],
    opts=made,
)
aws.ecr.Repository(
    "images",
    image_tag_mutability="IMMUTABLE",
    image_scanning_configuration={"scan_on_push": True},
    force_delete=True,
    opts=made,
)
pulumi.export("url", pulumi.Output.concat(api.api_endpoint, "/"))
pulumi.export("role", role.name)
pulumi.export("account", account)
