from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest

from tests.lastmile_infra.gcp.recorded import BILLING, PROJECT, REGION, provisioned_plan, run_of
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions


def test_a_provider_of_the_plans_place(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    provider = run.one("gcp")
    assert (provider.name, provider.inputs) == ("churn-dev-gcp", {"project": PROJECT, "region": REGION})
    made = [resource for resource in run.resources if resource.type.startswith("gcp:")]
    assert {resource.request.provider.split("::")[3] for resource in made} == {"churn-dev-gcp"}
    assert not run.one("Key").request.provider


def test_a_provider_that_the_users_program_brings(tmp_path: Path) -> None:
    def theirs() -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(providers=[gcp.Provider("theirs", project="another")])

    run = provisioned_plan(plan_of(spec_of(), "gcp"), tmp_path, theirs)
    assert [resource.name for resource in run.all("gcp")] == ["theirs"]
    made = [resource for resource in run.resources if resource.type.startswith("gcp:")]
    assert {resource.request.provider.split("::")[3] for resource in made} == {"theirs"}


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({"endpoint": {"auth": "public"}}, []),
        ({}, ["secretmanager"]),
        ({"endpoint": {"auth": "public"}, "secrets": {"A": "a"}}, ["secretmanager"]),
        (two_versions(), ["secretmanager", "storage"]),
        ({**two_versions(), "targets": {"gcp": {"bucket": "theirs"}}}, ["secretmanager"]),
        ({"endpoint": {"domain": "a.example.com"}}, ["compute", "secretmanager"]),
        (
            {"endpoint": {"domain": "a.example.com"}, "targets": {"gcp": {"dns_zone": "z"}}},
            ["compute", "dns", "secretmanager"],
        ),
        ({"queue": {}}, ["pubsub", "secretmanager", "storage"]),
        (
            {"schedule": {"cron": "0 6 * * *", "input": "in", "output": "out"}},
            ["cloudscheduler", "pubsub", "secretmanager", "storage"],
        ),
        ({"operations": {"notify": ["a@example.com"]}}, ["logging", "monitoring", "secretmanager"]),
        (
            {
                "budget": {"monthly_limit": 1.0, "notify": ["a@example.com"]},
                "targets": {"gcp": {"billing_account": BILLING}},
            },
            ["billingbudgets", "cloudresourcemanager", "monitoring", "secretmanager"],
        ),
    ],
    ids=[
        *("public", "keys", "secrets", "bucket", "adopted", "domain", "zone"),
        *("queue", "schedule", "operations", "budget"),
    ],
)
def test_the_apis_that_are_used_are_on_first_and_stay_on(
    tmp_path: Path, changes: dict[str, Any], more: list[str]
) -> None:
    run = run_of(tmp_path, **changes)
    every = [resource for resource in run.resources if resource.type == "gcp:projects/service:Service"]
    apis = sorted(every, key=lambda resource: resource.name)
    assert [resource.inputs for resource in apis] == [
        {"service": f"{api}.googleapis.com", "disableOnDestroy": False}
        for api in sorted({"artifactregistry", "iam", "run", *more})
    ]
    (repository,) = run.all("Repository")
    names = {urn.rpartition("::")[2] for urn in repository.request.dependencies}
    assert names == {resource.name for resource in apis}


def test_a_plan_without_a_place(tmp_path: Path) -> None:
    plan = plan_of(spec_of(), "gcp")
    plan["place"] = None
    with pytest.raises(
        ValueError, match=r"^the plan says no place, which a deployment to Google Cloud needs\.$"
    ):
        provisioned_plan(plan, tmp_path)
