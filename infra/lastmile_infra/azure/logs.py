"""Where the functions' logs are on Azure: a workspace for the deployment, and how they come into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import applicationinsights, monitor, operationalinsights

from lastmile_infra.azure.identity import Identity, grant
from lastmile_infra.azure.names import LONGEST_COMPONENT, LONGEST_WORKSPACE, stem
from lastmile_infra.azure.scope import Scope
from lastmile_sls.plan.document import Plan

_OF_REQUESTS = ("AppDependencies", "AppExceptions", "AppRequests", "AppTraces")
"""The tables that tell of single requests. The others that Application Insights fills have sums and loads."""
_CONSOLE = ("ContainerAppConsoleLogs", "ContainerAppSystemLogs")
"""learn.microsoft.com/azure/container-apps/log-options, "Azure Monitor" (2026-11-29)."""


@dataclass(frozen=True)
class Workspace:
    """A Log Analytics workspace."""

    id: pulumi.Output[str]
    name: pulumi.Output[str]
    customer_id: pulumi.Output[str]
    """By which it is asked."""
    days: int | None
    """How long it keeps what it has."""
    resource: pulumi.Resource


@dataclass(frozen=True)
class Insights:
    """Application Insights, to which the functions' host sends what it and the functions log."""

    settings: Mapping[str, pulumi.Input[str]]
    """Where, and that the host shows who it is: nobody else's telemetry is taken
    (learn.microsoft.com/azure/azure-functions/functions-app-settings, 2026-11-29)."""
    telling: pulumi.Resource
    """What must be there before the host's telemetry is taken."""


def make_workspace(scope: Scope, plan: Plan) -> Workspace:
    """Make the workspace. All functions' logs are in it, and kept as long as those of the first."""
    days = plan["functions"][0]["log_retention_days"]
    made = operationalinsights.Workspace(
        stem(scope.deployment, LONGEST_WORKSPACE),
        sku=operationalinsights.WorkspaceSkuArgs(
            name=operationalinsights.WorkspaceSkuNameEnum.PER_GB2018,
        ),
        retention_in_days=days,
        features=operationalinsights.WorkspaceFeaturesArgs(disable_local_auth=True),
        **scope.here,
        opts=scope.opts,
    )
    return Workspace(made.id, made.name, made.customer_id, days, made)


def make_insights(scope: Scope, workspace: Workspace, identity: Identity) -> Insights:
    """Have the workspace take what function apps log.

    Without a word of their own, Application Insights' tables keep what they have for 90 days, whatever the workspace says
    (learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure, "Log tables with 90-day default retention",
    2026-11-29).
    """
    component = applicationinsights.Component(
        stem(scope.deployment, LONGEST_COMPONENT),
        kind="web",
        application_type=applicationinsights.ApplicationType.WEB,
        ingestion_mode=applicationinsights.IngestionMode.LOG_ANALYTICS,
        workspace_resource_id=workspace.id,
        disable_local_auth=True,
        **scope.here,
        opts=scope.opts,
    )
    for table in _OF_REQUESTS:
        _keep(scope, workspace, table)
    telling = grant(scope, "tells-insights", "Monitoring Metrics Publisher", component.id, identity)
    shown = pulumi.Output.concat("Authorization=AAD;ClientId=", identity.client_id)
    return Insights(
        settings={
            "APPLICATIONINSIGHTS_CONNECTION_STRING": component.connection_string,
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": shown,
        },
        telling=telling,
    )


def keep_console(scope: Scope, workspace: Workspace, environment: pulumi.Output[str]) -> None:
    """Have the workspace take what container apps write to their console, and what their platform tells of them."""
    monitor.DiagnosticSetting(
        f"{scope.name}-console",
        name="logs",
        resource_uri=environment,
        workspace_id=workspace.id,
        logs=[monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True) for category in _CONSOLE],
        opts=scope.opts,
    )


def _keep(scope: Scope, workspace: Workspace, table: str) -> None:
    """Have a table keep what it has as long as the workspace, with which it goes: it is not ours to delete."""
    goes_along = pulumi.ResourceOptions(deleted_with=workspace.resource)
    operationalinsights.Table(
        f"{scope.name}-{table}",
        workspace_name=workspace.name,
        table_name=table,
        retention_in_days=workspace.days,
        total_retention_in_days=workspace.days,
        resource_group_name=scope.group,
        opts=pulumi.ResourceOptions.merge(scope.opts, goes_along),
    )
