"""What an Azure subscription shares: storage for Pulumi's state and for the bill, tag inheritance, images, a key."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_azure_native import (
    Provider,
    authorization,
    containerregistry,
    costmanagement,
    keyvault,
    resources,
    storage,
)

from lastmile_infra.azure.identity import Identity, grant
from lastmile_infra.azure.scope import Deployer, Scope, type_of
from lastmile_infra.azure.storage import add_container, make_account
from lastmile_sls.bootstrap.document import BillingPlan, BootstrapPlan, KeyPlan, RegistryPlan, StatePlan

__all__ = ["provision"]
_EXPORTS_API = "2025-03-01"
"""The first of Cost Management's that is no preview and knows FocusCost and Parquet; Pulumi's SDK speaks 2024-08-01
(github.com/Azure/bicep-types-az, microsoft.costmanagement/2025-03-01/types.md, 2026-11-29)."""
_SOFT_DELETE_DAYS = 7
_KEY_KEPT_DAYS = 90
"""The longest that Key Vault takes (azure-mgmt-keyvault, VaultProperties)."""


def provision(name: str, plan: BootstrapPlan, opts: pulumi.ResourceOptions) -> dict[str, pulumi.Input[str]]:
    """Make what the plan says; return what each part is called."""
    scope = _open_scope(name, plan, opts)
    account = _make_account(scope, plan["state"])
    made: dict[str, pulumi.Input[str]] = {"state": plan["state"]["url"]}
    if plan["inherit_tags"]:
        _inherit_tags(scope, plan["account"])
    if plan["billing"]:
        made["billing"] = _make_export(scope, account, plan["billing"])
    if plan["registry"]:
        made["registry"] = _make_registry(scope, plan["registry"])
    if plan["key"]:
        _make_key(scope, plan["key"])
        made["secrets_provider"] = plan["key"]["url"]
    return made


def _open_scope(name: str, plan: BootstrapPlan, opts: pulumi.ResourceOptions) -> Scope:
    """Make the group, which outlives the stack with all that is in it."""
    brought = opts.parent.get_provider("azure-native:index:Provider") if opts.parent else None
    provider = brought or Provider(f"{name}-azure", subscription_id=plan["account"], opts=opts)
    with_provider = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=provider))
    config = authorization.get_client_config_output(
        opts=pulumi.InvokeOutputOptions(parent=with_provider.parent, provider=provider)
    )
    kept = pulumi.ResourceOptions.merge(with_provider, pulumi.ResourceOptions(retain_on_delete=True))
    group = resources.ResourceGroup(
        f"{name}-group",
        resource_group_name=plan["group"],
        location=plan["region"],
        tags=plan["tags"],
        opts=kept,
    )
    return Scope(
        name=name,
        deployment=name,
        group=group.name,
        location=plan["region"],
        tags=plan["tags"],
        subscription=pulumi.Output.from_input(plan["account"]),
        tenant=config.tenant_id,
        deployer=Deployer(config.object_id, config.client_id.apply(type_of)),
        opts=kept,
        delivered=opts,
    )


def _make_account(scope: Scope, plan: StatePlan) -> storage.StorageAccount:
    """Make the account, and in it the state's container, which whoever runs this may write to with their own token."""
    account = make_account(scope, "data", plan["name"])
    container = add_container(scope, "state", account, plan["container"] or "")
    grant(scope, "deployer-writes-state", "Storage Blob Data Contributor", container.id, scope.deployer)
    retention = storage.DeleteRetentionPolicyArgs(enabled=True, days=_SOFT_DELETE_DAYS)
    versions = storage.BlobServiceProperties(
        f"{scope.name}-versions",
        account_name=account.name,
        blob_services_name="default",
        is_versioning_enabled=True,
        delete_retention_policy=retention,
        container_delete_retention_policy=retention,
        resource_group_name=scope.group,
        opts=scope.opts,
    )
    old = storage.DateAfterCreationArgs(days_after_creation_greater_than=plan["old_versions_days"])
    rule = storage.ManagementPolicyRuleArgs(
        name="old-versions",
        enabled=True,
        type=storage.RuleType.LIFECYCLE,
        definition=storage.ManagementPolicyDefinitionArgs(
            actions=storage.ManagementPolicyActionArgs(
                version=storage.ManagementPolicyVersionArgs(delete=old)
            ),
            filters=storage.ManagementPolicyFilterArgs(blob_types=["blockBlob"]),
        ),
    )
    storage.ManagementPolicy(
        f"{scope.name}-lifecycle",
        account_name=account.name,
        management_policy_name="default",
        policy=storage.ManagementPolicySchemaArgs(rules=[rule]),
        resource_group_name=scope.group,
        opts=scope.after(versions),
    )
    return account


def _inherit_tags(scope: Scope, subscription: str) -> None:
    """Let charges have the tags of their resource group and subscription; a resource's own tag wins."""
    costmanagement.TagInheritanceSetting(
        f"{scope.name}-tag-inheritance",
        kind="taginheritance",
        scope=f"subscriptions/{subscription}",
        type="taginheritance",
        properties=costmanagement.TagInheritancePropertiesArgs(prefer_container_tags=False),
        opts=pulumi.ResourceOptions.merge(scope.opts, pulumi.ResourceOptions(retain_on_delete=False)),
    )


def _make_export(scope: Scope, account: storage.StorageAccount, plan: BillingPlan) -> pulumi.Output[str]:
    """Make the container, and the export into it, which writes with an identity of its own: the account takes no keys."""
    container = add_container(scope, "billing", account, plan["name"])
    deployment = resources.DeploymentAtSubscriptionScope(
        f"{scope.name}-focus",
        deployment_name=plan["export"],
        location=scope.location,
        properties=resources.DeploymentPropertiesArgs(
            mode=resources.DeploymentMode.INCREMENTAL,
            template=pulumi.Output.all(account.id, container.name).apply(
                lambda known: export_template(plan, scope.location, *known)
            ),
        ),
        tags=scope.tags,
        opts=scope.opts,
    )
    principal: pulumi.Output[str] = deployment.properties.outputs.apply(_principal)
    writer = Identity(principal, principal, principal)
    grant(scope, "export-writes-bill", "Storage Blob Data Contributor", container.id, writer)
    return pulumi.Output.concat(container.url, "/", plan["prefix"] or "")


def _principal(outputs: Any) -> str:
    return str(outputs["principal"]["value"])


def export_template(plan: BillingPlan, location: str, account: str, container: str) -> dict[str, Any]:
    """Return the template of a daily export of the month to date in FOCUS columns, from tomorrow on.

    Args:
        plan: What it is.
        location: Of its identity.
        account: The storage account's resource id.
        container: Where in the account its files go.
    """
    tomorrow = "[concat(dateTimeAdd(parameters('now'), 'P1D', 'yyyy-MM-dd'), 'T00:00:00Z')]"
    name = plan["export"]
    export_id = f"subscriptionResourceId('Microsoft.CostManagement/exports', '{name}')"
    properties = {
        "exportDescription": "What everything cost, for lastmile.",
        "format": "Parquet",
        "compressionMode": "snappy",
        "dataOverwriteBehavior": "OverwritePreviousReport",
        "partitionData": True,
        "definition": {
            "type": "FocusCost",
            "timeframe": "MonthToDate",
            "dataSet": {"granularity": "Daily", "configuration": {"dataVersion": plan["version"]}},
        },
        "schedule": {
            "status": "Active",
            "recurrence": "Daily",
            "recurrencePeriod": {"from": tomorrow, "to": "2099-12-31T00:00:00Z"},
        },
        "deliveryInfo": {
            "destination": {
                "type": "AzureBlob",
                "resourceId": account,
                "container": container,
                "rootFolderPath": plan["prefix"],
            }
        },
    }
    export = {
        "type": "Microsoft.CostManagement/exports",
        "apiVersion": _EXPORTS_API,
        "name": name,
        "location": location,
        "identity": {"type": "SystemAssigned"},
        "properties": properties,
    }
    found = f"[reference({export_id}, '{_EXPORTS_API}', 'Full').identity.principalId]"
    return {
        "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {"now": {"type": "string", "defaultValue": "[utcNow('u')]"}},
        "resources": [export],
        "outputs": {"principal": {"type": "string", "value": found}},
    }


def _make_registry(scope: Scope, plan: RegistryPlan) -> pulumi.Output[str]:
    """Make the registry of shared images, which outlives the stack with them."""
    registry = containerregistry.Registry(
        f"{scope.name}-images",
        registry_name=plan["name"],
        sku=containerregistry.SkuArgs(name=containerregistry.SkuName.BASIC),
        admin_user_enabled=False,
        anonymous_pull_enabled=False,
        **scope.here,
        opts=scope.opts,
    )
    server: pulumi.Output[str] = registry.login_server
    return server


def _make_key(scope: Scope, plan: KeyPlan) -> None:
    """Make a vault that cannot be purged, and in it the key that encrypts secrets in the state."""
    vault = keyvault.Vault(
        f"{scope.name}-keys",
        vault_name=plan["ring"],
        properties=keyvault.VaultPropertiesArgs(
            tenant_id=scope.tenant,
            sku=keyvault.SkuArgs(family=keyvault.SkuFamily.A, name=keyvault.SkuName.STANDARD),
            enable_rbac_authorization=True,
            enable_soft_delete=True,
            soft_delete_retention_in_days=_KEY_KEPT_DAYS,
            enable_purge_protection=True,
        ),
        **scope.here,
        opts=scope.opts,
    )
    key = keyvault.Key(
        f"{scope.name}-key",
        key_name=plan["name"],
        vault_name=vault.name,
        properties=keyvault.KeyPropertiesArgs(
            kty=keyvault.JsonWebKeyType.RSA,
            key_size=3072,
            key_ops=[
                keyvault.JsonWebKeyOperation.ENCRYPT,
                keyvault.JsonWebKeyOperation.DECRYPT,
            ],
        ),
        resource_group_name=scope.group,
        tags=scope.tags,
        opts=scope.opts,
    )
    grant(scope, "deployer-uses-key", "Key Vault Crypto User", key.id, scope.deployer)
