"""Functions on Azure Container Apps: an environment and a registry for all, and one app each, from an image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pulumi
from pulumi_azure_native import app, containerregistry

from lastmile_infra.azure.function import App
from lastmile_infra.azure.gateway import Entrance, guard_container
from lastmile_infra.azure.identity import Identity, grant
from lastmile_infra.azure.logs import Workspace, keep_console
from lastmile_infra.azure.names import LONGEST_ENVIRONMENT, letters, stem
from lastmile_infra.azure.scope import Scope
from lastmile_infra.azure.settings import Settings
from lastmile_infra.azure.vault import Secret
from lastmile_infra.delivery import Image
from lastmile_sls.plan.document import FunctionPlan, PackagePlan

_LONGEST_REGISTRY = 50
"""azure-mgmt-containerregistry, RegistriesOperations, registry_name, `^[a-zA-Z0-9]*$`, 5 to 50."""
_PORT = 8080
"""Where `lastmile_runtime.adapters.gcp` listens, which images run."""
_PROFILE = "Consumption"
_MB_PER_GI = 1024


class ContainerApps:
    """Makes apps that share an environment and a registry."""

    def __init__(self, scope: Scope, identity: Identity, workspace: Workspace) -> None:
        """Make both; what the apps write to their console goes to the workspace."""
        self._scope = scope
        self._identity = identity
        self._environment = app.ManagedEnvironment(
            stem(scope.deployment, LONGEST_ENVIRONMENT),
            workload_profiles=[app.WorkloadProfileArgs(name=_PROFILE, workload_profile_type=_PROFILE)],
            zone_redundant=False,
            app_logs_configuration=app.AppLogsConfigurationArgs(destination="azure-monitor"),
            **scope.here,
            opts=scope.opts,
        )
        keep_console(scope, workspace, self._environment.id)
        self._registry = containerregistry.Registry(
            letters(scope.deployment, _LONGEST_REGISTRY),
            sku=containerregistry.SkuArgs(name=containerregistry.SkuName.BASIC),
            admin_user_enabled=False,
            anonymous_pull_enabled=False,
            **scope.here,
            opts=scope.opts,
        )
        self._pulling = grant(scope, "pulls-images", "AcrPull", self._registry.id, identity)

    def make(
        self,
        plan: FunctionPlan,
        package: PackagePlan,
        settings: Settings,
        folder: Path,
        entrance: Entrance | None,
    ) -> App:
        """Push the image and make the app; functions that only the router asks are not reached from outside.

        Args:
            plan: The function.
            package: Its image.
            settings: Its variables.
            folder: What the plan's paths are relative to.
            entrance: How callers come to it; None when only the router's function asks it, from inside.
        """
        scope, name = self._scope, f"{self._scope.name}-{plan['name']}"
        made = app.ContainerApp(
            f"{name}-app",
            container_app_name=plan["resource"],
            environment_id=self._environment.id,
            workload_profile_name=_PROFILE,
            identity=app.ManagedServiceIdentityArgs(
                type=app.ManagedServiceIdentityType.USER_ASSIGNED,
                user_assigned_identities=[self._identity.id],
            ),
            configuration=self._configuration(settings.secrets, external=entrance is not None),
            template=_template(plan, self._push(name, plan, package, folder), settings),
            **scope.here,
            opts=scope.after(self._pulling, *settings.before),
        )
        if entrance and entrance.callers:
            guard_container(scope, name, made.name, entrance.callers)
        # learn.microsoft.com/azure/container-apps/connect-apps, "Location" (2026-11-29)
        between = "." if entrance else ".internal."
        host = pulumi.Output.concat(made.name, between, self._environment.default_domain)
        return App(made.id, made.name, host)

    def _push(self, name: str, plan: FunctionPlan, package: PackagePlan, folder: Path) -> pulumi.Output[str]:
        """Send a function's image to the registry; return the reference by which it is pulled."""
        return Image(
            f"{name}-image",
            source=str((folder / package["path"]).resolve()),
            digest=plan["bundle"]["digest"],
            repository=pulumi.Output.concat(self._registry.login_server, "/", plan["name"]),
            base=package["base"],
            opts=self._scope.delivered,
        ).reference

    def _configuration(self, secrets: Mapping[str, Secret], *, external: bool) -> app.ConfigurationArgs:
        named = {_secret_name(secret): secret for secret in secrets.values()}
        return app.ConfigurationArgs(
            active_revisions_mode=app.ActiveRevisionsMode.SINGLE,
            ingress=app.IngressArgs(
                external=external,
                target_port=_PORT,
                transport=app.IngressTransportMethod.AUTO,
                allow_insecure=False,
                traffic=[app.TrafficWeightArgs(latest_revision=True, weight=100)],
            ),
            registries=[
                app.RegistryCredentialsArgs(server=self._registry.login_server, identity=self._identity.id)
            ],
            secrets=[
                app.SecretArgs(name=name, key_vault_url=secret.url, identity=self._identity.id)
                for name, secret in sorted(named.items())
            ],
        )


def _template(plan: FunctionPlan, image: pulumi.Output[str], settings: Settings) -> app.TemplateArgs:
    """Return what an instance is, and how many there are."""
    values = [app.EnvironmentVarArgs(name=name, value=value) for name, value in settings.values.items()]
    secrets = [
        app.EnvironmentVarArgs(name=name, secret_ref=_secret_name(secret))
        for name, secret in settings.secrets.items()
    ]
    container = app.ContainerArgs(
        name=plan["name"],
        image=image,
        env=[*values, *secrets],
        resources=app.ContainerResourcesArgs(cpu=plan["cpu"], memory=f"{plan['memory_mb'] / _MB_PER_GI:g}Gi"),
    )
    http = app.HttpScaleRuleArgs(metadata={"concurrentRequests": str(plan["concurrency"])})
    scale = app.ScaleArgs(
        min_replicas=plan["min_instances"],
        max_replicas=plan["max_instances"],
        rules=[app.ScaleRuleArgs(name="http", http=http)],
    )
    return app.TemplateArgs(containers=[container], scale=scale)


def _secret_name(secret: Secret) -> str:
    """Return a secret's name in an app, which must have no capitals."""
    return f"vault-{secret.name}"
