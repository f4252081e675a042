from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_infra.azure.identity import only_below, only_blob
from tests.lastmile_infra.azure.recorded import AZURE_CLI, DEPLOYER, provisioned
from tests.lastmile_infra.plans import spec_of, two_versions

_ROLES = "/providers/Microsoft.Authorization/roleDefinitions"


def test_one_identity_with_the_plans_name(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions(apart=True)), tmp_path)
    assert run.inputs("UserAssignedIdentity") == {"resourceName": "churn-dev"}


def test_a_role_on_one_resource(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions()), tmp_path)
    told = run.inputs("RoleAssignment", "churn-dev-reads-routing")
    assert told.pop("roleDefinitionId").endswith(f"{_ROLES}/2a2b9908-6ea1-4ae2-8e65-a410df84e7d1")
    assert told.pop("scope").endswith(
        "/storageAccounts/churndevdata-1234567/blobServices/default/containers/state"
    )
    assert told == {
        "principalId": "principal of churn-dev-identity",
        "principalType": "ServicePrincipal",
        "condition": only_blob("routing.json"),
        "conditionVersion": "2.0",
    }


def test_one_blob() -> None:
    blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
    assert only_blob("a/b.json") == (
        f"((!(ActionMatches{{'{blobs}/read'}})) OR (@Resource[{blobs}:path] StringEquals 'a/b.json'))"
    )


def test_folders() -> None:
    blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
    path, prefix = f"@Resource[{blobs}:path]", f"@Request[{blobs}:prefix]"
    listing = "SubOperationMatches{'Blob.List'}"
    assert only_below(["out"], ["in"]) == (
        f"((!(ActionMatches{{'{blobs}/read'}} AND NOT {listing})) "
        f"OR ({path} StringStartsWith 'out/' OR {path} StringStartsWith 'in/')) AND "
        f"((!(ActionMatches{{'{blobs}/read'}} AND {listing})) "
        f"OR ({prefix} StringStartsWith 'out/' OR {prefix} StringStartsWith 'in/')) AND "
        f"((!(ActionMatches{{'{blobs}/write'}}) AND !(ActionMatches{{'{blobs}/add/action'}}) "
        f"AND !(ActionMatches{{'{blobs}/delete'}}) AND !(ActionMatches{{'{blobs}/move/action'}})) "
        f"OR ({path} StringStartsWith 'out/'))"
    )


@pytest.mark.parametrize(
    ("client_id", "type_"),
    [(AZURE_CLI, "User"), ("00000000-0000-0000-0000-000000000000", "ServicePrincipal")],
)
def test_whoever_deploys_writes_the_document(tmp_path: Path, client_id: str, type_: str) -> None:
    run = provisioned(spec_of(**two_versions()), tmp_path, client_id=client_id)
    granted = run.one("RoleAssignment", "churn-dev-deployer-writes-state")
    assert granted.inputs["principalId"] == DEPLOYER
    assert granted.inputs["principalType"] == type_
    assert granted.inputs["roleDefinitionId"].endswith(f"{_ROLES}/ba92f5b4-2d11-453d-a403-e96b0029c9fe")
    assert "condition" not in granted.inputs
    assert set(granted.request.ignoreChanges) == {"principalId", "principalType"}
    assert not granted.request.retainOnDelete
    assert not run.one("RoleAssignment", "churn-dev-reads-routing").request.ignoreChanges
