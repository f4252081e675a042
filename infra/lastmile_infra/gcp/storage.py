"""The deployment's bucket in Cloud Storage, and the routing document in it.

Google encrypts what is stored, always (cloud.google.com/storage/docs/encryption/default-keys, read 2026-11-29). Every
read needs a token, since nothing is public, and no client of ours sends one but over TLS; Cloud Storage has no setting of
a bucket's that refuses plain HTTP, only a policy of the organization's (constraints/storage.secureHttpTransport).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from lastmile_infra.gcp.scope import Scope
from lastmile_infra.storage import Storage, add_routing
from lastmile_sls.plan.document import FunctionPlan, RoutingDocumentPlan, StoragePlan

READER = "roles/storage.legacyObjectReader"
"""storage.objects.get and nothing else; roles/storage.objectViewer lists too
(cloud.google.com/storage/docs/access-control/iam-roles, read 2026-11-29)."""
LISTER = "roles/storage.legacyBucketReader"
"""storage.objects.list, and the bucket's own metadata (the same page); it reads no object."""
WRITER = "roles/storage.legacyBucketWriter"
"""storage.objects.create and delete, and uploads in parts; roles/storage.objectUser changes metadata too, and brings back
what was deleted (the same page). What else it has is about the bucket, which no condition on objects' names is true of."""
SOFT_DELETE_S = 7 * 24 * 3600
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
    condition = gcp.storage.BucketIAMMemberConditionArgs(
        title="routing document",
        description="The object that says which version answers.",
        expression=pulumi.Output.format('resource.name == "{}"', name),
    )
    return _grant(scope, "reads-routing", storage.bucket, READER, account, condition)


@dataclass(frozen=True)
class Folder:
    """Where a function's work lies."""

    purpose: str
    place: str
    """A path in the deployment's bucket, or a store's URL."""
    is_written: bool


def folders_of(plan: FunctionPlan) -> Iterator[Folder]:
    """Yield the folders that a function works in."""
    if plan["jobs"]:
        yield Folder("jobs", plan["jobs"], is_written=True)
    if plan["batch"]:
        yield Folder("input", plan["batch"]["input"], is_written=False)
        yield Folder("output", plan["batch"]["output"], is_written=True)


def allow_folders(
    scope: Scope, storage: Storage, folders: Iterable[Folder], account: gcp.serviceaccount.Account
) -> list[pulumi.Resource]:
    """Let the account read what is in each folder, and write there and delete if it must; nothing beside it.

    The names of the objects in a bucket it may list, all of them: a list is judged by the bucket, whatever the beginning
    that it asks for (github.com/lanes-sh/link/pull/100 met that), and without that right Cloud Storage says of an object
    that is not there that it may not be read.
    """
    grants: list[pulumi.Resource] = []
    listed: set[str] = set()
    for folder in folders:
        own, path = _located(folder.place)
        bucket = pulumi.Output.from_input(own) if own else storage.bucket
        if own not in listed:
            listed.add(own)
            grants.append(_grant(scope, f"lists-{folder.purpose}", bucket, LISTER, account))
        condition = _below(bucket, path, folder.purpose) if path else None
        grants.append(_grant(scope, f"reads-{folder.purpose}", bucket, READER, account, condition))
        if folder.is_written:
            grants.append(_grant(scope, f"writes-{folder.purpose}", bucket, WRITER, account, condition))
    return grants


def _grant(
    scope: Scope,
    name: str,
    bucket: pulumi.Output[str],
    role: str,
    account: gcp.serviceaccount.Account,
    condition: gcp.storage.BucketIAMMemberConditionArgs | None = None,
) -> pulumi.Resource:
    grant: pulumi.Resource = gcp.storage.BucketIAMMember(
        f"{scope.name}-{name}",
        bucket=bucket,
        role=role,
        member=account.member,
        condition=condition,
        opts=scope.opts,
    )
    return grant


def _located(place: str) -> tuple[str, str]:
    """Return the bucket that a folder names, empty for the deployment's, and the path, empty or with a slash at its end."""
    url = place.removeprefix("gs://")
    bucket, path = url.split("/", 1) if url != place and "/" in url else (url, "")
    if url == place:
        bucket, path = "", place
    path = path.strip("/")
    return bucket, f"{path}/" if path else ""


def _below(bucket: pulumi.Output[str], path: str, purpose: str) -> gcp.storage.BucketIAMMemberConditionArgs:
    return gcp.storage.BucketIAMMemberConditionArgs(
        title=purpose,
        description=f"What is in the folder {path}",
        expression=pulumi.Output.format(
            'resource.name.startsWith("projects/_/buckets/{0}/objects/{1}")', bucket, path
        ),
    )


def _make_bucket(scope: Scope, plan: StoragePlan) -> pulumi.Output[str]:
    """Return the name of a bucket that is versioned and closed."""
    bucket = gcp.storage.Bucket(
        scope.stem(plan["name"]),
        location=scope.region.upper(),
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        versioning=gcp.storage.BucketVersioningArgs(enabled=True),
        soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(retention_duration_seconds=SOFT_DELETE_S),
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
