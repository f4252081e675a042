"""The deployment's bucket in Cloud Storage, and the routing document in it.

Google encrypts what is stored, always (cloud.google.com/storage/docs/encryption/default-keys, read 2026-11-29). Every
read needs a token, since nothing is public, and no client of ours sends one but over TLS; Cloud Storage has no setting of
a bucket's that refuses plain HTTP, only a policy of the organization's (constraints/storage.secureHttpTransport).
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from lastmile_infra.gcp.scope import Scope
from lastmile_infra.storage import Storage, add_routing
from lastmile_sls.plan.document import RoutingDocumentPlan, StoragePlan

READER = "roles/storage.legacyObjectReader"
"""storage.objects.get and nothing else; roles/storage.objectViewer lists too
(cloud.google.com/storage/docs/access-control/iam-roles, read 2026-11-29)."""
_SOFT_DELETE_S = 7 * 24 * 3600
"""What Cloud Storage has by default, said aloud (cloud.google.com/storage/docs/soft-delete, read 2026-11-29)."""


def make_storage(scope: Scope, plan: StoragePlan, routing: RoutingDocumentPlan | None) -> Storage:
    """Make the bucket, or take the one that is there as it is; and the document, unless there is one.

    Both outlive the deployment: they are data.
    """
    adopted = plan["adopted"]
    bucket = pulumi.Output.from_input(adopted) if adopted else _make_bucket(scope, plan)
    storage = Storage(bucket, pulumi.Output.concat("gs://", bucket))
    return add_routing(storage, routing, scope.name, scope.delivered) if routing else storage


def allow_to_read(
    scope: Scope, storage: Storage, path: str, account: gcp.serviceaccount.Account
) -> pulumi.Resource:
    """Let the account read one object, and neither list nor change any.

    A bucket that was there before needs uniform access for that, without which it takes no conditions
    (cloud.google.com/storage/docs/access-control/iam#conditions, unverified).
    """
    name = pulumi.Output.concat("projects/_/buckets/", storage.bucket, "/objects/", path)
    grant: pulumi.Resource = gcp.storage.BucketIAMMember(
        f"{scope.name}-reads-routing",
        bucket=storage.bucket,
        role=READER,
        member=account.member,
        condition=gcp.storage.BucketIAMMemberConditionArgs(
            title="routing document",
            description="The object that says which version answers.",
            expression=pulumi.Output.format('resource.name == "{}"', name),
        ),
        opts=scope.opts,
    )
    return grant


def _make_bucket(scope: Scope, plan: StoragePlan) -> pulumi.Output[str]:
    """Return the name of a bucket that is versioned and closed."""
    bucket = gcp.storage.Bucket(
        scope.stem(plan["name"]),
        location=scope.region.upper(),
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        versioning=gcp.storage.BucketVersioningArgs(enabled=True),
        soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(retention_duration_seconds=_SOFT_DELETE_S),
        lifecycle_rules=_lifecycle(plan),
        force_destroy=False,
        labels=scope.labels,
        opts=scope.options(retain_on_delete=True),
    )
    name: pulumi.Output[str] = bucket.name
    return name


def _lifecycle(plan: StoragePlan) -> list[gcp.storage.BucketLifecycleRuleArgs]:
    """Return what is deleted when: what lies below a prefix, former contents, and uploads that were given up."""
    expiring = [
        _rule(
            "Delete",
            gcp.storage.BucketLifecycleRuleConditionArgs(
                age=days, matches_prefixes=[prefix], with_state="LIVE"
            ),
        )
        for prefix, days in sorted(plan["expire_days"].items())
    ]
    former = gcp.storage.BucketLifecycleRuleConditionArgs(
        days_since_noncurrent_time=plan["old_versions_days"], with_state="ARCHIVED"
    )
    given_up = gcp.storage.BucketLifecycleRuleConditionArgs(age=plan["incomplete_uploads_days"])
    return [*expiring, _rule("Delete", former), _rule("AbortIncompleteMultipartUpload", given_up)]


def _rule(
    action: str, condition: gcp.storage.BucketLifecycleRuleConditionArgs
) -> gcp.storage.BucketLifecycleRuleArgs:
    return gcp.storage.BucketLifecycleRuleArgs(
        action=gcp.storage.BucketLifecycleRuleActionArgs(type=action), condition=condition
    )
