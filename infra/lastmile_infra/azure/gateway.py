"""Who may call a function on Azure, where the platform checks it: tokens of one Entra application, of named identities."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pulumi
from pulumi_azure_native import app, web

from lastmile_infra.azure.front_door import Guard
from lastmile_infra.azure.scope import Scope, place_of
from lastmile_sls.plan.document import Plan

_RUNTIME = "~1"
"""The newest of the platform's checks, version 1 (azure-mgmt-web, AuthPlatform, runtime_version)."""


@dataclass(frozen=True)
class Callers:
    """Whose tokens are taken."""

    tenant: str
    application: str
    """Whom the tokens are for."""
    identities: tuple[str, ...]


@dataclass(frozen=True)
class Entrance:
    """How callers come to the router's function."""

    callers: Callers | None
    """Who may call, if the platform is to check it."""
    guard: Guard | None
    """What alone may call, if something is in front."""


def callers_of(plan: Plan) -> Callers | None:
    """Return who may call; None where the function checks it, or nobody does."""
    endpoint, where = plan["endpoint"], place_of(plan)
    if endpoint["auth_at"] != "gateway":
        return None
    if endpoint["auth"] != "iam" or not where["tenant"] or not where["application"]:
        raise ValueError(
            f"the plan's gateway checks {endpoint['auth']!r}, but Azure's checks 'iam' of a tenant."
        )
    return Callers(where["tenant"], where["application"], tuple(endpoint["callers"]))


def guard_app(scope: Scope, name: str, app_name: pulumi.Output[str], callers: Callers) -> pulumi.Resource:
    """Have a function app's platform answer 401 to everyone but the callers."""
    made: pulumi.Resource = web.WebAppAuthSettingsV2(
        f"{name}-auth",
        name=app_name,
        platform=web.AuthPlatformArgs(enabled=True, runtime_version=_RUNTIME),
        global_validation=web.GlobalValidationArgs(
            require_authentication=True,
            unauthenticated_client_action=web.UnauthenticatedClientActionV2.RETURN401,
        ),
        identity_providers=_providers(web, callers),
        http_settings=web.HttpSettingsArgs(require_https=True),
        login=web.LoginArgs(token_store=web.TokenStoreArgs(enabled=False)),
        resource_group_name=scope.group,
        opts=scope.opts,
    )
    return made


def guard_container(scope: Scope, name: str, app_name: pulumi.Output[str], callers: Callers) -> None:
    """Have a container app's platform answer 401 to everyone but the callers."""
    app.ContainerAppsAuthConfig(
        f"{name}-auth",
        auth_config_name="current",
        container_app_name=app_name,
        platform=app.AuthPlatformArgs(enabled=True, runtime_version=_RUNTIME),
        global_validation=app.GlobalValidationArgs(
            unauthenticated_client_action=app.UnauthenticatedClientActionV2.RETURN401
        ),
        identity_providers=_providers(app, callers),
        http_settings=app.HttpSettingsArgs(require_https=True),
        resource_group_name=scope.group,
        opts=scope.opts,
    )


def _providers(sdk: ModuleType, callers: Callers) -> Any:
    """Return whose tokens are taken, in the words of either SDK module: they are the same.

    learn.microsoft.com/azure/app-service/configure-authentication-provider-aad, "Use a built-in authorization policy"
    (2026-11-29). An application's own identifier stands in its tokens of version 2, its URI in those of version 1.
    """
    policy = sdk.DefaultAuthorizationPolicyArgs(
        allowed_principals=sdk.AllowedPrincipalsArgs(identities=list(callers.identities))
    )
    return sdk.IdentityProvidersArgs(
        azure_active_directory=sdk.AzureActiveDirectoryArgs(
            enabled=True,
            registration=sdk.AzureActiveDirectoryRegistrationArgs(
                client_id=callers.application,
                open_id_issuer=f"https://login.microsoftonline.com/{callers.tenant}/v2.0",
            ),
            validation=sdk.AzureActiveDirectoryValidationArgs(
                allowed_audiences=[callers.application, f"api://{callers.application}"],
                default_authorization_policy=policy,
            ),
        )
    )
