"""Functions on Azure Functions' Flex Consumption plan: one plan and one app each, and the code that is put into it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi_azure_native import web

from lastmile_infra.azure.front_door import Guard
from lastmile_infra.azure.gateway import Entrance, guard_app
from lastmile_infra.azure.identity import Identity, grant
from lastmile_infra.azure.logs import Workspace, make_insights
from lastmile_infra.azure.scope import Scope
from lastmile_infra.azure.settings import Settings
from lastmile_infra.azure.storage import add_container, make_account
from lastmile_infra.delivery import Package, Release
from lastmile_sls.plan.document import FunctionPlan, PackagePlan

# An app has no revisions: its settings change first, its code follows, and until then, or for good if the upload fails,
# the code of before runs under them. So what says which versions there are, where they are, and for how long they may
# be asked goes with the bundle that it is of (see `lastmile_runtime.releases`). Who may call, what the platform reads
# itself, and references to the vault, which it resolves in plain settings only, hold at once for whatever runs.
_OF_THE_BUNDLE = ("LASTMILE_FUNCTIONS", "LASTMILE_ROUTING", "LASTMILE_ROUTING_URL", "LASTMILE_TIMEOUT_S")
_PIN = "LASTMILE_MANIFEST_DIGEST"


@dataclass(frozen=True)
class App:
    """A function as others see it."""

    id: pulumi.Output[str]
    name: pulumi.Output[str]
    """As its log names it."""
    host: pulumi.Output[str]
    """Its host name."""

    @property
    def url(self) -> pulumi.Output[str]:
        """Where other functions call it, with a key (see `lastmile_runtime.functions`)."""
        return pulumi.Output.concat("key+https://", self.host)


class FunctionApps:
    """Makes function apps that share a log, and a storage account: the functions' host keeps its leases, the times of
    its timers, and their code there."""

    def __init__(self, scope: Scope, identity: Identity, workspace: Workspace) -> None:
        """Make the account, which holds nothing else, since the host needs every right on it, and what takes their logs.

        The role is what the host's own connection takes (learn.microsoft.com/azure/azure-functions/functions-reference,
        "Connecting to host storage with an identity", 2026-11-29).
        """
        self._scope = scope
        self._identity = identity
        self._account = make_account(scope, "host")
        self._owning = grant(
            scope, "owns-host-storage", "Storage Blob Data Owner", self._account.id, identity
        )
        self._insights = make_insights(scope, workspace, identity)

    def make(
        self,
        plan: FunctionPlan,
        package: PackagePlan,
        settings: Settings,
        folder: Path,
        entrance: Entrance | None,
    ) -> App:
        """Make an app and put the code into it.

        Args:
            plan: The function.
            package: Its zip.
            settings: Its variables.
            folder: What the plan's paths are relative to.
            entrance: How callers come to it; None when only the router's function asks it, with a key.
        """
        scope, name = self._scope, f"{self._scope.name}-{plan['name']}"
        before = (self._owning, self._insights.telling, *settings.before)
        site = _site(self._variables(name, plan, settings), entrance.guard if entrance else None)
        app = self._make_app(plan, name, site, before)
        # Whoever delivers code shows a token of Entra's, never the app's own user name and password.
        locked = web.WebAppScmAllowed(
            f"{name}-scm", name=app.name, allow=False, resource_group_name=scope.group, opts=scope.opts
        )
        callers = entrance.callers if entrance else None
        guarded = [guard_app(scope, name, app.name, callers)] if callers else []
        waits = pulumi.ResourceOptions(depends_on=[app, locked, *guarded, *before])
        Package(
            f"{name}-package",
            source=str((folder / package["path"]).resolve()),
            digest=plan["bundle"]["digest"],
            app=app.name,
            scm_url=pulumi.Output.concat("https://", app.name, ".scm.azurewebsites.net"),
            opts=pulumi.ResourceOptions.merge(scope.delivered, waits),
        )
        return App(app.id, app.name, app.default_host_name)

    def _make_app(
        self, plan: FunctionPlan, name: str, site: web.SiteConfigArgs, before: tuple[pulumi.Resource, ...]
    ) -> web.WebApp:
        """Make the app, its plan, and the container for its code."""
        scope = self._scope
        container = add_container(scope, f"{plan['name']}-package", self._account, plan["name"])
        farm = web.AppServicePlan(
            f"{name}-plan",
            kind="functionapp",
            reserved=True,
            sku=web.SkuDescriptionArgs(name="FC1", tier="FlexConsumption"),
            **scope.here,
            opts=scope.opts,
        )
        return web.WebApp(
            plan["resource"],
            kind="functionapp,linux",
            server_farm_id=farm.id,
            https_only=True,
            client_affinity_enabled=False,
            public_network_access="Enabled",
            identity=web.ManagedServiceIdentityArgs(
                type=web.ManagedServiceIdentityType.USER_ASSIGNED,
                user_assigned_identities=[self._identity.id],
            ),
            key_vault_reference_identity=self._identity.id,
            function_app_config=self._config(plan, container.name),
            site_config=site,
            **scope.here,
            opts=scope.after(*before),
        )

    def _config(self, plan: FunctionPlan, container: pulumi.Output[str]) -> web.FunctionAppConfigArgs:
        storage = web.FunctionsDeploymentStorageArgs(
            type=web.FunctionsDeploymentStorageType.BLOB_CONTAINER,
            value=pulumi.Output.concat("https://", self._account.name, ".blob.core.windows.net/", container),
            authentication=web.FunctionsDeploymentStorageAuthenticationArgs(
                type=web.AuthenticationType.USER_ASSIGNED_IDENTITY,
                user_assigned_identity_resource_id=self._identity.id,
            ),
        )
        # `http` is the group of all functions with an HTTP trigger; one with a queue's or a timer's is a group of its own,
        # which gets instances when there is work, up to as many again
        # (learn.microsoft.com/azure/azure-functions/flex-consumption-plan, per-function scaling, 2026-11-29).
        ready = web.FunctionsAlwaysReadyConfigArgs(name="http", instance_count=plan["min_instances"])
        http = web.FunctionsScaleAndConcurrencyTriggersHttpArgs(per_instance_concurrency=plan["concurrency"])
        return web.FunctionAppConfigArgs(
            deployment=web.FunctionsDeploymentArgs(storage=storage),
            runtime=web.FunctionsRuntimeArgs(name=web.RuntimeName.PYTHON, version=plan["python"]),
            scale_and_concurrency=web.FunctionsScaleAndConcurrencyArgs(
                instance_memory_mb=plan["memory_mb"],
                maximum_instance_count=plan["max_instances"],
                always_ready=[ready] if plan["min_instances"] else [],
                triggers=web.FunctionsScaleAndConcurrencyTriggersArgs(http=http),
            ),
        )

    def _variables(self, name: str, plan: FunctionPlan, settings: Settings) -> dict[str, pulumi.Input[str]]:
        """Return an app's settings; the platform puts the vault's values instead of references to them."""
        release = Release(
            f"{name}-release",
            digest=plan["bundle"]["digest"],
            settings={key: value for key, value in settings.values.items() if key in _OF_THE_BUNDLE},
            opts=self._scope.delivered,
        )
        kept = {key: value for key, value in settings.values.items() if key not in (*_OF_THE_BUNDLE, _PIN)}
        return {
            **kept,
            **self._insights.settings,
            **{
                variable: pulumi.Output.concat("@Microsoft.KeyVault(SecretUri=", secret.url, ")")
                for variable, secret in settings.secrets.items()
            },
            "LASTMILE_RELEASES": release.releases,
            "AzureWebJobsStorage__accountName": self._account.name,
            "AzureWebJobsStorage__clientId": self._identity.client_id,
            "AzureWebJobsStorage__credential": "managedidentity",
        }


def _site(variables: dict[str, pulumi.Input[str]], guard: Guard | None) -> web.SiteConfigArgs:
    """Return an app's configuration. What Flex Consumption does not take is left out
    (learn.microsoft.com/azure/azure-functions/functions-app-settings, "Flex Consumption plan deprecations", 2026-11-29)."""
    settings = [web.NameValuePairArgs(name=name, value=value) for name, value in sorted(variables.items())]
    site = web.SiteConfigArgs(
        app_settings=settings,
        http20_enabled=True,
        min_tls_version=web.SupportedTlsVersions.SUPPORTED_TLS_VERSIONS_1_2,
        scm_min_tls_version=web.SupportedTlsVersions.SUPPORTED_TLS_VERSIONS_1_2,
    )
    site.net_framework_version = None  # the SDK's default, which is no function's in Python
    if guard is None:
        return site
    # The address range is every customer's Front Door; the header says that it is this one
    # (learn.microsoft.com/azure/frontdoor/origin-security, 2026-11-29). Code is delivered beside it.
    site.ip_security_restrictions = [
        web.IpSecurityRestrictionArgs(
            name="front-door",
            priority=100,
            action="Allow",
            tag=web.IpFilterTag.SERVICE_TAG,
            ip_address="AzureFrontDoor.Backend",
            headers={"x-azure-fdid": [guard.front_door_id]},
        )
    ]
    site.ip_security_restrictions_default_action = web.DefaultAction.DENY
    site.scm_ip_security_restrictions_use_main = False
    return site
