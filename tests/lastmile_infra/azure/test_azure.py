from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from lastmile_infra.azure.dashboard import workbook_id
from tests.lastmile_infra.azure.recorded import (
    GROUP,
    SUBSCRIPTION,
    TENANT,
    Run,
    provisioned,
    provisioned_plan,
)
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions
from tests.lastmile_infra.recorded import Recorded

THEIRS = {"key_vault": "mine", "resource_group": "theirs"}
EVERYTHING: dict[str, dict[str, Any]] = {
    "zip": {
        **two_versions(apart=True),
        "secrets": {"DB": "db"},
        "endpoint": {"domain": "predict.example.com", "rate_limit": {"requests_per_s": 10.0, "burst": 600}},
        "targets": {"azure": {**THEIRS, "dns_zone": "dns/example.com"}},
        "tags": {"squad": "blue"},
        "operations": {"notify": ["a@example.com"]},
        "budget": {"monthly_limit": 100.0},
    },
    "image": {
        **two_versions(apart=True),
        "secrets": {"DB": "db"},
        "targets": {"azure": {**THEIRS, "package": "image"}},
    },
}


def takes_tags(resource: Recorded) -> bool:
    """Tell whether the SDK's class of a resource takes tags."""
    package, module, type_ = resource.type.split(":")
    if package != "azure-native":
        return False
    made = getattr(import_module(f"pulumi_azure_native.{module}"), type_)
    return "tags" in inspect.signature(made._internal_init).parameters


@pytest.mark.parametrize("changes", EVERYTHING.values(), ids=EVERYTHING)
def test_whatever_takes_tags_has_them(tmp_path: Path, changes: dict[str, Any]) -> None:
    spec = spec_of(**changes)
    run = provisioned(spec, tmp_path)
    tagged = [r for r in run.resources if takes_tags(r)]
    assert len(tagged) >= 10
    for resource in tagged:
        assert resource.inputs["tags"] == plan_of(spec, "azure")["tags"], resource.name
    assert not [r.name for r in run.resources if not takes_tags(r) and "tags" in r.inputs]


def test_every_resource_of_a_deployment_with_a_key(tmp_path: Path) -> None:
    assert provisioned(spec_of(), tmp_path).names() == [
        "AppServicePlan churn-dev-predict-plan",
        "BlobContainer churn-dev-predict-package",
        "Component churn-dev",
        "Deployment churn-dev",
        "Key churn-dev-key",
        "Package churn-dev-predict-package",
        "Release churn-dev-predict-release",
        "ResourceGroup churn-dev-group",
        "RoleAssignment churn-dev-owns-host-storage",
        "RoleAssignment churn-dev-tells-insights",
        "Secret churn-dev-key-secret",
        "StorageAccount churndevhost",
        "Table churn-dev-AppDependencies",
        "Table churn-dev-AppExceptions",
        "Table churn-dev-AppRequests",
        "Table churn-dev-AppTraces",
        "UserAssignedIdentity churn-dev-identity",
        "Vault churn-dev",
        "WebApp churn-dev-predict",
        "WebAppScmAllowed churn-dev-predict-scm",
        "Workspace churn-dev",
    ]


def test_every_resource_of_a_public_image(tmp_path: Path) -> None:
    spec = spec_of(endpoint={"auth": "public"}, targets={"azure": {"package": "image"}})
    run = provisioned(spec, tmp_path)
    assert run.names() == [
        "ContainerApp churn-dev-predict-app",
        "Deployment churn-dev",
        "DiagnosticSetting churn-dev-console",
        "Image churn-dev-predict-image",
        "ManagedEnvironment churn-dev",
        "Registry churndev",
        "ResourceGroup churn-dev-group",
        "RoleAssignment churn-dev-pulls-images",
        "UserAssignedIdentity churn-dev-identity",
        "Workspace churn-dev",
    ]
    assert run.outputs == {
        "url": "https://churn-dev-predict.happy-x.westeurope.azurecontainerapps.io",
        "functions": {"predict": f"{GROUP}/Microsoft.App/containerApps/churn-dev-predict"},
        "logs": {"predict": "customer of churn-dev"},
        "account": SUBSCRIPTION,
    }


@pytest.mark.parametrize("changes", EVERYTHING.values(), ids=EVERYTHING)
def test_every_resource_is_a_child_of_the_deployment(tmp_path: Path, changes: dict[str, Any]) -> None:
    run = provisioned(spec_of(**changes), tmp_path)
    parents = {r.request.parent.rpartition("::")[2] for r in run.resources if "Deployment" not in r.type}
    assert parents == {"churn-dev"}


def test_outputs(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions(apart=True)), tmp_path)
    sites = f"{GROUP}/Microsoft.Web/sites"
    assert run.outputs == {
        "url": "https://churn-dev-predict-1234567.azurewebsites.net",
        "key": "value of key",
        "functions": {
            "predict": f"{sites}/churn-dev-predict-1234567",
            "predict-v2": f"{sites}/churn-dev-predict-v2-1234567",
        },
        "bucket": "az://churndevdata-1234567/state",
        "routing": "az://churndevdata-1234567/state/routing.json",
        "logs": {"predict": "customer of churn-dev", "predict-v2": "customer of churn-dev"},
        "account": SUBSCRIPTION,
    }


def test_outputs_of_everything_beside_the_endpoint(watched: Run) -> None:
    sites, rules = f"{GROUP}/Microsoft.Web/sites", f"{GROUP}/Microsoft.Insights"
    service = "https://churndevdata-1234567.queue.core.windows.net"
    told = {name: watched.outputs[name] for name in ("queue", "schedule", "alarms", "dashboard")}
    dashboard = f"{rules}/workbooks/{workbook_id('churn-dev-dashboard')}"
    assert told == {
        "queue": {
            "jobs": f"{service}/churn-dev-jobs",
            "dead_letters": f"{service}/churn-dev-jobs-poison",
        },
        "schedule": f"{sites}/churn-dev-predict-1234567/functions/scheduled",
        "alarms": {
            signal: f"{rules}/scheduledQueryRules/churn-dev-{signal}"
            for signal in ("errors", "latency", "throttles", "queue-age", "dead-letters")
        },
        "dashboard": f"https://portal.azure.com/#@{TENANT}/resource{dashboard}/workbook",
    }


def test_nothing_is_granted_that_is_not_used(tmp_path: Path) -> None:
    grants = provisioned(spec_of(), tmp_path).grants()
    owner, host = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", f"{GROUP}/Microsoft.Storage/storageAccounts"
    teller, insights = "3913510d-42f4-4e42-8a64-420c390055eb", f"{GROUP}/Microsoft.Insights/components"
    functions = "principal of churn-dev-identity"
    assert sorted(grants) == [
        (functions, teller, f"{insights}/churn-dev-1234567"),
        (functions, owner, f"{host}/churndevhost-1234567"),
    ]


def test_a_plan_that_is_for_no_place(tmp_path: Path) -> None:
    plan = plan_of(spec_of(), "azure")
    plan["place"] = None
    with pytest.raises(ValueError, match=r"^the plan says no place, which a deployment to Azure needs\.$"):
        provisioned_plan(plan, tmp_path)


def test_packages_that_azure_does_not_take(tmp_path: Path) -> None:
    plan = plan_of(spec_of(), "azure")
    package = plan["functions"][0]["package"]
    assert package
    plan["functions"][0]["package"] = None
    with pytest.raises(
        ValueError, match=r"^the function 'predict' has no package, but Azure takes a zip or an image\.$"
    ):
        provisioned_plan(plan, tmp_path)
    package["form"] = "jar"  # type: ignore[typeddict-item] # a plan that somebody changed by hand
    plan["functions"][0]["package"] = package
    with pytest.raises(ValueError, match=r"^a package's form is 'jar', but Azure takes 'zip' and 'image'\.$"):
        provisioned_plan(plan, tmp_path)
