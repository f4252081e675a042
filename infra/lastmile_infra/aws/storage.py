"""The deployment's bucket in S3, and the routing document in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lastmile_infra.aws import resource_policies
from lastmile_infra.aws.policies import Place
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
    name = short(f"{scope.name}-{plan['name']}", _LONGEST_NAME)
    return closed_bucket(scope, name, _lifecycle(plan)).name


@dataclass(frozen=True)
class ClosedBucket:
    """A bucket that is versioned, encrypted, closed, and reached with TLS alone."""

    name: pulumi.Output[str]
    policy: aws.s3.BucketPolicy
    """What waits for it is written to as the policy says."""


def closed_bucket(
    scope: Scope,
    name: str,
    lifecycle: Sequence[aws.s3.BucketLifecycleConfigurationRuleArgs],
    *,
    called: str | None = None,
    policy: Callable[[Place, str], str] = resource_policies.bucket_policy,
) -> ClosedBucket:
    """Make a bucket that outlives its stack.

    Args:
        scope: Where.
        name: Its name in Pulumi.
        lifecycle: What is deleted when.
        called: Its name in S3; Pulumi's own and eight characters more by default.
        policy: Writes its policy, given the place and that name.
    """
    opts = scope.options(retain_on_delete=True)
    bucket = aws.s3.Bucket(name, bucket=called, tags=scope.tags, opts=opts)
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
    closed = _close(scope, name, bucket, policy, opts)
    aws.s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle",
        bucket=bucket.bucket,
        rules=lifecycle,
        # S3 says nothing of versions that a bucket does not keep yet.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[versioning])),
    )
    return ClosedBucket(bucket.bucket, closed)


def _close(
    scope: Scope,
    name: str,
    bucket: aws.s3.Bucket,
    policy: Callable[[Place, str], str],
    opts: pulumi.ResourceOptions,
) -> aws.s3.BucketPolicy:
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
    return aws.s3.BucketPolicy(
        f"{name}-policy",
        bucket=bucket.bucket,
        policy=scope.policy(policy, bucket.bucket),
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
    return [*expiring, tidy(plan["old_versions_days"], plan["incomplete_uploads_days"])]


def tidy(old_versions_days: int, incomplete_uploads_days: int) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    """Return the rule that deletes former contents, and uploads that were given up, after so many days."""
    kept = aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
        noncurrent_days=old_versions_days
    )
    given_up = aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
        days_after_initiation=incomplete_uploads_days
    )
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="tidy",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        noncurrent_version_expiration=kept,
        abort_incomplete_multipart_upload=given_up,
    )
