"""Who the functions are, who may call them, and the API keys in the vault."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from lastmile_infra.aws import policies
from lastmile_infra.aws.scope import Scope
from lastmile_infra.delivery import Key
from lastmile_sls.plan.document import FunctionPlan, QueuePlan


def make_role(
    scope: Scope,
    identity: str,
    functions: Sequence[FunctionPlan],
    bucket: pulumi.Input[str] | None,
    queue: QueuePlan | None,
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """Make the deployment's role and what it may do; functions need both."""
    role = aws.iam.Role(
        f"{scope.name}-role",
        name=identity,
        assume_role_policy=policies.trust(),
        tags=scope.tags,
        opts=scope.opts,
    )
    policy = aws.iam.RolePolicy(
        f"{scope.name}-role-policy",
        role=role.name,
        policy=scope.policy(lambda place, name: policies.role_policy(place, functions, name, queue), bucket),
        opts=scope.opts,
    )
    return role, policy


def allow_callers(scope: Scope, callers: Sequence[str], policy: pulumi.Input[str]) -> None:
    """Let roles that are there call the endpoint."""
    for caller in sorted(set(callers)):
        aws.iam.RolePolicy(f"{scope.name}-caller-{caller}", role=caller, policy=policy, opts=scope.opts)


def make_keys(scope: Scope, deployment: str, names: Sequence[str]) -> list[Key]:
    """Make the API keys, the newest last; applications fetch each from Secrets Manager as `DEPLOYMENT/KEY`."""
    return [_make_key(scope, deployment, name) for name in names]


def _make_key(scope: Scope, deployment: str, name: str) -> Key:
    key = Key(f"{scope.name}-{name}", key=name, opts=scope.delivered)
    secret = aws.secretsmanager.Secret(
        f"{scope.name}-{name}-secret",
        name=f"{deployment}/{name}",
        description="An API key of this deployment's endpoint.",
        recovery_window_in_days=0,  # gone with the deployment, so that it costs nothing and its name is free again
        tags=scope.tags,
        opts=scope.opts,
    )
    aws.secretsmanager.SecretVersion(
        f"{scope.name}-{name}-secret-value",
        secret_id=secret.id,
        secret_string_wo=key.value,
        # Write-only: the provider keeps no value with which to tell a change, and asks for a number that changes with it.
        secret_string_wo_version=key.digest.apply(version_of),
        opts=scope.opts,
    )
    return key


def version_of(digest: str) -> int:
    """Return a number that changes with a digest, `sha256:` and hexadecimal."""
    return int(digest.removeprefix("sha256:")[:7], 16)
