"""What Azure's resource manager would answer when a resource is made."""

from __future__ import annotations

from typing import Any

from tests.clouds.outputs.made import Made, Outputs

_STORAGE_SERVICES = ("blob", "dfs", "file", "queue", "table")


def _group_path(made: Made) -> str:
    return f"/subscriptions/{made.place.subscription}/resourceGroups/{made['resourceGroupName']}"


def _arm(made: Made, kind: str, *keys: str, fixed: str = "") -> dict[str, Any]:
    """Return id, name and type of a resource below a group: `Microsoft.Web/sites` and the inputs that name its parts."""
    namespace, *types = kind.split("/")
    names = [made.named(key) for key in keys] + ([fixed] if fixed else [])
    parts = "/".join(f"{type_}/{name}" for type_, name in zip(types, names, strict=True))
    return {
        "id": f"{_group_path(made)}/providers/{namespace}/{parts}",
        "name": names[-1],
        "type": kind,
    }


def _plain(kind: str, *keys: str, fixed: str = "") -> Outputs:
    return lambda made: _arm(made, kind, *keys, fixed=fixed)


def _group(made: Made) -> dict[str, Any]:
    name = made.named("resourceGroupName")
    return {
        "id": f"/subscriptions/{made.place.subscription}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": made.inputs.get("location") or made.place.region,
    }


def _storage_account(made: Made) -> dict[str, Any]:
    outputs = _arm(made, "Microsoft.Storage/storageAccounts", "accountName")
    name = outputs["name"]
    return {
        **outputs,
        "primaryEndpoints": {s: f"https://{name}.{s}.core.windows.net/" for s in _STORAGE_SERVICES},
        "primaryLocation": made.inputs.get("location") or made.place.region,
    }


def _container(made: Made) -> dict[str, Any]:
    kind = "Microsoft.Storage/storageAccounts/blobServices/containers"
    name = made.named("containerName")
    account = f"{_group_path(made)}/providers/Microsoft.Storage/storageAccounts/{made['accountName']}"
    return {"id": f"{account}/blobServices/default/containers/{name}", "name": name, "type": kind}


def _identity(made: Made) -> dict[str, Any]:
    """Return what a resource says of its identities: the system's own, and the users', which come out as a map."""
    wanted = made.inputs.get("identity")
    if not wanted:
        return {}
    identity: dict[str, Any] = {}
    if "SystemAssigned" in wanted["type"]:
        identity |= {"principalId": made.uuid("principal"), "tenantId": made.place.tenant}
    if "UserAssigned" in wanted["type"]:
        identity["userAssignedIdentities"] = {
            id_: {"principalId": made.uuid(f"{id_} principal"), "clientId": made.uuid(f"{id_} client")}
            for id_ in wanted["userAssignedIdentities"]
        }
    return {"identity": identity}


def _web_app(made: Made) -> dict[str, Any]:
    outputs = _arm(made, "Microsoft.Web/sites", "name")
    return {
        **outputs,
        "defaultHostName": f"{outputs['name']}.azurewebsites.net",
        "hostNames": [f"{outputs['name']}.azurewebsites.net"],
        "customDomainVerificationId": made.digest(64, "domain").upper(),
        **_identity(made),
    }


def _user_identity(made: Made) -> dict[str, Any]:
    return {
        **_arm(made, "Microsoft.ManagedIdentity/userAssignedIdentities", "resourceName"),
        "principalId": made.uuid("principal"),
        "clientId": made.uuid("client"),
        "tenantId": made.place.tenant,
    }


def _role_assignment(made: Made) -> dict[str, Any]:
    name = made.inputs.get("roleAssignmentName") or made.uuid("assignment")
    kind = "Microsoft.Authorization/roleAssignments"
    return {"id": f"{made['scope']}/providers/{kind}/{name}", "name": name, "type": kind}


def _vault(made: Made) -> dict[str, Any]:
    outputs = _arm(made, "Microsoft.KeyVault/vaults", "vaultName")
    return {**outputs, "properties": {"vaultUri": f"https://{outputs['name']}.vault.azure.net/"}}


def _secret(made: Made) -> dict[str, Any]:
    outputs = _arm(made, "Microsoft.KeyVault/vaults/secrets", "vaultName", "secretName")
    uri = f"https://{made['vaultName']}.vault.azure.net/secrets/{outputs['name']}"
    version = made.digest(32, str(made.generation))
    return {**outputs, "properties": {"secretUri": uri, "secretUriWithVersion": f"{uri}/{version}"}}


def _environment(made: Made) -> dict[str, Any]:
    return {
        **_arm(made, "Microsoft.App/managedEnvironments", "environmentName"),
        "defaultDomain": f"happy-{made.digest(8)}.{made.inputs.get('location')}.azurecontainerapps.io",
        "staticIp": "203.0.113.8",
    }


def _container_app(made: Made) -> dict[str, Any]:
    outputs = _arm(made, "Microsoft.App/containerApps", "containerAppName")
    host = f"{outputs['name']}.happy-{made.digest(8)}.{made.inputs.get('location')}.azurecontainerapps.io"
    ingress = {"configuration": {"ingress": {"fqdn": host}}} if made.inputs.get("configuration") else {}
    return {
        **outputs,
        **ingress,
        "latestRevisionFqdn": host,
        "latestRevisionName": f"{outputs['name']}--{made.generation:07d}",
        **_identity(made),
    }


def _registry(made: Made) -> dict[str, Any]:
    outputs = _arm(made, "Microsoft.ContainerRegistry/registries", "registryName")
    return {**outputs, "loginServer": f"{outputs['name']}.azurecr.io"}


def _profile(made: Made) -> dict[str, Any]:
    return {**_arm(made, "Microsoft.Cdn/profiles", "profileName"), "frontDoorId": made.uuid("door")}


def _endpoint(made: Made) -> dict[str, Any]:
    outputs = _arm(made, "Microsoft.Cdn/profiles/afdEndpoints", "profileName", "endpointName")
    return {**outputs, "hostName": f"{outputs['name']}-{made.digest(10)}.z01.azurefd.net"}


def _custom_domain(made: Made) -> dict[str, Any]:
    validation = {"validationToken": made.digest(32, "token"), "expirationDate": "2099-01-01T00:00:00Z"}
    return {
        **_arm(made, "Microsoft.Cdn/profiles/customDomains", "profileName", "customDomainName"),
        "validationProperties": validation,
        "domainValidationState": "Pending",
    }


def _record_set(made: Made) -> dict[str, Any]:
    kind = f"Microsoft.Network/dnsZones/{made['recordType']}"
    outputs = _arm(made, kind, "zoneName", "relativeRecordSetName")
    return {**outputs, "fqdn": f"{outputs['name']}.{made['zoneName']}."}


def _component(made: Made) -> dict[str, Any]:
    key = made.uuid("instrumentation")
    return {
        **_arm(made, "Microsoft.Insights/components", "resourceName"),
        "instrumentationKey": key,
        "connectionString": f"InstrumentationKey={key};IngestionEndpoint=https://{made.digest(8)}.in.applicationinsights.azure.com/",
        "appId": made.uuid("app"),
    }


def _workspace(made: Made) -> dict[str, Any]:
    return {
        **_arm(made, "Microsoft.OperationalInsights/workspaces", "workspaceName"),
        "customerId": made.uuid("customer"),
    }


def _queue(made: Made) -> dict[str, Any]:
    kind = "Microsoft.Storage/storageAccounts/queueServices/queues"
    name = made.named("queueName")
    account = f"{_group_path(made)}/providers/Microsoft.Storage/storageAccounts/{made['accountName']}"
    return {"id": f"{account}/queueServices/default/queues/{name}", "name": name, "type": kind}


def _below(kind: str, scope: str, key: str) -> Outputs:
    """Return what tells of a resource that extends another, or a subscription."""
    return lambda made: {
        "id": f"{made[scope]}/providers/{kind}/{made.named(key)}",
        "name": made.named(key),
        "type": kind,
    }


_ACCOUNT = "Microsoft.Storage/storageAccounts"

OUTPUTS: dict[str, Outputs] = {
    "azure-native:resources:ResourceGroup": _group,
    "azure-native:storage:StorageAccount": _storage_account,
    "azure-native:storage:BlobContainer": _container,
    "azure-native:storage:BlobServiceProperties": _plain(
        f"{_ACCOUNT}/blobServices", "accountName", "blobServicesName"
    ),
    "azure-native:storage:ManagementPolicy": _plain(
        f"{_ACCOUNT}/managementPolicies", "accountName", "managementPolicyName"
    ),
    "azure-native:web:AppServicePlan": _plain("Microsoft.Web/serverfarms", "name"),
    "azure-native:web:WebApp": _web_app,
    "azure-native:web:WebAppAuthSettingsV2": _plain(
        "Microsoft.Web/sites/config", "name", fixed="authsettingsV2"
    ),
    "azure-native:web:WebAppScmAllowed": _plain(
        "Microsoft.Web/sites/basicPublishingCredentialsPolicies", "name", fixed="scm"
    ),
    "azure-native:web:WebAppFtpAllowed": _plain(
        "Microsoft.Web/sites/basicPublishingCredentialsPolicies", "name", fixed="ftp"
    ),
    "azure-native:web:WebAppHostNameBinding": _plain(
        "Microsoft.Web/sites/hostNameBindings", "name", "hostName"
    ),
    "azure-native:web:Certificate": lambda made: {
        **_arm(made, "Microsoft.Web/certificates", "name"),
        "thumbprint": made.digest(40, "thumbprint").upper(),
    },
    "azure-native:managedidentity:UserAssignedIdentity": _user_identity,
    "azure-native:authorization:RoleAssignment": _role_assignment,
    "azure-native:keyvault:Vault": _vault,
    "azure-native:keyvault:Secret": _secret,
    "azure-native:app:ManagedEnvironment": _environment,
    "azure-native:app:ContainerApp": _container_app,
    "azure-native:app:ContainerAppsAuthConfig": _plain(
        "Microsoft.App/containerApps/authConfigs", "containerAppName", "authConfigName"
    ),
    "azure-native:containerregistry:Registry": _registry,
    "azure-native:cdn:Profile": _profile,
    "azure-native:cdn:AFDEndpoint": _endpoint,
    "azure-native:cdn:AFDOriginGroup": _plain(
        "Microsoft.Cdn/profiles/originGroups", "profileName", "originGroupName"
    ),
    "azure-native:cdn:AFDOrigin": _plain(
        "Microsoft.Cdn/profiles/originGroups/origins", "profileName", "originGroupName", "originName"
    ),
    "azure-native:cdn:Route": _plain(
        "Microsoft.Cdn/profiles/afdEndpoints/routes", "profileName", "endpointName", "routeName"
    ),
    "azure-native:cdn:AFDCustomDomain": _custom_domain,
    "azure-native:cdn:SecurityPolicy": _plain(
        "Microsoft.Cdn/profiles/securityPolicies", "profileName", "securityPolicyName"
    ),
    "azure-native:frontdoor:Policy": _plain(
        "Microsoft.Network/frontDoorWebApplicationFirewallPolicies", "policyName"
    ),
    "azure-native:dns:RecordSet": _record_set,
    "azure-native:applicationinsights:Component": _component,
    "azure-native:applicationinsights:Workbook": _plain("Microsoft.Insights/workbooks", "resourceName"),
    "azure-native:operationalinsights:Workspace": _workspace,
    "azure-native:operationalinsights:Table": _plain(
        "Microsoft.OperationalInsights/workspaces/tables", "workspaceName", "tableName"
    ),
    "azure-native:storage:Queue": _queue,
    "azure-native:monitor:ActionGroup": _plain("Microsoft.Insights/actionGroups", "actionGroupName"),
    "azure-native:monitor:ScheduledQueryRule": _plain("Microsoft.Insights/scheduledQueryRules", "ruleName"),
    "azure-native:monitor:MetricAlert": _plain("Microsoft.Insights/metricAlerts", "ruleName"),
    "azure-native:monitor:DiagnosticSetting": _below(
        "Microsoft.Insights/diagnosticSettings", "resourceUri", "name"
    ),
    "azure-native:consumption:Budget": _below("Microsoft.Consumption/budgets", "scope", "budgetName"),
}
