from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lastmile_infra.azure.identity import only_below
from tests.lastmile_infra.azure.recorded import (
    DATA_GROUP,
    SUBSCRIPTION,
    WATCHED,
    Run,
    provisioned,
    provisioned_plan,
)
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions

ADOPTED = {"bucket": "mine/models", "resource_group": "theirs"}


def test_accounts_let_nobody_in_without_a_role_and_tls(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions()), tmp_path)
    for name in ("churndevhost", "churndevdata"):
        assert run.inputs("StorageAccount", name) == {
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
            "allowBlobPublicAccess": False,
            "allowCrossTenantReplication": False,
            "allowSharedKeyAccess": False,
            "defaultToOAuthAuthentication": True,
            "enableHttpsTrafficOnly": True,
            "minimumTlsVersion": "TLS1_2",
            "encryption": {"keySource": "Microsoft.Storage", "services": {"blob": {"enabled": True}}},
        }


def test_a_bucket(tmp_path: Path) -> None:
    spec = spec_of(**two_versions(), storage={"results_days": 7, "capture_days": 14, "old_versions_days": 5})
    run = provisioned(spec, tmp_path)
    account = {"accountName": "churndevdata-1234567"}
    assert run.inputs("BlobContainer", "churn-dev-state") == {
        **account,
        "containerName": "state",
        "publicAccess": "None",
    }
    assert run.inputs("BlobServiceProperties") == {
        **account,
        "blobServicesName": "default",
        "isVersioningEnabled": True,
        "deleteRetentionPolicy": {"enabled": True, "days": 7},
        "containerDeleteRetentionPolicy": {"enabled": True, "days": 7},
    }

    def rule(name: str, prefix: str, actions: dict[str, Any]) -> dict[str, Any]:
        filters = {"blobTypes": ["blockBlob"], "prefixMatch": [prefix]}
        definition = {"actions": actions, "filters": filters}
        return {"name": name, "enabled": True, "type": "Lifecycle", "definition": definition}

    base = {days: {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": days}}} for days in (7, 14)}
    old = {"version": {"delete": {"daysAfterCreationGreaterThan": 5}}}
    rules = run.inputs("ManagementPolicy")
    assert rules["managementPolicyName"] == "default"
    assert sorted(rules["policy"]["rules"], key=lambda rule: str(rule["name"])) == [
        rule("expire-capture", "state/capture/", base[14]),
        rule("expire-results", "state/results/", base[7]),
        rule("old-versions", "state/", old),
    ]


def test_what_outlives_the_deployment(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions()), tmp_path)
    kept = sorted(f"{r.type.rpartition(':')[2]} {r.name}" for r in run.resources if r.request.retainOnDelete)
    assert kept == [
        "BlobContainer churn-dev-state",
        "BlobServiceProperties churn-dev-versions",
        "Document churn-dev-routing",
        "ManagementPolicy churn-dev-lifecycle",
        "ResourceGroup churn-dev-data",
        "StorageAccount churndevdata",
    ]


def test_the_routing_document(tmp_path: Path) -> None:
    spec = spec_of(**two_versions())
    run = provisioned(spec, tmp_path)
    document = run.one("Document")
    routing = plan_of(spec, "azure")["routing"]
    assert routing
    content = json.loads(document.inputs["content"])
    assert content == routing["content"]
    assert content["weights"] == {"v1": 9000, "v2": 1000}
    assert document.inputs["url"] == "az://churndevdata-1234567/state"
    assert document.inputs["path"] == "routing.json"
    assert list(document.request.ignoreChanges) == ["content"]
    assert "churn-dev-deployer-writes-state" in document.waits_for
    # The function reads it when it starts.
    assert {"churn-dev-routing", "churn-dev-reads-routing"} <= run.one("WebApp").waits_for
    assert (
        run.settings_of_release("churn-dev-predict")["LASTMILE_ROUTING_URL"]
        == "az://churndevdata-1234567/state/routing.json"
    )
    granted = run.inputs("RoleAssignment", "churn-dev-reads-routing")["scope"]
    container = "churndevdata-1234567/blobServices/default/containers/state"
    assert granted == f"{DATA_GROUP}/Microsoft.Storage/storageAccounts/{container}"


def test_what_functions_may_do_with_work_that_waits(tmp_path: Path, watched: Run) -> None:
    granted = watched.inputs("RoleAssignment", "churn-dev-works-on-state")
    assert granted["roleDefinitionId"].endswith("/ba92f5b4-2d11-453d-a403-e96b0029c9fe")
    assert granted["scope"].endswith("/blobServices/default/containers/state")
    assert granted["condition"] == only_below(["results", "batch/out"], ["batch/in"])
    run = provisioned(spec_of(queue={}), tmp_path)
    granted = run.inputs("RoleAssignment", "churn-dev-works-on-state")
    assert granted["condition"] == only_below(["results"], [])


def test_places_that_are_not_in_the_plans_storage(tmp_path: Path) -> None:
    plan = plan_of(spec_of(**WATCHED), "azure")
    batch = plan["functions"][0]["batch"]
    assert batch
    batch["input"] = "az://another/in"
    told = r"^the plan's 'az://another/in' is a URL, but on Azure work is done in the plan's storage\.$"
    with pytest.raises(ValueError, match=told):
        provisioned_plan(plan, tmp_path)


def test_one_version_needs_no_storage_but_the_hosts(tmp_path: Path) -> None:
    run = provisioned(spec_of(), tmp_path)
    assert [r.name for r in run.all("StorageAccount")] == ["churndevhost"]
    assert [r.name for r in run.all("ResourceGroup")] == ["churn-dev-group"]
    assert "LASTMILE_ROUTING_URL" not in run.settings_of_release("churn-dev-predict")
    assert "bucket" not in run.outputs


def test_an_adopted_bucket_is_not_touched(tmp_path: Path) -> None:
    spec = spec_of(**two_versions(), targets={"azure": ADOPTED})
    run = provisioned(spec, tmp_path)
    routing = plan_of(spec, "azure")["routing"]
    assert routing
    assert [r.name for r in run.all("StorageAccount")] == ["churndevhost"]
    assert [r.name for r in run.all("BlobContainer")] == ["churn-dev-predict-package"]
    assert not run.all("BlobServiceProperties")
    assert not run.all("ManagementPolicy")
    mine = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/theirs/providers/Microsoft.Storage/storageAccounts/mine"
    reader = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
    (granted,) = [grant for grant in run.grants() if "theirs" in grant[2]]
    assert granted == (
        "principal of churn-dev-identity",
        reader,
        f"{mine}/blobServices/default/containers/models",
    )
    assert run.inputs("Document")["url"] == "az://mine/models"
    assert run.one("Document").request.retainOnDelete
    assert run.outputs["bucket"] == "az://mine/models"
    assert run.outputs["routing"] == f"az://mine/models/{routing['path']}"
    condition = run.inputs("RoleAssignment", "churn-dev-reads-routing")["condition"]
    assert condition.endswith(f"StringEquals '{routing['path']}'))")


def test_an_adopted_bucket_of_one_version_is_not_even_read(tmp_path: Path) -> None:
    run = provisioned(spec_of(targets={"azure": ADOPTED}), tmp_path)
    assert not [grant for grant in run.grants() if "theirs" in grant[2]]
    assert run.outputs["bucket"] == "az://mine/models"
    assert "routing" not in run.outputs
