"""The deployment's bucket in S3, and the routing document in it."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from lastmile_infra.aws import policies
from lastmile_infra.aws.scope import Scope
from lastmile_infra.storage import Storage, add_routing
from lastmile_sls.plan.document import RoutingDocumentPlan, StoragePlan
from lastmile_sls.plan.names import short

_LONGEST_NAME = 55
"""A bucket's name has at most 63 characters, of which Pulumi adds eight."""


def make_storage(scope: Scope, plan: StoragePlan, routing: RoutingDocumentPlan | None) -> Storage:
    """Make the bucket, or take the one that is there as it is; and the document, unless there is one.

    Both outlive the deployment: they are data.
    """
    adopted = plan["adopted"]
    bucket = pulumi.Output.from_input(adopted) if adopted else _make_bucket(scope, plan)
    storage = Storage(bucket, pulumi.Output.concat("s3://", bucket))
    return add_routing(storage, routing, scope.name, scope.delivered, scope.region) if routing else storage


def _make_bucket(scope: Scope, plan: StoragePlan) -> pulumi.Output[str]:
    """Return the name of a bucket that is versioned, encrypted, closed, and reached with TLS alone."""
    name, opts = short(f"{scope.name}-{plan['name']}", _LONGEST_NAME), scope.options(retain_on_delete=True)
    bucket = aws.s3.Bucket(name, tags=scope.tags, opts=opts)
    versioning = aws.s3.BucketVersioning(
        f"{name}-versioning",
        bucket=bucket.bucket,
        versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
        opts=opts,
    )
    by_default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
        sse_algorithm="AES256"
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        bucket=bucket.bucket,
        rules=[
            aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=by_default
            )
        ],
        opts=opts,
    )
    _close(scope, name, bucket, opts)
    aws.s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle",
        bucket=bucket.bucket,
        rules=_lifecycle(plan),
        # S3 says nothing of versions that a bucket does not keep yet.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[versioning])),
    )
    made: pulumi.Output[str] = bucket.bucket
    return made


def _close(scope: Scope, name: str, bucket: aws.s3.Bucket, opts: pulumi.ResourceOptions) -> None:
    closed = aws.s3.BucketPublicAccessBlock(
        f"{name}-closed",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    # S3 refuses two changes of a bucket's access at once, so one waits for the other.
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[closed]))
    aws.s3.BucketOwnershipControls(
        f"{name}-ownership",
        bucket=bucket.bucket,
        rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
        opts=after,
    )
    aws.s3.BucketPolicy(
        f"{name}-policy",
        bucket=bucket.bucket,
        policy=scope.policy(policies.bucket_policy, bucket.bucket),
        opts=after,
    )


def _lifecycle(plan: StoragePlan) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    """Return what is deleted when: what lies below a prefix, former contents, and uploads that were given up."""
    expiring = [
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id=f"expire-{prefix.strip('/')}",
            status="Enabled",
            filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
            expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
        )
        for prefix, days in sorted(plan["expire_days"].items())
    ]
    kept = aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
        noncurrent_days=plan["old_versions_days"]
    )
    given_up = aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
        days_after_initiation=plan["incomplete_uploads_days"]
    )
    everywhere = aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="tidy",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        noncurrent_version_expiration=kept,
        abort_incomplete_multipart_upload=given_up,
    )
    return [*expiring, everywhere]
