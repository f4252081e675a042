"""Names that Azure takes where Pulumi adds eight characters of its own: what is global, and short. Pure."""

from __future__ import annotations

from lastmile_sls.plan.names import short

LONGEST_ACCOUNT = 24
"""Of a storage account, letters and digits only: azure-mgmt-storage, StorageAccountsOperations.create, account_name."""
LONGEST_VAULT = 24
"""Of a Key Vault: azure-mgmt-keyvault, VaultsOperations, vault_name, `^[a-zA-Z0-9-]{3,24}$`."""
LONGEST_ENDPOINT = 46
"""Of Front Door's endpoint (github.com/hashicorp/terraform-provider-azurerm, FrontDoorEndpointName: 2 to 46; 2026-11-29)."""
LONGEST_ENVIRONMENT = 32
"""Of a Container Apps environment, as of an app; it may have 60 (the same, ManagedEnvironmentName, ContainerAppName)."""
LONGEST_COMPONENT = 255
"""Of Application Insights (github.com/hashicorp/terraform-provider-azurerm, ApplicationInsightsName: 1 to 255)."""
LONGEST_WORKSPACE = 63
"""Of a Log Analytics workspace: azure-mgmt-loganalytics, WorkspacesOperations.begin_create_or_update, 4 to 63."""
LONGEST_SHORT_NAME = 12
"""Of an action group in messages: azure-mgmt-monitor, ActionGroupResource, group_short_name."""
_ADDED = 8
"""What Pulumi puts behind a name: hexadecimal digits, without a dash (pulumi-azure-native, provider.go, getDefaultName)."""


def stem(deployment: str, most: int) -> str:
    """Return the beginning of a name of at most that many characters, Pulumi's own included."""
    return short(deployment, most - _ADDED)


def letters(deployment: str, most: int, end: str = "") -> str:
    """Return the beginning of a name that has letters and digits only.

    Args:
        deployment: Begins with a letter.
        most: How many characters the whole name may have, Pulumi's own included.
        end: What tells two such names of a deployment apart.
    """
    word = "".join(character for character in deployment if character.isalnum())
    return word[: most - _ADDED - len(end)] + end
