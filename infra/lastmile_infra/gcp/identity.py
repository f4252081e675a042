"""Who the functions are, who may call them, which secrets they read, and the API keys in the vault."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from lastmile_infra.delivery import Key
from lastmile_infra.gcp.scope import Scope
from lastmile_sls.plan.names import short

_LONGEST_ACCOUNT = 30
"""Of a service account's id (the discovery document of iam v1, accountId)."""
INVOKER = "roles/run.servicesInvoker"
"""run.routes.invoke and nothing else; roles/run.invoker runs jobs too
(cloud.google.com/run/docs/reference/iam/roles, read 2026-11-29)."""
SECRET_READER = "roles/secretmanager.secretAccessor"  # noqa: S105 - a role's name
"""secretmanager.versions.access; its two others are about projects, and have no meaning on a secret
(cloud.google.com/secret-manager/docs/access-control, read 2026-11-29)."""


def make_account(scope: Scope, identity: str) -> gcp.serviceaccount.Account:
    """Make the deployment's service account. It may do nothing yet: Cloud Run itself fetches images and writes logs."""
    return _make_account(scope, "account", identity, "Runs the functions of this deployment.")


def make_pusher(scope: Scope, identity: str) -> gcp.serviceaccount.Account:
    """Make the account in whose name Pub/Sub pushes messages to the deployment's function."""
    account_id = short(f"{identity}-push", _LONGEST_ACCOUNT)
    return _make_account(scope, "pusher", account_id, "Pushes this deployment's messages to its function.")


def _make_account(scope: Scope, part: str, account_id: str, description: str) -> gcp.serviceaccount.Account:
    return gcp.serviceaccount.Account(
        f"{scope.name}-{part}",
        account_id=account_id,
        display_name=scope.name,
        description=description,
        opts=scope.opts,
    )


def allow_secrets(
    scope: Scope, account: gcp.serviceaccount.Account, names: Sequence[str]
) -> list[pulumi.Resource]:
    """Let the account read secrets that are there."""
    return [
        gcp.secretmanager.SecretIamMember(
            f"{scope.name}-reads-{name}",
            secret_id=name,
            role=SECRET_READER,
            member=account.member,
            opts=scope.opts,
        )
        for name in names
    ]


def allow_to_call(
    scope: Scope, name: str, service: gcp.cloudrunv2.Service, member: pulumi.Input[str]
) -> pulumi.Resource:
    """Let a member call a function; `name` tells the grants of a deployment apart."""
    grant: pulumi.Resource = gcp.cloudrunv2.ServiceIamMember(
        f"{scope.name}-{name}",
        name=service.name,
        location=scope.region,
        role=INVOKER,
        member=member,
        opts=scope.opts,
    )
    return grant


def make_keys(scope: Scope, deployment: str, names: Sequence[str]) -> list[Key]:
    """Make the API keys, the newest last; applications fetch each from Secret Manager as `DEPLOYMENT-KEY`."""
    return [_make_key(scope, deployment, name) for name in names]


def _make_key(scope: Scope, deployment: str, name: str) -> Key:
    key = Key(f"{scope.name}-{name}", key=name, opts=scope.delivered)
    secret = gcp.secretmanager.Secret(
        f"{scope.name}-{name}-secret",
        secret_id=f"{deployment}-{name}",
        replication=gcp.secretmanager.SecretReplicationArgs(
            auto=gcp.secretmanager.SecretReplicationAutoArgs()
        ),
        deletion_protection=False,
        labels=scope.labels,
        opts=scope.opts,
    )
    gcp.secretmanager.SecretVersion(
        f"{scope.name}-{name}-secret-value",
        secret=secret.id,
        secret_data_wo=key.value,
        # Write-only: the provider keeps no value with which to tell a change, and asks for a text that changes with it.
        secret_data_wo_version=key.digest,
        opts=scope.opts,
    )
    return key
