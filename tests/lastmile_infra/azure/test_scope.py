from __future__ import annotations

from pathlib import Path

import pulumi
import pulumi_azure_native as azure_native

from tests.lastmile_infra.azure.recorded import provisioned, provisioned_plan
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions

ANOTHER = "99999999-9999-9999-9999-999999999999"


def test_without_a_subscription_the_stacks_own_provider(tmp_path: Path) -> None:
    run = provisioned(spec_of(), tmp_path)
    assert not [r for r in run.resources if r.type.startswith("pulumi:providers")]
    assert not any(r.request.provider for r in run.resources)


def test_a_subscription_has_a_provider(tmp_path: Path) -> None:
    run = provisioned(spec_of(targets={"azure": {"subscription": ANOTHER}}), tmp_path)
    (provider,) = [r for r in run.resources if r.type == "pulumi:providers:azure-native"]
    assert provider.inputs["subscriptionId"] == ANOTHER
    made = [r for r in run.resources if r.type.startswith("azure-native:")]
    assert {r.request.provider.split("::")[3] for r in made} == {"churn-dev-azure"}
    assert not run.one("Key").request.provider
    for grant in run.all("RoleAssignment"):
        assert grant.inputs["roleDefinitionId"].startswith(f"/subscriptions/{ANOTHER}/providers/")


def test_a_provider_that_the_users_program_brings(tmp_path: Path) -> None:
    def theirs() -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(providers=[azure_native.Provider("theirs")])

    plan = plan_of(spec_of(targets={"azure": {"subscription": ANOTHER}}), "azure")
    run = provisioned_plan(plan, tmp_path, theirs)
    made = [r for r in run.resources if r.type.startswith("azure-native:")]
    assert {r.request.provider.split("::")[3] for r in made} == {"theirs"}


def test_the_group_is_the_deployments(tmp_path: Path) -> None:
    run = provisioned(spec_of(), tmp_path)
    assert run.one("ResourceGroup").inputs["resourceGroupName"] == "churn-dev"
    assert run.one("ResourceGroup").inputs["location"] == "westeurope"
    groups = {r.inputs["resourceGroupName"] for r in run.resources if "resourceGroupName" in r.inputs}
    assert groups == {"churn-dev"}


def test_data_has_a_group_of_its_own_that_stays(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions()), tmp_path)
    group = run.one("ResourceGroup", "churn-dev-data")
    assert (
        "resourceGroupName" not in group.inputs
    )  # its name is Pulumi's, so that the next deployment finds it free
    assert group.request.retainOnDelete
    inside = [r for r in run.resources if r.inputs.get("resourceGroupName") == "churn-dev-data-1234567"]
    assert sorted(r.type.rpartition(":")[2] for r in inside) == [
        "BlobContainer",
        "BlobServiceProperties",
        "ManagementPolicy",
        "StorageAccount",
    ]
