from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.lastmile_infra.azure.recorded import GROUP, provisioned
from tests.lastmile_infra.plans import spec_of

WORKSPACE = f"{GROUP}/Microsoft.OperationalInsights/workspaces/churn-dev-1234567"
KEPT: dict[str, Any] = {"operations": {"notify": ["a@example.com"], "log_retention_days": 120}}


def test_a_workspace_that_keeps_the_log_as_long_as_the_plan_says(tmp_path: Path) -> None:
    for changes, days in (({}, 30), (KEPT, 120)):
        run = provisioned(spec_of(**changes), tmp_path)
        assert run.inputs("Workspace") == {
            "sku": {"name": "PerGB2018"},
            "retentionInDays": days,
            "features": {"disableLocalAuth": True},
        }
        tables = run.all("Table")
        assert sorted(table.inputs["tableName"] for table in tables) == [
            "AppDependencies",
            "AppExceptions",
            "AppRequests",
            "AppTraces",
        ]
        for table in tables:
            assert table.inputs["workspaceName"] == "churn-dev-1234567"
            assert (table.inputs["retentionInDays"], table.inputs["totalRetentionInDays"]) == (days, days)
            # They are the workspace's, and go with it.
            assert table.request.deletedWith.endswith("operationalinsights:Workspace::churn-dev")


def test_only_the_functions_identity_tells_application_insights_anything(tmp_path: Path) -> None:
    run = provisioned(spec_of(), tmp_path)
    told = run.inputs("Component")
    assert {key: told[key] for key in ("kind", "applicationType", "ingestionMode")} == {
        "kind": "web",
        "applicationType": "web",
        "ingestionMode": "LogAnalytics",
    }
    assert told["workspaceResourceId"] == WORKSPACE
    assert told["disableLocalAuth"] is True
    granted = run.inputs("RoleAssignment", "churn-dev-tells-insights")
    assert granted["scope"] == f"{GROUP}/Microsoft.Insights/components/churn-dev-1234567"
    assert "churn-dev-tells-insights" in run.one("WebApp").waits_for


def test_what_container_apps_write(tmp_path: Path) -> None:
    run = provisioned(spec_of(targets={"azure": {"package": "image"}}), tmp_path)
    assert run.inputs("DiagnosticSetting") == {
        "name": "logs",
        "resourceUri": f"{GROUP}/Microsoft.App/managedEnvironments/churn-dev-1234567",
        "workspaceId": WORKSPACE,
        "logs": [
            {"category": category, "enabled": True}
            for category in ("ContainerAppConsoleLogs", "ContainerAppSystemLogs")
        ],
    }
    assert not run.all("Component")
    assert not run.all("Table")
