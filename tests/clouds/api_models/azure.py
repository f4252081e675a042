"""Azure's models: the azure-mgmt packages that Microsoft generates from the specifications of its resource manager.

The versions that name every bound are used, those made by AutoRest: its models carry `_attribute_map` and `_validation`, and
its operations the bounds of what stands in the address. Their successors carry neither.
"""

from __future__ import annotations

import ast
import enum
import importlib
import inspect
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.clouds.api_models.bootstrap import AZURE_ROOTS, AZURE_UNMAPPED
from tests.clouds.api_models.mapping import CloudModel, Place
from tests.clouds.api_models.node import Bounds, Node
from tests.clouds.api_models.typespec import from_typespec

_SCALARS = {
    "str": "string",
    "int": "integer",
    "long": "integer",
    "float": "number",
    "bool": "boolean",
    "object": "any",
    "iso-8601": "string",
    "rfc-1123": "string",
    "duration": "string",
    "bytearray": "string",
    "base64": "string",
    "date": "string",
    "unix-time": "integer",
}
_MODEL = re.compile(r"_models(?:_py3)?\.(\w+)")

ROOTS: dict[str, tuple[str, ...]] = {
    "azure-native:resources:ResourceGroup": (
        "resource.resources.v2022_09_01:ResourceGroup",
        "resource.resources.v2022_09_01/resource_groups.create_or_update",
    ),
    "azure-native:storage:StorageAccount": (
        "storage:StorageAccountCreateParameters",
        "storage/storage_accounts.create",
    ),
    "azure-native:storage:BlobContainer": ("storage:BlobContainer", "storage/blob_containers.create"),
    "azure-native:storage:BlobServiceProperties": (
        "storage:BlobServiceProperties",
        "storage/blob_services.set_service_properties",
    ),
    "azure-native:storage:ManagementPolicy": (
        "storage:ManagementPolicy",
        "storage/management_policies.create_or_update",
    ),
    "azure-native:storage:Queue": ("storage:StorageQueue", "storage/queue.create"),
    "azure-native:web:AppServicePlan": ("web:AppServicePlan", "web/app_service_plans.create_or_update"),
    "azure-native:web:WebApp": ("web:Site", "web/web_apps.create_or_update"),
    "azure-native:web:WebAppAuthSettingsV2": (
        "web:SiteAuthSettingsV2",
        "web/web_apps.update_auth_settings_v2",
    ),
    "azure-native:web:WebAppScmAllowed": (
        "web:CsmPublishingCredentialsPoliciesEntity",
        "web/web_apps.update_scm_allowed",
    ),
    "azure-native:web:WebAppFtpAllowed": (
        "web:CsmPublishingCredentialsPoliciesEntity",
        "web/web_apps.update_ftp_allowed",
    ),
    "azure-native:web:WebAppHostNameBinding": (
        "web:HostNameBinding",
        "web/web_apps.create_or_update_host_name_binding",
    ),
    "azure-native:web:Certificate": ("web:Certificate", "web/certificates.create_or_update"),
    "azure-native:managedidentity:UserAssignedIdentity": (
        "msi.v2023_01_31:Identity",
        "msi.v2023_01_31/user_assigned_identities.create_or_update",
    ),
    "azure-native:authorization:RoleAssignment": (
        "authorization.v2022_04_01:RoleAssignmentCreateParameters",
        "authorization.v2022_04_01/role_assignments.create",
    ),
    "azure-native:keyvault:Vault": (
        "keyvault:VaultCreateOrUpdateParameters",
        "keyvault/vaults.create_or_update",
    ),
    "azure-native:keyvault:Secret": (
        "keyvault:SecretCreateOrUpdateParameters",
        "keyvault/secrets.create_or_update",
    ),
    "azure-native:app:ManagedEnvironment": (
        "appcontainers:ManagedEnvironment",
        "appcontainers/managed_environments.create_or_update",
    ),
    "azure-native:app:ContainerApp": (
        "appcontainers:ContainerApp",
        "appcontainers/container_apps.create_or_update",
    ),
    "azure-native:app:ContainerAppsAuthConfig": (
        "appcontainers:AuthConfig",
        "appcontainers/container_apps_auth_configs.create_or_update",
    ),
    "azure-native:containerregistry:Registry": (
        "containerregistry.v2023_01_01_preview:Registry",
        "containerregistry.v2023_01_01_preview/registries.create",
    ),
    "azure-native:cdn:Profile": ("cdn:Profile", "cdn/profiles.create"),
    "azure-native:cdn:AFDEndpoint": ("cdn:AFDEndpoint", "cdn/afd_endpoints.create"),
    "azure-native:cdn:AFDOriginGroup": ("cdn:AFDOriginGroup", "cdn/afd_origin_groups.create"),
    "azure-native:cdn:AFDOrigin": ("cdn:AFDOrigin", "cdn/afd_origins.create"),
    "azure-native:cdn:Route": ("cdn:Route", "cdn/routes.create"),
    "azure-native:cdn:AFDCustomDomain": ("cdn:AFDDomain", "cdn/afd_custom_domains.create"),
    "azure-native:cdn:SecurityPolicy": ("cdn:SecurityPolicy", "cdn/security_policies.create"),
    "azure-native:frontdoor:Policy": (
        "frontdoor:WebApplicationFirewallPolicy",
        "frontdoor/policies.create_or_update",
    ),
    "azure-native:dns:RecordSet": (
        "dns.v2023_07_01_preview:RecordSet",
        "dns.v2023_07_01_preview/record_sets.create_or_update",
    ),
    "azure-native:applicationinsights:Component": (
        "applicationinsights.v2020_02_02:ApplicationInsightsComponent",
        "applicationinsights.v2020_02_02/components.create_or_update",
    ),
    "azure-native:applicationinsights:Workbook": (
        "applicationinsights.v2022_04_01:Workbook",
        "applicationinsights.v2022_04_01/workbooks.create_or_update",
    ),
    "azure-native:operationalinsights:Workspace": (
        "loganalytics:Workspace",
        "loganalytics/workspaces.create_or_update",
    ),
    "azure-native:operationalinsights:Table": (
        "loganalytics:Table",
        "loganalytics/tables.create_or_update",
    ),
    "azure-native:monitor:ActionGroup": (
        "monitor.v2023_01_01:ActionGroupResource",
        "monitor.v2023_01_01/action_groups.create_or_update",
    ),
    "azure-native:monitor:ScheduledQueryRule": (
        "monitor.v2022_08_01_preview:ScheduledQueryRuleResource",
        "monitor.v2022_08_01_preview/scheduled_query_rules.create_or_update",
    ),
    "azure-native:monitor:MetricAlert": (
        "monitor.v2018_03_01:MetricAlertResource",
        "monitor.v2018_03_01/metric_alerts.create_or_update",
    ),
    "azure-native:monitor:DiagnosticSetting": (
        "monitor.v2021_05_01_preview:DiagnosticSettingsResource",
        "monitor.v2021_05_01_preview/diagnostic_settings.create_or_update",
    ),
    "azure-native:consumption:Budget": (
        "consumption:Budget",
        "consumption/budgets.create_or_update",
    ),
}

RENAMES: dict[Place, str] = {}
UNMAPPED: dict[Place, str] = {
    ("azure-native:app:ManagedEnvironment", "workloadProfiles.enableFips"): (
        "of 2025-02-02-preview, which the SDK speaks; the package knows the stable versions only"
    ),
}


@cache
def load(reference: str) -> Node:
    """Return the node of the model `storage:Blob`, or of what is in the address of `storage/blob_containers.create`."""
    if "/" in reference:
        package, operation = reference.split("/")
        return _address(reference, package, operation)
    package, name = reference.split(":")
    models = importlib.import_module(f"azure.mgmt.{package}.models")
    model = getattr(models, name)
    return (
        _from_model(name, model, models)
        if hasattr(model, "_attribute_map")
        else from_typespec(name, model, models)
    )


def _from_model(label: str, model: Any, models: Any, chosen: frozenset[Any] = frozenset()) -> Node:
    """Return the node of a model class, which knows the variants that its discriminator names."""
    variants: dict[str, dict[str, str]] = getattr(model, "_subtype_map", {})

    def choose(value: Mapping[str, Any]) -> Node | None:
        for attribute, names in variants.items():
            wanted = next((v for key, v in value.items() if _flat(key) == _flat(attribute)), None)
            if wanted in names and model not in chosen:
                variant = getattr(models, names[wanted])
                return _from_model(f"{label}({wanted})", variant, models, chosen | {model})
        return None

    return Node(label, frozenset({"record"}), members=lambda: _members(label, model, models), choose=choose)


def _members(label: str, model: Any, models: Any) -> dict[str, Node]:
    """Return a model's members, by the names that Python gives them, which are those that Pulumi gives them too."""
    hints = _hints(model)
    found: dict[str, Node] = {}
    nested: dict[str, Node] = {}
    for name, entry in model._attribute_map.items():
        rest = entry["key"].replace("\\\\.", "~").rsplit(".", 1)[-1].replace("~", ".")
        bounds = _bounds(getattr(model, "_validation", {}).get(name, {}), hints.get(name, ""), models)
        if name in getattr(model, "_subtype_map", {}) or _is_discriminator(model, name):
            bounds = Bounds(enum=_discriminators(model, name))
        node = _from_type(f"{label}.{rest}", entry["type"], bounds, models)
        found[name] = node
        nested.setdefault(rest, node)
        if rest == "properties":  # the resource manager's envelope: Pulumi leaves it away
            nested |= {key: inner for key, inner in node.members.items() if key not in nested}
    return {**nested, **found}


def _is_discriminator(model: Any, name: str) -> bool:
    return any(name in getattr(base, "_subtype_map", {}) for base in model.__mro__[1:])


def _discriminators(model: Any, name: str) -> tuple[str, ...]:
    for base in model.__mro__:
        names = base.__dict__.get("_subtype_map", {}).get(name)
        if names:
            return tuple(names)
    return ()


def _hints(model: Any) -> dict[str, str]:
    return {name: str(hint) for name, hint in model.__init__.__annotations__.items()}


def _from_type(label: str, written: str, bounds: Bounds, models: Any) -> Node:
    """Return the node of a type as AutoRest writes it: `str`, `[Sku]`, `{str}`, `Sku`."""
    if written[0] in "[{":
        kind = "list" if written[0] == "[" else "map"
        return Node(
            label, frozenset({kind}), item=lambda: _from_type(f"{label}[]", written[1:-1], bounds, models)
        )
    if written in _SCALARS:
        return Node(label, frozenset({_SCALARS[written]}), bounds=bounds)
    return _from_model(label, getattr(models, written), models)


def _bounds(validation: Mapping[str, Any], hint: str, models: Any) -> Bounds:
    choices: tuple[Any, ...] = ()
    for name in _MODEL.findall(hint):
        found = getattr(models, name, None)
        if isinstance(found, type) and issubclass(found, enum.Enum):
            choices = tuple(member.value for member in found)
    return Bounds(
        enum=choices,
        pattern=validation.get("pattern"),
        search=True,
        minimum=validation.get("minimum_ex", validation.get("minimum")),
        maximum=validation.get("maximum_ex", validation.get("maximum")),
        min_length=validation.get("min_length"),
        max_length=validation.get("max_length"),
    )


def _flat(name: str) -> str:
    return name.replace("_", "").lower()


# -- what stands in the address -------------------------------------------------------------------


def _address(label: str, package: str, operation: str) -> Node:
    group, verb = operation.split(".")
    operations = f"azure.mgmt.{package}.operations"
    try:
        builder = getattr(
            importlib.import_module(f"{operations}._{group}_operations"), f"build_{verb}_request"
        )
    except ModuleNotFoundError:  # some packages keep all of them in one module
        builder = getattr(
            importlib.import_module(f"{operations}._operations"), f"build_{group}_{verb}_request"
        )
    source = inspect.getsource(builder)
    return Node(label, frozenset({"record"}), members=lambda: dict(_parts(label, source)))


def _parts(label: str, source: str) -> list[tuple[str, Node]]:
    """Return the parts of the address that the request's builder checks, each with its bounds."""
    found = []
    for call in ast.walk(ast.parse(source)):
        if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "_SERIALIZER.url"):
            continue
        name = ast.literal_eval(call.args[0])
        rules = {word.arg: _literal(word.value) for word in call.keywords if word.arg}
        node = Node(f"{label}({name})", frozenset({"string"}), bounds=_bounds(rules, "", None))
        found.append((name, node))
    return found


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


MODEL = CloudModel("azure", load, {**ROOTS, **AZURE_ROOTS}, RENAMES, {**UNMAPPED, **AZURE_UNMAPPED})
