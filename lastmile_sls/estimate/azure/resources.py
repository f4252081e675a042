"""Which of Azure's resources cost what: every type of our programs is in one of two tables."""

from __future__ import annotations

from types import MappingProxyType

from lastmile_sls.estimate.azure import containers, functions, gateway, operations, queue, storage
from lastmile_sls.estimate.month import CloudCosts, Formula

_PRICED: dict[str, Formula] = {
    "azure-native:app:ContainerApp": containers.app,
    "azure-native:cdn:Profile": gateway.profile,
    "azure-native:containerregistry:Registry": storage.registry,
    "azure-native:keyvault:Vault": storage.vault,
    "azure-native:monitor:MetricAlert": operations.metric_alert,
    "azure-native:monitor:ScheduledQueryRule": operations.log_alert,
    "azure-native:operationalinsights:Workspace": operations.workspace,
    "azure-native:storage:Queue": queue.queue,
    "azure-native:storage:StorageAccount": storage.account,
    "azure-native:web:WebApp": functions.app,
}
_GROUP = "A resource group costs nothing; what is in it does (azure.microsoft.com/pricing, unverified)."
_IDENTITY = (
    "Identities and their roles are free (azure.microsoft.com/pricing/details/active-directory, unverified)."
)
_DOOR = (
    "A part of Front Door, which is billed by its profile and what goes through it "
    "(learn.microsoft.com/azure/frontdoor/billing, 2023-12-28)."
)
_RULES = (
    "Rules of one's own are free in Front Door Standard "
    "(learn.microsoft.com/azure/frontdoor/understanding-pricing, 2023-05-26)."
)
_PLAN = (
    "A Flex Consumption plan is billed by its app "
    "(learn.microsoft.com/azure/azure-functions/flex-consumption-plan, 2026-11-29)."
)
_SETTING = "A setting of the app, which is billed itself."
_ENVIRONMENT = (
    "An environment with the Consumption profile alone costs nothing; its apps do "
    "(learn.microsoft.com/azure/container-apps/billing, 2025-12-09)."
)
_LOG = "Billed with the workspace, for what it takes in (azure.microsoft.com/pricing/details/monitor, unverified)."
_PICTURE = "Workbooks are free (azure.microsoft.com/pricing/details/monitor, unverified)."
_TELLING = (
    "A thousand e-mails a month are free, and 100 000 more cost $2 "
    "(azure.microsoft.com/pricing/details/monitor, 2026-08-21 in a public copy)."
)
_BUDGET = (
    "Budgets and their alerts are free (azure.microsoft.com/pricing/details/cost-management, unverified)."
)
_ACCOUNT = "Billed with its storage account (azure.microsoft.com/pricing/details/storage/blobs, unverified)."
_RECORD = (
    "Queries are billed with the zone, which was there before: $0.40 a million "
    "(azure.microsoft.com/pricing/details/dns, 2026-09-29 in a public copy)."
)
_KEPT = "Billed with the vault, by how often it is read (azure.microsoft.com/pricing/details/key-vault, unverified)."
_FREE = {
    "azure-native:app:ContainerAppsAuthConfig": _SETTING,
    "azure-native:app:ManagedEnvironment": _ENVIRONMENT,
    "azure-native:applicationinsights:Component": _LOG,
    "azure-native:applicationinsights:Workbook": _PICTURE,
    "azure-native:authorization:RoleAssignment": _IDENTITY,
    "azure-native:cdn:AFDCustomDomain": _DOOR,
    "azure-native:cdn:AFDEndpoint": _DOOR,
    "azure-native:cdn:AFDOrigin": _DOOR,
    "azure-native:cdn:AFDOriginGroup": _DOOR,
    "azure-native:cdn:Route": _DOOR,
    "azure-native:cdn:SecurityPolicy": _RULES,
    "azure-native:consumption:Budget": _BUDGET,
    "azure-native:dns:RecordSet": _RECORD,
    "azure-native:frontdoor:Policy": _RULES,
    "azure-native:keyvault:Secret": _KEPT,
    "azure-native:managedidentity:UserAssignedIdentity": _IDENTITY,
    "azure-native:monitor:ActionGroup": _TELLING,
    "azure-native:monitor:DiagnosticSetting": _LOG,
    "azure-native:operationalinsights:Table": _LOG,
    "azure-native:resources:ResourceGroup": _GROUP,
    "azure-native:storage:BlobContainer": _ACCOUNT,
    "azure-native:storage:BlobServiceProperties": _ACCOUNT,
    "azure-native:storage:ManagementPolicy": _ACCOUNT,
    "azure-native:web:AppServicePlan": _PLAN,
    "azure-native:web:WebAppAuthSettingsV2": _SETTING,
    "azure-native:web:WebAppScmAllowed": _SETTING,
}

COSTS = CloudCosts(priced=MappingProxyType(_PRICED), free=MappingProxyType(_FREE))
