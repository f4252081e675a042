from __future__ import annotations

from pathlib import Path

from lastmile_sls.plan.cloud import compact
from tests.lastmile_infra.azure.recorded import GROUP, IDENTITY, provisioned
from tests.lastmile_infra.plans import DIGEST, plan_of, spec_of, two_versions

APP = "churn-dev-predict"
_SDKS_OWN = {"hyperV", "isXenon", "reserved", "scmSiteAlsoStopped"}
"""What the SDK fills in."""


def test_a_plan_and_an_app_for_each_function(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions(apart=True)), tmp_path)
    for name in ("predict", "predict-v2"):
        assert run.inputs("AppServicePlan", f"churn-dev-{name}-plan") == {
            "kind": "functionapp",
            "reserved": True,
            "sku": {"name": "FC1", "tier": "FlexConsumption"},
        }
        farm = run.inputs("WebApp", f"churn-dev-{name}")["serverFarmId"]
        assert farm == f"{GROUP}/Microsoft.Web/serverfarms/churn-dev-{name}-plan-1234567"
        container = run.inputs("BlobContainer", f"churn-dev-{name}-package")
        assert container == {
            "accountName": "churndevhost-1234567",
            "containerName": name,
            "publicAccess": "None",
        }


def test_an_app(tmp_path: Path) -> None:
    resources = {"memory_mb": 2048, "concurrency": 16, "min_instances": 2, "max_instances": 60}
    run = provisioned(spec_of(resources=resources), tmp_path)
    told = run.inputs("WebApp", APP)
    site = told.pop("siteConfig")
    assert {setting["name"] for setting in site.pop("appSettings")} >= {"LASTMILE_RELEASES"}
    assert site == {
        "http20Enabled": True,
        "minTlsVersion": "1.2",
        "scmMinTlsVersion": "1.2",
        "localMySqlEnabled": False,
    }
    assert {key: value for key, value in told.items() if key not in _SDKS_OWN} == {
        "kind": "functionapp,linux",
        "serverFarmId": f"{GROUP}/Microsoft.Web/serverfarms/churn-dev-predict-plan-1234567",
        "httpsOnly": True,
        "clientAffinityEnabled": False,
        "publicNetworkAccess": "Enabled",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": [IDENTITY]},
        "keyVaultReferenceIdentity": IDENTITY,
        "functionAppConfig": {
            "deployment": {
                "storage": {
                    "type": "blobContainer",
                    "value": "https://churndevhost-1234567.blob.core.windows.net/predict",
                    "authentication": {
                        "type": "UserAssignedIdentity",
                        "userAssignedIdentityResourceId": IDENTITY,
                    },
                }
            },
            "runtime": {"name": "python", "version": "3.13"},
            "scaleAndConcurrency": {
                "instanceMemoryMB": 2048,
                "maximumInstanceCount": 60,
                "alwaysReady": [{"name": "http", "instanceCount": 2}],
                "triggers": {"http": {"perInstanceConcurrency": 16}},
            },
        },
    }
    assert "churn-dev-owns-host-storage" in run.one("WebApp").waits_for


def test_nothing_is_kept_warm_by_default(tmp_path: Path) -> None:
    told = provisioned(spec_of(), tmp_path).inputs("WebApp")
    assert told["functionAppConfig"]["scaleAndConcurrency"]["alwaysReady"] == []


def test_the_code_is_delivered_with_tokens_only(tmp_path: Path) -> None:
    run = provisioned(spec_of(), tmp_path)
    assert run.inputs("WebAppScmAllowed") == {"name": "churn-dev-predict-1234567", "allow": False}
    package = run.one("Package")
    assert package.inputs == {
        "source": str((tmp_path / "bundles" / "predict.zip").resolve()),
        "digest": DIGEST,
        "app": "churn-dev-predict-1234567",
        "scmUrl": "https://churn-dev-predict-1234567.scm.azurewebsites.net",
    }
    assert {"churn-dev-predict-scm", "churn-dev-owns-host-storage", APP} <= package.waits_for


def test_what_goes_with_the_code_is_told_of_its_bundle_alone(tmp_path: Path) -> None:
    spec = spec_of(**two_versions(apart=True))
    run = provisioned(spec, tmp_path)
    planned = plan_of(spec, "azure")["functions"][0]["environment"]
    with_the_code = {
        "LASTMILE_FUNCTIONS": '{"predict-v2": "key+https://churn-dev-predict-v2-1234567.azurewebsites.net"}',
        "LASTMILE_ROUTING": planned["LASTMILE_ROUTING"],
        "LASTMILE_ROUTING_URL": "az://churndevdata-1234567/state/routing.json",
        "LASTMILE_TIMEOUT_S": "30",
    }
    release = run.one("Release", f"{APP}-release")
    assert release.inputs == {"digest": DIGEST, "settings": with_the_code}
    settings = run.settings(APP)
    assert settings["LASTMILE_RELEASES"] == compact({DIGEST: with_the_code})
    assert not {*with_the_code, "LASTMILE_MANIFEST_DIGEST"} & set(settings)
    assert {"AZURE_CLIENT_ID", "LASTMILE_AUTH", "PYTHON_THREADPOOL_THREAD_COUNT"} <= set(settings)
    assert release.name in run.one("WebApp", APP).waits_for


def test_no_code_is_there_before_callers_are_checked(tmp_path: Path) -> None:
    guid = "11111111-1111-1111-1111-111111111111"
    place = {"tenant": guid, "application": guid, "callers": [guid]}
    run = provisioned(spec_of(endpoint={"auth": "iam"}, targets={"azure": place}), tmp_path)
    assert "churn-dev-predict-auth" in run.one("Package").waits_for


def test_an_app_behind_front_door_takes_its_requests_alone(tmp_path: Path) -> None:
    spec = spec_of(**two_versions(apart=True), endpoint={"domain": "predict.example.com"})
    run = provisioned(spec, tmp_path)
    site = run.inputs("WebApp", APP)["siteConfig"]
    assert site["ipSecurityRestrictions"] == [
        {
            "name": "front-door",
            "priority": 100,
            "action": "Allow",
            "tag": "ServiceTag",
            "ipAddress": "AzureFrontDoor.Backend",
            "headers": {"x-azure-fdid": ["door of churn-dev-front-door"]},
        }
    ]
    assert site["ipSecurityRestrictionsDefaultAction"] == "Deny"
    assert site["scmIpSecurityRestrictionsUseMain"] is False
    # The router asks the other one past Front Door.
    assert "ipSecurityRestrictions" not in run.inputs("WebApp", "churn-dev-predict-v2")["siteConfig"]
