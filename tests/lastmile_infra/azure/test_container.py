from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.lastmile_infra.azure.recorded import GROUP, IDENTITY, Run, provisioned
from tests.lastmile_infra.plans import DIGEST, plan_of, spec_of, two_versions

GUID = "11111111-1111-1111-1111-111111111111"
REGISTRY = "churndev-1234567.azurecr.io"


def run_of(folder: Path, azure: dict[str, Any] | None = None, **changes: Any) -> Run:
    return provisioned(spec_of(**changes, targets={"azure": {**(azure or {}), "package": "image"}}), folder)


def test_an_environment_and_a_registry(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    assert run.inputs("ManagedEnvironment") == {
        "workloadProfiles": [
            {"name": "Consumption", "workloadProfileType": "Consumption", "enableFips": False}
        ],
        "zoneRedundant": False,
        "appLogsConfiguration": {"destination": "azure-monitor"},
    }
    registry = run.inputs("Registry")
    assert registry["sku"] == {"name": "Basic"}
    assert registry["adminUserEnabled"] is False
    assert registry["anonymousPullEnabled"] is False
    pull = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
    registries = f"{GROUP}/Microsoft.ContainerRegistry/registries"
    assert run.grants() == [("principal of churn-dev-identity", pull, f"{registries}/churndev-1234567")]
    assert not run.all("StorageAccount")


def test_an_image(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    package = plan_of(spec_of(targets={"azure": {"package": "image"}}), "azure")["functions"][0]["package"]
    assert package
    assert run.inputs("Image") == {
        "source": str((tmp_path / "bundles" / "predict.image").resolve()),
        "digest": DIGEST,
        "repository": f"{REGISTRY}/predict",
        "base": package["base"],
    }


def test_an_app(tmp_path: Path) -> None:
    resources = {"memory_mb": 1536, "concurrency": 8, "min_instances": 1, "max_instances": 3}
    run = run_of(tmp_path, resources=resources)
    told = run.inputs("ContainerApp")
    (container,) = told["template"].pop("containers")
    names = [variable["name"] for variable in container.pop("env")]
    assert names == sorted(names)
    assert "LASTMILE_AUTH" in names
    assert container == {
        "name": "predict",
        "image": f"{REGISTRY}/predict@sha256:ef",
        "resources": {"cpu": 0.75, "memory": "1.5Gi"},
    }
    assert told["template"].pop("scale") == {
        "minReplicas": 1,
        "maxReplicas": 3,
        "rules": [{"name": "http", "http": {"metadata": {"concurrentRequests": "8"}}}],
    }
    assert told.pop("template") == {}
    assert told == {
        "containerAppName": "churn-dev-predict",
        "environmentId": f"{GROUP}/Microsoft.App/managedEnvironments/churn-dev-1234567",
        "workloadProfileName": "Consumption",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": [IDENTITY]},
        "configuration": {
            "activeRevisionsMode": "Single",
            "ingress": {
                "external": True,
                "targetPort": 8080,
                "transport": "auto",
                "allowInsecure": False,
                "traffic": [{"latestRevision": True, "weight": 100}],
            },
            "registries": [{"server": REGISTRY, "identity": IDENTITY}],
            "secrets": [],
        },
    }
    assert "churn-dev-pulls-images" in run.one("ContainerApp").waits_for


def test_secrets_come_from_the_vault(tmp_path: Path) -> None:
    run = run_of(
        tmp_path,
        {"key_vault": "mine", "resource_group": "theirs"},
        secrets={"DB": "Db", "AGAIN": "db", "OTHER": "other"},
    )
    told = run.inputs("ContainerApp")
    vault = "https://mine.vault.azure.net/secrets"
    assert told["configuration"]["secrets"] == [
        {"name": f"vault-{name}", "keyVaultUrl": f"{vault}/{name}", "identity": IDENTITY}
        for name in ("db", "other")
    ]
    env = told["template"]["containers"][0]["env"]
    assert [variable for variable in env if "secretRef" in variable] == [
        {"name": "AGAIN", "secretRef": "vault-db"},
        {"name": "DB", "secretRef": "vault-db"},
        {"name": "OTHER", "secretRef": "vault-other"},
    ]
    assert {"churn-dev-reads-secret-db", "churn-dev-reads-secret-other"} <= run.one("ContainerApp").waits_for


def test_only_the_router_is_reached_from_outside(tmp_path: Path) -> None:
    run = run_of(tmp_path, **two_versions(apart=True))
    router = run.inputs("ContainerApp", "churn-dev-predict-app")
    other = run.inputs("ContainerApp", "churn-dev-predict-v2-app")
    assert router["configuration"]["ingress"]["external"] is True
    assert other["configuration"]["ingress"]["external"] is False
    env = {variable["name"]: variable for variable in router["template"]["containers"][0]["env"]}
    url = "key+https://churn-dev-predict-v2.internal.happy-x.westeurope.azurecontainerapps.io"
    assert env["LASTMILE_FUNCTIONS"]["value"] == f'{{"predict-v2": "{url}"}}'
    assert env["LASTMILE_FUNCTIONS_KEY"] == {
        "name": "LASTMILE_FUNCTIONS_KEY",
        "secretRef": "vault-function--calls",
    }
    assert run.outputs["url"] == "https://churn-dev-predict.happy-x.westeurope.azurecontainerapps.io"


def test_callers_are_checked_at_the_router(tmp_path: Path) -> None:
    place = {"tenant": GUID, "application": GUID, "callers": [GUID]}
    run = run_of(tmp_path, place, **two_versions(apart=True), endpoint={"auth": "iam"})
    assert [r.name for r in run.all("ContainerAppsAuthConfig")] == ["churn-dev-predict-auth"]
