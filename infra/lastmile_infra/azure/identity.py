"""Who the functions are on Azure, and what they may do: one identity per model, and roles on single resources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_azure_native import authorization, managedidentity

from lastmile_infra.azure.scope import Deployer, Scope

Role = Literal[
    "Storage Blob Data Owner",
    "Storage Blob Data Contributor",
    "Storage Blob Data Reader",
    "Storage Queue Data Contributor",
    "Storage Queue Data Message Sender",
    "Key Vault Secrets User",
    "Key Vault Crypto User",
    "AcrPull",
    "Monitoring Metrics Publisher",
]
ROLES: dict[Role, str] = {
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Queue Data Message Sender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Key Vault Crypto User": "12338af0-0e69-4776-bea7-57ae8d297424",
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
}
"""learn.microsoft.com/azure/role-based-access-control/built-in-roles (2026-11-29)."""


_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"


@dataclass(frozen=True)
class Identity:
    """The model's own identity."""

    id: pulumi.Output[str]
    client_id: pulumi.Output[str]
    principal_id: pulumi.Output[str]


def make_identity(scope: Scope, name: str) -> Identity:
    """Make the identity that the functions have; it may do nothing yet."""
    made = managedidentity.UserAssignedIdentity(
        f"{scope.name}-identity", resource_name_=name, **scope.here, opts=scope.opts
    )
    return Identity(made.id, made.client_id, made.principal_id)


def grant(
    scope: Scope,
    name: str,
    role: Role,
    on: pulumi.Input[str],
    to: Identity | Deployer,
    condition: str | None = None,
) -> authorization.RoleAssignment:
    """Let the identity, or whoever deploys, do on one resource what a role allows.

    Args:
        scope: Where.
        name: What it is for; the assignment's own name is a GUID that Pulumi's provider draws.
        role: What is allowed.
        on: The resource's id.
        to: Who. The deployer's is not taken back when another one deploys.
        condition: What narrows it (learn.microsoft.com/azure/role-based-access-control/conditions-format, version 2.0).
    """
    person = isinstance(to, Deployer)
    opts = pulumi.ResourceOptions(ignore_changes=["principalId", "principalType"] if person else None)
    return authorization.RoleAssignment(
        f"{scope.name}-{name}",
        role_definition_id=pulumi.Output.concat(
            "/subscriptions/",
            scope.subscription,
            "/providers/Microsoft.Authorization/roleDefinitions/",
            ROLES[role],
        ),
        scope=on,
        principal_id=to.principal_id,
        principal_type=to.principal_type if isinstance(to, Deployer) else "ServicePrincipal",
        condition=condition,
        condition_version="2.0" if condition else None,
        opts=pulumi.ResourceOptions.merge(scope.opts, opts),
    )


def only_blob(path: str) -> str:
    """Return the condition under which a role reads one blob, and lists none.

    A list has no blob's path, so that it does not fulfil it
    (learn.microsoft.com/azure/storage/blobs/storage-auth-abac-attributes, blob path, 2026-11-29).
    """
    return f"((!(ActionMatches{{'{_BLOBS}/read'}})) OR (@Resource[{_BLOBS}:path] StringEquals '{path}'))"


def only_below(written: Sequence[str], read: Sequence[str]) -> str:
    """Return the condition under which a role reads, lists and writes below some folders, and reads and lists below others.

    Nothing else may be done with a blob, not even moved: an action that a condition does not name it does not narrow
    (learn.microsoft.com/azure/storage/blobs/storage-auth-abac-examples, "Read or list blobs in named containers with a
    path", 2026-11-29). A list is held by its prefix, which must be one of the folders or begin with one.

    Args:
        written: Folders, without a slash at their ends.
        read: The same.
    """
    listing = "SubOperationMatches{'Blob.List'}"
    seen, changed = (*written, *read), ("write", "add/action", "delete", "move/action")
    clauses = [
        ([f"{_matches('read')} AND NOT {listing}"], _below(f"@Resource[{_BLOBS}:path]", seen)),
        ([f"{_matches('read')} AND {listing}"], _below(f"@Request[{_BLOBS}:prefix]", seen)),
        ([_matches(action) for action in changed], _below(f"@Resource[{_BLOBS}:path]", written)),
    ]
    return " AND ".join(
        f"(({' AND '.join(f'!({action})' for action in actions)}) OR ({places}))"
        for actions, places in clauses
    )


def _matches(action: str) -> str:
    return f"ActionMatches{{'{_BLOBS}/{action}'}}"


def _below(attribute: str, folders: Sequence[str]) -> str:
    return " OR ".join(f"{attribute} StringStartsWith '{folder}/'" for folder in folders)
