"""The deployment's storage on Azure: an account for what outlives it, and another for what the functions' host needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pulumi
from pulumi_azure_native import storage

from lastmile_infra.azure.identity import Identity, grant, only_below, only_blob
from lastmile_infra.azure.names import LONGEST_ACCOUNT, letters
from lastmile_infra.azure.scope import Scope, place_of
from lastmile_infra.storage import Storage, add_routing
from lastmile_sls.plan.document import FunctionPlan, Plan, StoragePlan

_SOFT_DELETE_DAYS = 7
"""How long what is deleted by mistake can be had back."""


@dataclass(frozen=True)
class Container:
    """A blob container."""

    account: pulumi.Output[str]
    name: pulumi.Output[str]
    id: pulumi.Output[str]
    group: pulumi.Output[str]
    """The resource group that it is in."""
    own: bool = True
    """Whether the deployment made it."""

    @property
    def url(self) -> pulumi.Output[str]:
        """The store's URL (see `lastmile_runtime.stores`)."""
        return pulumi.Output.concat("az://", self.account, "/", self.name)


def open_container(scope: Scope, plan: Plan) -> Container | None:
    """Make the container of the plan's storage, or use the one that was there; None where the plan has none."""
    if plan["storage"] is None:
        return None
    adopted = plan["storage"]["adopted"]
    return _adopted(scope, plan, adopted) if adopted else _make_container(scope, plan["storage"])


def make_storage(scope: Scope, plan: Plan, identity: Identity, container: Container) -> Storage:
    """Put the routing document into the container, and let the functions do there what the plan says, and no more."""
    writing = _let_deployer_write(scope, container) if container.own else None
    works = [
        _let_work(scope, function, container, identity) for function in plan["functions"] if _works(function)
    ]
    without = Storage(container.name, container.url, ready=works)
    if plan["routing"] is None:
        return without
    writable = pulumi.ResourceOptions(depends_on=[writing] if writing else None)
    opts = pulumi.ResourceOptions.merge(scope.delivered, writable)
    routed = add_routing(without, plan["routing"], scope.name, opts)
    reading = grant(
        scope,
        "reads-routing",
        "Storage Blob Data Reader",
        container.id,
        identity,
        only_blob(plan["routing"]["path"]),
    )
    return replace(routed, ready=[*routed.ready, reading])


def _let_deployer_write(scope: Scope, container: Container) -> pulumi.Resource:
    name = "deployer-writes-state"
    made: pulumi.Resource = grant(scope, name, "Storage Blob Data Contributor", container.id, scope.deployer)
    return made


def _works(function: FunctionPlan) -> bool:
    return bool(function["jobs"] or function["batch"])


def _let_work(
    scope: Scope, function: FunctionPlan, container: Container, identity: Identity
) -> pulumi.Resource:
    """Let a function write answers and predictions, and read what it scores: one grant, for Azure takes no second one of
    a role on the same resource to the same identity."""
    batch = function["batch"]
    written = [place for place in (function["jobs"], batch and batch["output"]) if place]
    read = [batch["input"]] if batch else []
    for place in (*written, *read):
        if "://" in place:
            raise ValueError(
                f"the plan's {place!r} is a URL, but on Azure work is done in the plan's storage."
            )
    condition = only_below(written, read)
    made: pulumi.Resource = grant(
        scope, "works-on-state", "Storage Blob Data Contributor", container.id, identity, condition
    )
    return made


def make_account(scope: Scope, end: str, called: str | None = None) -> storage.StorageAccount:
    """Make an account that nobody enters without a role, a token and TLS.

    Args:
        scope: Where.
        end: What tells it from the deployment's others.
        called: Its name on Azure; Pulumi's own and eight characters more by default.
    """
    return storage.StorageAccount(
        letters(scope.deployment, LONGEST_ACCOUNT, end),
        account_name=called,
        kind=storage.Kind.STORAGE_V2,
        sku=storage.SkuArgs(name=storage.SkuName.STANDARD_LRS),
        allow_blob_public_access=False,
        allow_cross_tenant_replication=False,
        allow_shared_key_access=False,
        default_to_o_auth_authentication=True,
        enable_https_traffic_only=True,
        minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
        encryption=storage.EncryptionArgs(
            key_source=storage.KeySource.MICROSOFT_STORAGE,
            services=storage.EncryptionServicesArgs(blob=storage.EncryptionServiceArgs(enabled=True)),
        ),
        **scope.here,
        opts=scope.opts,
    )


def add_container(scope: Scope, name: str, account: storage.StorageAccount, container: str) -> Container:
    """Make a container in an account; `name` is the resource's in the stack."""
    made = storage.BlobContainer(
        f"{scope.name}-{name}",
        account_name=account.name,
        container_name=container,
        public_access=storage.PublicAccess.NONE,
        resource_group_name=scope.group,
        opts=scope.opts,
    )
    return Container(account.name, made.name, made.id, scope.group)


def _make_container(scope: Scope, plan: StoragePlan) -> Container:
    """Make the storage in a group of its own: whoever deletes a group deletes all that is in it."""
    kept = scope.kept()
    account = make_account(kept, "data")
    container = add_container(kept, plan["name"], account, plan["name"])
    retention = storage.DeleteRetentionPolicyArgs(enabled=True, days=_SOFT_DELETE_DAYS)
    storage.BlobServiceProperties(
        f"{scope.name}-versions",
        account_name=account.name,
        blob_services_name="default",
        is_versioning_enabled=True,
        delete_retention_policy=retention,
        container_delete_retention_policy=retention,
        resource_group_name=kept.group,
        opts=kept.opts,
    )
    storage.ManagementPolicy(
        f"{scope.name}-lifecycle",
        account_name=account.name,
        management_policy_name="default",
        policy=storage.ManagementPolicySchemaArgs(rules=_rules(plan)),
        resource_group_name=kept.group,
        opts=kept.opts,
    )
    return container


def _rules(plan: StoragePlan) -> list[storage.ManagementPolicyRuleArgs]:
    """Return what is deleted after how many days.

    Uploads that nobody finished need no rule: their blocks are gone after a week
    (learn.microsoft.com/rest/api/storageservices/put-block, remarks, 2026-11-29).
    """
    rules = [
        _rule(
            f"expire-{prefix.strip('/')}",
            f"{plan['name']}/{prefix}",
            storage.ManagementPolicyActionArgs(
                base_blob=storage.ManagementPolicyBaseBlobArgs(
                    delete=storage.DateAfterModificationArgs(days_after_modification_greater_than=days)
                )
            ),
        )
        for prefix, days in plan["expire_days"].items()
    ]
    old = storage.DateAfterCreationArgs(days_after_creation_greater_than=plan["old_versions_days"])
    version = storage.ManagementPolicyVersionArgs(delete=old)
    former = storage.ManagementPolicyActionArgs(version=version)
    return [*rules, _rule("old-versions", f"{plan['name']}/", former)]


def _rule(
    name: str, prefix: str, actions: storage.ManagementPolicyActionArgs
) -> storage.ManagementPolicyRuleArgs:
    filters = storage.ManagementPolicyFilterArgs(blob_types=["blockBlob"], prefix_match=[prefix])
    return storage.ManagementPolicyRuleArgs(
        name=name,
        enabled=True,
        type=storage.RuleType.LIFECYCLE,
        definition=storage.ManagementPolicyDefinitionArgs(actions=actions, filters=filters),
    )


def _adopted(scope: Scope, plan: Plan, adopted: str) -> Container:
    """Return a container of the user's, ACCOUNT/CONTAINER."""
    account, _, name = adopted.partition("/")
    group = place_of(plan)["resource_group"] or ""
    id_ = pulumi.Output.concat(
        "/subscriptions/",
        scope.subscription,
        "/resourceGroups/",
        group,
        "/providers/Microsoft.Storage/storageAccounts/",
        account,
        "/blobServices/default/containers/",
        name,
    )
    return Container(
        pulumi.Output.from_input(account),
        pulumi.Output.from_input(name),
        id_,
        pulumi.Output.from_input(group),
        own=False,
    )
