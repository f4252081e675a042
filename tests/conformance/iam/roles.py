"""What Google's predefined and Azure's built-in roles permit, and whether that is what somebody needs.

No package of PyPI, npm or Go that we found carries the definitions of these roles, so that they stand here as they were
published: github.com/iann0036/iam-dataset at 2073fa52 (2026-08-22), which keeps what Google's `roles.list` and Azure's
`az role definition list` answer (gcp/roles/NAME.json, azure/built-in-roles-raw.json). The clouds' own evaluation is not
here: conditions are held by their text alone, and inheritance from projects and subscriptions not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

_BLOBS = "Microsoft.Storage/storageAccounts/blobServices"
_QUEUES = "Microsoft.Storage/storageAccounts/queueServices/queues"
_OBJECTS, _UPLOADS = "storage.objects", "storage.multipartUploads"


@dataclass(frozen=True)
class Role:
    """A role of a cloud's own."""

    title: str
    permissions: tuple[str, ...]
    """Google's permissions; Azure's actions and data actions, where a star stands for anything."""


GCP: dict[str, Role] = {
    "roles/run.servicesInvoker": Role("Cloud Run Service Invoker", ("run.routes.invoke",)),
    "roles/run.invoker": Role(
        "Cloud Run Invoker", ("run.instances.invoke", "run.jobs.run", "run.routes.invoke")
    ),
    "roles/storage.legacyObjectReader": Role("Storage Legacy Object Reader", (f"{_OBJECTS}.get",)),
    "roles/storage.objectViewer": Role(
        "Storage Object Viewer",
        (
            "resourcemanager.projects.get",
            "resourcemanager.projects.list",
            "storage.folders.get",
            "storage.folders.list",
            "storage.managedFolders.get",
            "storage.managedFolders.list",
            f"{_OBJECTS}.get",
            f"{_OBJECTS}.list",
        ),
    ),
    "roles/storage.legacyBucketReader": Role(
        "Storage Legacy Bucket Reader",
        ("storage.buckets.get", f"{_UPLOADS}.list", f"{_OBJECTS}.list"),
    ),
    "roles/storage.legacyBucketWriter": Role(
        "Storage Legacy Bucket Writer",
        (
            "storage.buckets.get",
            *(f"{_UPLOADS}.{verb}" for verb in ("abort", "create", "list", "listParts")),
            *(f"{_OBJECTS}.{verb}" for verb in ("create", "delete", "list")),
        ),
    ),
    "roles/pubsub.publisher": Role("Pub/Sub Publisher", ("pubsub.topics.publish",)),
    "roles/pubsub.subscriber": Role(
        "Pub/Sub Subscriber",
        ("pubsub.snapshots.seek", "pubsub.subscriptions.consume", "pubsub.topics.attachSubscription"),
    ),
    "roles/iam.serviceAccountOpenIdTokenCreator": Role(
        "Service Account OpenID Connect Identity Token Creator", ("iam.serviceAccounts.getOpenIdToken",)
    ),
    "roles/secretmanager.secretAccessor": Role(
        "Secret Manager Secret Accessor",
        ("resourcemanager.projects.get", "resourcemanager.projects.list", "secretmanager.versions.access"),
    ),
    "roles/logging.logWriter": Role("Logs Writer", ("logging.logEntries.create", "logging.logEntries.route")),
}
AZURE: dict[str, Role] = {
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": Role(
        "Storage Blob Data Reader",
        (
            f"{_BLOBS}/containers/read",
            f"{_BLOBS}/generateUserDelegationKey/action",
            f"{_BLOBS}/containers/blobs/read",
        ),
    ),
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": Role(
        "Storage Blob Data Contributor",
        (
            f"{_BLOBS}/containers/delete",
            f"{_BLOBS}/containers/read",
            f"{_BLOBS}/containers/write",
            f"{_BLOBS}/generateUserDelegationKey/action",
            f"{_BLOBS}/containers/blobs/delete",
            f"{_BLOBS}/containers/blobs/read",
            f"{_BLOBS}/containers/blobs/write",
            f"{_BLOBS}/containers/blobs/move/action",
            f"{_BLOBS}/containers/blobs/add/action",
        ),
    ),
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": Role(
        "Storage Blob Data Owner",
        (
            f"{_BLOBS}/containers/*",
            f"{_BLOBS}/generateUserDelegationKey/action",
            f"{_BLOBS}/containers/blobs/*",
        ),
    ),
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": Role(
        "Storage Queue Data Contributor",
        (
            f"{_QUEUES}/delete",
            f"{_QUEUES}/read",
            f"{_QUEUES}/write",
            f"{_QUEUES}/messages/delete",
            f"{_QUEUES}/messages/read",
            f"{_QUEUES}/messages/write",
            f"{_QUEUES}/messages/process/action",
        ),
    ),
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": Role(
        "Storage Queue Data Message Sender", (f"{_QUEUES}/messages/add/action",)
    ),
    "4633458b-17de-408a-b874-0445c86b69e6": Role(
        "Key Vault Secrets User",
        (
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ),
    ),
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": Role(
        "AcrPull", ("Microsoft.ContainerRegistry/registries/pull/read",)
    ),
    "3913510d-42f4-4e42-8a64-420c390055eb": Role(
        "Monitoring Metrics Publisher",
        (
            "Microsoft.Insights/Register/Action",
            "Microsoft.Support/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Insights/Metrics/Write",
            "Microsoft.Insights/Telemetry/Write",
        ),
    ),
}

_RENEWS = "no other built-in role of Azure's renews a message for as long as it is worked on"
_WRITES = "no other built-in role of Azure's writes blobs"
_PUBLISHES = "it means nothing on the component that the role is given for"
_NARROWEST = "no built-in role of Azure's reads blobs without it, and it reads no blob's content"
_ON_A_BUCKET = "no object's name is a bucket's, so that its condition is not true where this means something"
_OF_THE_BUCKET = "no predefined role of Google's lists objects without it, and it reads none of them"
SPARE: Mapping[tuple[str, str], str] = {
    ("Storage Legacy Bucket Writer", "storage.buckets.get"): _ON_A_BUCKET,
    ("Storage Legacy Bucket Writer", f"{_OBJECTS}.list"): _ON_A_BUCKET,
    **{
        (
            "Storage Legacy Bucket Writer",
            f"{_UPLOADS}.{verb}",
        ): "it writes an object there, as the role is given for"
        for verb in ("abort", "create", "list", "listParts")
    },
    ("Storage Legacy Bucket Reader", "storage.buckets.get"): _OF_THE_BUCKET,
    ("Storage Legacy Bucket Reader", f"{_UPLOADS}.list"): _OF_THE_BUCKET,
    ("Pub/Sub Subscriber", "pubsub.snapshots.seek"): "a subscription is no snapshot: it means nothing there",
    ("Pub/Sub Subscriber", "pubsub.topics.attachSubscription"): (
        "a subscription is no topic: it means nothing there"
    ),
    (
        "Secret Manager Secret Accessor",
        "resourcemanager.projects.get",
    ): "a secret is no project: it means nothing there",
    (
        "Secret Manager Secret Accessor",
        "resourcemanager.projects.list",
    ): "a secret is no project: it means nothing there",
    ("Storage Blob Data Reader", f"{_BLOBS}/containers/read"): _NARROWEST,
    ("Storage Blob Data Reader", f"{_BLOBS}/generateUserDelegationKey/action"): _NARROWEST,
    **{
        ("Storage Blob Data Contributor", f"{_BLOBS}/{permission}"): _WRITES
        for permission in (
            "containers/read",
            "containers/write",
            "containers/delete",
            "generateUserDelegationKey/action",
            "containers/blobs/move/action",
            "containers/blobs/add/action",
            "containers/blobs/delete",
        )
    },
    **{
        ("Storage Queue Data Contributor", f"{_QUEUES}/{permission}"): _RENEWS
        for permission in ("delete", "write", "messages/delete")
    },
    **{
        ("Monitoring Metrics Publisher", permission): _PUBLISHES
        for permission in (
            "Microsoft.Insights/Register/Action",
            "Microsoft.Support/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        )
    },
    (
        "Key Vault Secrets User",
        "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
    ): "it tells no secret, and no narrower role reads one",
}
"""Why a role may permit more than is needed: no narrower one does, or it means nothing on what it is given for."""


def role_of(definition: str) -> Role:
    """Return the role of Google's name, or of an Azure role definition's id. Raises KeyError for one that is not here."""
    known = {**GCP, **AZURE}
    return known[definition if definition in known else definition.rpartition("/")[2]]


def judge_role(
    definition: str, needed: Collection[str], spare: Mapping[tuple[str, str], str] = SPARE
) -> list[str]:
    """Return every fault of giving somebody a role who needs permissions, each a sentence."""
    role = role_of(definition)
    found = [
        f"{role.title} does not permit {permission}."
        for permission in sorted(needed)
        if not any(fnmatchcase(permission, given) for given in role.permissions)
    ]
    for given in role.permissions:
        used = any(fnmatchcase(permission, given) for permission in needed)
        if not used and (role.title, given) not in spare:
            found.append(f"nobody needs {given} of {role.title}.")
    return found
