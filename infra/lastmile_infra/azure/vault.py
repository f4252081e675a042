"""The deployment's keys on Azure, and secrets: in which vault they are, and who may read which."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import keyvault

from lastmile_infra.azure.identity import Identity, grant
from lastmile_infra.azure.names import LONGEST_VAULT, stem
from lastmile_infra.azure.scope import Scope, place_of
from lastmile_infra.delivery import Key
from lastmile_sls.plan.document import Plan

_CALLS = "function--calls"
"""The key with which functions ask each other. No key of the spec's has two dashes in a row in its name."""
_KEPT_DAYS = 7
"""How long a deleted vault can be had back: the shortest there is (azure-mgmt-keyvault, VaultProperties)."""


@dataclass(frozen=True)
class Secret:
    """A secret that a function reads when it starts."""

    name: str
    """In the vault."""
    url: pulumi.Output[str]
    """Of its current version."""
    before: pulumi.Resource
    """What a function that reads it waits for."""


@dataclass(frozen=True)
class Keys:
    """The deployment's own keys."""

    callers: tuple[Key, ...]
    """What applications call with, the newest last."""
    calls: Key | None
    """What the router's function asks the others with; None where there are no others."""
    calls_secret: Secret | None


def make_keys(scope: Scope, plan: Plan, identity: Identity) -> Keys:
    """Make the keys, and put each into the deployment's own vault."""
    asks = any(function["calls"] for function in plan["functions"])
    if not plan["keys"] and not asks:
        return Keys((), None, None)
    vault = _make_vault(scope)
    callers = tuple(Key(f"{scope.name}-{key}", key=key, opts=scope.delivered) for key in plan["keys"])
    for name, key in zip(plan["keys"], callers, strict=True):
        _put(scope, vault, name, key)
    if not asks:
        return Keys(callers, None, None)
    calls = Key(f"{scope.name}-{_CALLS}", key=_CALLS, opts=scope.delivered)
    made = _put(scope, vault, _CALLS, calls)
    reading = grant(scope, "reads-calls", "Key Vault Secrets User", made.id, identity)
    return Keys(callers, calls, Secret(_CALLS, _url(vault.name, made.name), reading))


def in_vault(name: str) -> str:
    """Return a secret's name as its vault knows it, which does not tell cases apart.

    learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates, "Object identifiers"
    (2026-11-29)
    """
    return name.lower()


def use_secrets(scope: Scope, plan: Plan, identity: Identity) -> dict[str, Secret]:
    """Let the functions read the secrets of the user's vault that they name; return them by `in_vault` of the names."""
    where = place_of(plan)
    used = [name for function in plan["functions"] for name in function["secrets"].values()]
    names = sorted({in_vault(name) for name in used})
    if not names:
        return {}
    vault = where["vault"] or ""
    begin = pulumi.Output.concat(
        "/subscriptions/",
        scope.subscription,
        "/resourceGroups/",
        where["resource_group"] or "",
        "/providers/Microsoft.KeyVault/vaults/",
        vault,
        "/secrets/",
    )
    return {
        name: Secret(
            name,
            _url(vault, name),
            grant(
                scope,
                f"reads-secret-{name}",
                "Key Vault Secrets User",
                pulumi.Output.concat(begin, name),
                identity,
            ),
        )
        for name in names
    }


def _make_vault(scope: Scope) -> keyvault.Vault:
    """Make a vault whose secrets nobody reads without a role; it cannot be told to be purged at once."""
    return keyvault.Vault(
        stem(scope.deployment, LONGEST_VAULT),
        properties=keyvault.VaultPropertiesArgs(
            tenant_id=scope.tenant,
            sku=keyvault.SkuArgs(family=keyvault.SkuFamily.A, name=keyvault.SkuName.STANDARD),
            enable_rbac_authorization=True,
            enable_soft_delete=True,
            soft_delete_retention_in_days=_KEPT_DAYS,
        ),
        **scope.here,
        opts=scope.opts,
    )


def _put(scope: Scope, vault: keyvault.Vault, name: str, key: Key) -> keyvault.Secret:
    value: pulumi.Output[str] = pulumi.Output.secret(key.value)
    return keyvault.Secret(
        f"{scope.name}-{name}-secret",
        secret_name=name,
        vault_name=vault.name,
        properties=keyvault.SecretPropertiesArgs(value=value),
        resource_group_name=scope.group,
        tags=scope.tags,
        opts=scope.opts,
    )


def _url(vault: pulumi.Input[str], secret: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.concat("https://", vault, ".vault.azure.net/secrets/", secret)
