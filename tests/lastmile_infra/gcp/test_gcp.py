"""A deployment as a whole: which resources there are, with which labels, and what it tells."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from tests.clouds.sdk_types import resource_class
from tests.lastmile_infra.gcp.recorded import PROJECT, REGION, provisioned_plan, run_of, uri_of
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions

TAGS = {
    "model": "churn",
    "environment": "dev",
    "owner": "growth-team",
    "cost-center": "cc-1",
    "managed-by": "lastmile",
}
EVERYTHING: dict[str, Any] = {
    **two_versions(apart=True),
    "endpoint": {
        "domain": "predict.example.com",
        "rate_limit": {"requests_per_s": 10.0, "burst": 600},
        "cors": {"allow_origins": ["https://app.example.com"]},
    },
    "secrets": {"DB_PASSWORD": "db-password"},
    "targets": {"gcp": {"dns_zone": "example"}},
}


def test_the_least_that_there_is(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    assert run.names() == [
        "Account churn-dev-account",
        "Deployment churn-dev",
        "Image churn-dev-predict-image",
        "Key churn-dev-key",
        "Repository churn-dev-images",
        "Secret churn-dev-key-secret",
        "SecretVersion churn-dev-key-secret-value",
        "Service churn-dev-api-artifactregistry",
        "Service churn-dev-api-iam",
        "Service churn-dev-api-run",
        "Service churn-dev-api-secretmanager",
        "Service churn-dev-predict",
        "gcp churn-dev-gcp",
    ]
    assert run.outputs == {
        "url": uri_of("churn-dev-predict"),
        "key": "value of key",
        "functions": {"predict": f"projects/{PROJECT}/locations/{REGION}/services/churn-dev-predict"},
    }


def test_everything_that_there_is(tmp_path: Path) -> None:
    run = run_of(tmp_path, **EVERYTHING)
    assert run.names() == [
        "Account churn-dev-account",
        "BackendService churn-dev-backend",
        "Bucket churn-dev-state",
        "BucketIAMMember churn-dev-reads-routing",
        "Deployment churn-dev",
        "Document churn-dev-routing",
        "GlobalAddress churn-dev-address",
        "GlobalForwardingRule churn-dev-https",
        "Image churn-dev-predict-image",
        "Image churn-dev-predict-v2-image",
        "Key churn-dev-key",
        "ManagedSslCertificate churn-dev-certificate",
        "RecordSet churn-dev-record",
        "RegionNetworkEndpointGroup churn-dev-group",
        "Repository churn-dev-images",
        "SSLPolicy churn-dev-tls",
        "Secret churn-dev-key-secret",
        "SecretIamMember churn-dev-reads-db-password",
        "SecretVersion churn-dev-key-secret-value",
        "SecurityPolicy churn-dev-limit",
        "Service churn-dev-api-artifactregistry",
        "Service churn-dev-api-compute",
        "Service churn-dev-api-dns",
        "Service churn-dev-api-iam",
        "Service churn-dev-api-run",
        "Service churn-dev-api-secretmanager",
        "Service churn-dev-api-storage",
        "Service churn-dev-predict",
        "Service churn-dev-predict-v2",
        "ServiceIamMember churn-dev-predict-v2-called",
        "TargetHttpsProxy churn-dev-proxy",
        "URLMap churn-dev-routes",
        "gcp churn-dev-gcp",
    ]
    bucket = "gs://churn-dev-state-1234567"
    services = f"projects/{PROJECT}/locations/{REGION}/services"
    assert run.outputs == {
        "url": "https://predict.example.com",
        "key": "value of key",
        "functions": {
            "predict": f"{services}/churn-dev-predict",
            "predict-v2": f"{services}/churn-dev-predict-v2",
        },
        "bucket": bucket,
        "routing": f"{bucket}/routing.json",
    }


def test_every_resource_that_takes_labels_has_them(tmp_path: Path) -> None:
    """Which take them is read off the SDK's own constructors."""
    run = run_of(tmp_path, **EVERYTHING)
    labelled = []
    for resource in run.resources:
        if resource.type.startswith("gcp:"):
            init: Any = resource_class(resource.type)._internal_init  # type: ignore[attr-defined]  # every generated resource has it
            if "labels" in inspect.signature(init).parameters:
                assert resource.inputs["labels"] == TAGS, resource.name
                labelled.append(resource.type.rpartition(":")[2])
            else:
                assert "labels" not in resource.inputs
    assert sorted(labelled) == [
        "Bucket",
        "GlobalAddress",
        "GlobalForwardingRule",
        "Repository",
        "Secret",
        "SecurityPolicy",
        "Service",
        "Service",
    ]
    for function in run.all("Service", "churn-dev-predict"):
        assert function.inputs["template"]["labels"] == TAGS


def test_only_data_outlives_the_deployment(tmp_path: Path) -> None:
    run = run_of(tmp_path, **EVERYTHING)
    kept = {resource.type.rpartition(":")[2] for resource in run.resources if resource.request.retainOnDelete}
    assert kept == {"Bucket", "Document"}


def test_all_are_the_components_children(tmp_path: Path) -> None:
    run = run_of(tmp_path, **EVERYTHING)
    parents = {
        resource.request.parent.rpartition("::")[2]
        for resource in run.resources
        if resource.name != "churn-dev"
    }
    assert parents == {"churn-dev"}


@pytest.mark.parametrize(("name", "environment"), [("a", "b"), ("n" * 40, "e" * 20)])
def test_names_that_google_makes_longer_are_short_enough(tmp_path: Path, name: str, environment: str) -> None:
    run = run_of(tmp_path, **{**EVERYTHING, "name": name, "environment": environment})
    made_by_pulumi = [
        resource.name
        for resource in run.resources
        if resource.type.startswith(("gcp:compute", "gcp:storage/bucket:"))
    ]
    assert len(made_by_pulumi) == 10
    assert max(len(name) for name in made_by_pulumi) <= 55
    account = run.inputs("Account")["accountId"]
    assert 6 <= len(account) <= 30
    assert account.startswith("a-b-" if name == "a" else "nnnnnnnnnnnnnnnnnnnnn-")
    assert len(run.inputs("Repository")["repositoryId"]) <= 63


def test_a_gateway_of_another_cloud(tmp_path: Path) -> None:
    plan = plan_of(spec_of(), "gcp")
    plan["endpoint"]["gateway"] = "front_door"
    wrong = r"^endpoint\.gateway is 'front_door', which Google Cloud does not have\.$"
    with pytest.raises(ValueError, match=wrong):
        provisioned_plan(plan, tmp_path)
