"""What an AWS account shares: buckets for Pulumi's state and for the bill, cost tags, images, a key, anomaly alerts."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from lastmile_infra.aws import resource_policies
from lastmile_infra.aws.policies import Place
from lastmile_infra.aws.scope import Scope, open_scope
from lastmile_infra.aws.storage import closed_bucket, tidy
from lastmile_infra.bootstrap.place import place_of
from lastmile_sls.bootstrap.document import AnomalyPlan, BillingPlan, BootstrapPlan, KeyPlan, RegistryPlan

__all__ = ["provision"]
_BILLING_REGION = "us-east-1"
"""Where Data Exports and Cost Explorer answer (botocore 1.44, endpoints of bcm-data-exports and ce)."""
_KEY_WINDOW_DAYS = 30
"""The longest that KMS waits before it deletes a key (docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html)."""


def provision(name: str, plan: BootstrapPlan, opts: pulumi.ResourceOptions) -> dict[str, pulumi.Input[str]]:
    """Make what the plan says; return what each part is called."""
    scope = open_scope(name, place_of(plan), plan["tags"], opts)
    billing = _billing_scope(scope, plan, opts)
    state = plan["state"]
    closed_bucket(
        scope,
        f"{name}-state",
        [tidy(state["old_versions_days"], state["incomplete_uploads_days"])],
        called=state["name"],
    )
    made: dict[str, pulumi.Input[str]] = {"state": state["url"]}
    if plan["billing"]:
        made["billing"] = _make_export(scope, billing, plan["billing"])
    tags = [_activate(billing, key) for key in plan["cost_tags"]]
    if plan["registry"]:
        made["registry"] = _make_registry(scope, plan["registry"])
    if plan["key"]:
        _make_key(scope, plan["key"])
        made["secrets_provider"] = plan["key"]["url"]
    if plan["anomalies"]:
        _make_alerts(billing, plan["anomalies"], tags)
    return made


def _billing_scope(scope: Scope, plan: BootstrapPlan, opts: pulumi.ResourceOptions) -> Scope:
    """Return where the bill's own services are; a provider that the component brings must be of that region."""
    brought = opts.parent.get_provider("aws:index/provider:Provider") if opts.parent else None
    if brought is not None or scope.region == _BILLING_REGION:
        return scope
    provider = aws.Provider(
        f"{scope.name}-aws-billing",
        region=_BILLING_REGION,
        allowed_account_ids=[plan["account"]],
        opts=opts,
    )
    here = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=provider))
    return Scope(scope.name, scope.tags, _BILLING_REGION, scope.account, here, scope.delivered)


def _activate(scope: Scope, key: str) -> pulumi.Resource:
    """Let the bill tell a tag's values apart; a key that AWS has not seen yet is refused."""
    activated: pulumi.Resource = aws.costexplorer.CostAllocationTag(
        f"{scope.name}-tag-{key}", tag_key=key, status="Active", opts=scope.options(retain_on_delete=True)
    )
    return activated


def _make_export(scope: Scope, billing: Scope, plan: BillingPlan) -> pulumi.Output[str]:
    """Make the bucket, and the daily export into it: it is checked against the bucket's policy when it is made."""
    bucket = closed_bucket(
        scope,
        f"{scope.name}-billing",
        [tidy(plan["old_versions_days"] or 0, plan["incomplete_uploads_days"] or 0)],
        called=plan["name"],
        policy=export_bucket_policy,
    )
    output = aws.bcmdata.ExportExportDestinationConfigurationS3DestinationS3OutputConfigurationArgs(
        compression="PARQUET", format="PARQUET", output_type="CUSTOM", overwrite="OVERWRITE_REPORT"
    )
    destination = aws.bcmdata.ExportExportDestinationConfigurationS3DestinationArgs(
        s3_bucket=bucket.name,
        s3_prefix=plan["prefix"] or "",
        s3_region=plan["location"],
        s3_output_configurations=[output],
    )
    query = plan["query"] or ""
    table = query.rpartition(" ")[2]
    aws.bcmdata.Export(
        f"{scope.name}-focus",
        export=aws.bcmdata.ExportExportArgs(
            name=plan["export"] or "",
            data_queries=[
                aws.bcmdata.ExportExportDataQueryArgs(
                    query_statement=query, table_configurations={table: {"TIME_GRANULARITY": "DAILY"}}
                )
            ],
            destination_configurations=[
                aws.bcmdata.ExportExportDestinationConfigurationArgs(s3_destinations=[destination])
            ],
            refresh_cadences=[aws.bcmdata.ExportExportRefreshCadenceArgs(frequency="SYNCHRONOUS")],
        ),
        tags=billing.tags,
        opts=billing.options(depends_on=[bucket.policy]),
    )
    return pulumi.Output.concat("s3://", bucket.name, "/", plan["prefix"] or "")


def export_bucket_policy(place: Place, bucket: str) -> str:
    """Return the billing bucket's policy: Data Exports may write this account's exports, and nobody goes without TLS.

    docs.aws.amazon.com/cur/latest/userguide/dataexports-s3-bucket.html (2026-11-29): to be there when an export is made,
    and to stay as it is.
    """
    exports = f"arn:{place.partition}:bcm-data-exports:{_BILLING_REGION}:{place.account}:export/*"
    write: dict[str, Any] = {
        "Sid": "EnableAWSDataExportsToWriteToS3",
        "Effect": "Allow",
        "Principal": {"Service": ["bcm-data-exports.amazonaws.com"]},
        "Action": ["s3:PutObject"],
        "Resource": f"arn:{place.partition}:s3:::{bucket}/*",
        "Condition": {"StringLike": {"aws:SourceArn": [exports], "aws:SourceAccount": place.account}},
    }
    closed = json.loads(resource_policies.bucket_policy(place, bucket))
    return json.dumps({**closed, "Statement": [write, *closed["Statement"]]})


def _make_registry(scope: Scope, plan: RegistryPlan) -> pulumi.Output[str]:
    """Make the repository of shared images, which outlives the stack with them."""
    opts = scope.options(retain_on_delete=True)
    repository = aws.ecr.Repository(
        f"{scope.name}-images",
        name=plan["name"],
        image_tag_mutability="IMMUTABLE",
        image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
        encryption_configurations=[aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="AES256")],
        tags=scope.tags,
        opts=opts,
    )
    untagged = {
        "rulePriority": 1,
        "description": "images that no tag names",
        "selection": {
            "tagStatus": "untagged",
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": plan["untagged_days"],
        },
        "action": {"type": "expire"},
    }
    aws.ecr.LifecyclePolicy(
        f"{scope.name}-images-lifecycle",
        repository=repository.name,
        policy=json.dumps({"rules": [untagged]}),
        opts=opts,
    )
    url: pulumi.Output[str] = repository.repository_url
    return url


def _make_key(scope: Scope, plan: KeyPlan) -> None:
    """Make the key that encrypts secrets in the state; the account's own policies say who uses it."""
    opts = scope.options(retain_on_delete=True)
    key = aws.kms.Key(
        f"{scope.name}-key",
        description="Encrypts the secrets in Pulumi's state.",
        deletion_window_in_days=_KEY_WINDOW_DAYS,
        enable_key_rotation=plan["rotation_days"] is not None,
        rotation_period_in_days=plan["rotation_days"],
        tags=scope.tags,
        opts=opts,
    )
    aws.kms.Alias(
        f"{scope.name}-key-alias", name=f"alias/{plan['name']}", target_key_id=key.key_id, opts=opts
    )


def _make_alerts(scope: Scope, plan: AnomalyPlan, tags: list[pulumi.Resource]) -> None:
    """Tell people by e-mail, once a day, what costs more than usual."""
    tag = {"Key": plan["tag"]["key"], "MatchOptions": None, "Values": [plan["tag"]["value"]]}
    # As AWS gives it back, with what is not said, so that it does not look changed the next time.
    nothing = dict.fromkeys(("And", "CostCategories", "Dimensions", "Not", "Or"))
    monitor = aws.costexplorer.AnomalyMonitor(
        f"{scope.name}-anomalies",
        name=plan["name"],
        monitor_type="CUSTOM",
        monitor_specification=json.dumps({**nothing, "Tags": tag}),
        tags=scope.tags,
        opts=scope.options(depends_on=tags),
    )
    threshold = aws.costexplorer.AnomalySubscriptionThresholdExpressionArgs(
        dimension=aws.costexplorer.AnomalySubscriptionThresholdExpressionDimensionArgs(
            key="ANOMALY_TOTAL_IMPACT_ABSOLUTE",
            match_options=["GREATER_THAN_OR_EQUAL"],
            values=[str(plan["least_usd"])],
        )
    )
    aws.costexplorer.AnomalySubscription(
        f"{scope.name}-anomalies-told",
        name=plan["name"],
        frequency="DAILY",
        monitor_arn_lists=[monitor.arn],
        subscribers=[
            aws.costexplorer.AnomalySubscriptionSubscriberArgs(type="EMAIL", address=address)
            for address in plan["notify"]
        ],
        threshold_expression=threshold,
        tags=scope.tags,
        opts=scope.opts,
    )
