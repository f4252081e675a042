"""Who Azure is told that we are: whoever runs Pulumi, as Azure's own tools find out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

MANAGEMENT = "https://management.azure.com/.default"
STORAGE = "https://storage.azure.com/.default"
_HINT = "Log in: az login. Or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET."


def azure_token(environ: Mapping[str, str], scope: str) -> Callable[[], AccessToken]:
    """Return what gives a token that is good for some minutes, asked for anew when it expires.

    The variables ARM_TENANT_ID, ARM_CLIENT_ID and ARM_CLIENT_SECRET or ARM_OIDC_TOKEN, which Pulumi's own provider
    reads (www.pulumi.com/registry/packages/azure-native/installation-configuration, 2026-11-29), come first; then all
    that azure-identity's DefaultAzureCredential asks: AZURE_*, a managed identity, `az login`.

    Raises LastmileError when azure-identity is not installed; what is returned, when nobody gives a token.
    """
    login = credential(environ)
    from azure.core.exceptions import AzureError

    def fetch() -> AccessToken:
        try:
            token: AccessToken = login.get_token(scope)
        except AzureError as error:
            raise _no_token(error.message) from error
        return token

    return fetch


def credential(environ: Mapping[str, str]) -> Any:
    """Return azure-identity's credential. Raises LastmileError when it is not installed, or refuses its settings."""
    try:
        from azure.identity import (
            ClientAssertionCredential,
            ClientSecretCredential,
            DefaultAzureCredential,
        )
    except ImportError as error:
        raise LastmileError(
            "azure-identity, which logs in at Azure, is not installed.",
            "Install it: pip install 'lastmile-sls[azure]'",
        ) from error
    tenant, client = environ.get("ARM_TENANT_ID"), environ.get("ARM_CLIENT_ID")
    try:
        if tenant and client and (secret := environ.get("ARM_CLIENT_SECRET")):
            return ClientSecretCredential(tenant, client, secret)
        if tenant and client and (assertion := environ.get("ARM_OIDC_TOKEN")):
            return ClientAssertionCredential(tenant, client, lambda: assertion)
        return DefaultAzureCredential()
    except ValueError as error:
        raise _no_token(str(error)) from error


def _no_token(said: str) -> LastmileError:
    line = said.strip().partition("\n")[0].rstrip(".")
    return LastmileError(f"Azure gives us no token: {line}.", _HINT)
