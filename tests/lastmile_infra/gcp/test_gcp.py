"""A deployment as a whole: which resources there are, with which labels, and what it tells."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from tests.clouds.sdk_types import resource_class
from tests.lastmile_infra.gcp.recorded import (
    BILLING,
    PROJECT,
    REGION,
    provisioned_plan,
    run_of,
    subscription_of,
    topic_of,
    uri_of,
)
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
    "queue": {},
    "schedule": {"cron": "0 6 * * *", "input": "batch/in", "output": "batch/out"},
    "operations": {"notify": ["on-call@example.com"]},
    "budget": {"monthly_limit": 100.0, "notify": ["money@example.com"]},
    "targets": {"gcp": {"dns_zone": "example", "billing_account": BILLING}},
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
        "account": "acme-models",
        "key": "value of key",
        "functions": {"predict": f"projects/{PROJECT}/locations/{REGION}/services/churn-dev-predict"},
        "logs": {"predict": "churn-dev-predict"},
    }


def test_everything_that_there_is(tmp_path: Path) -> None:
    run = run_of(tmp_path, **EVERYTHING)
    assert run.names() == [
        "Account churn-dev-account",
        "Account churn-dev-pusher",
        "AlertPolicy churn-dev-dead-letters",
        "AlertPolicy churn-dev-errors",
        "AlertPolicy churn-dev-latency",
        "AlertPolicy churn-dev-queue-age",
        "AlertPolicy churn-dev-throttles",
        "BackendService churn-dev-backend",
        "Bucket churn-dev-state",
        "BucketIAMMember churn-dev-lists-jobs",
        "BucketIAMMember churn-dev-reads-input",
        "BucketIAMMember churn-dev-reads-jobs",
        "BucketIAMMember churn-dev-reads-output",
        "BucketIAMMember churn-dev-reads-routing",
        "BucketIAMMember churn-dev-writes-jobs",
        "BucketIAMMember churn-dev-writes-output",
        "Budget churn-dev-budget",
        "Dashboard churn-dev-dashboard",
        "Deployment churn-dev",
        "Document churn-dev-routing",
        "GlobalAddress churn-dev-address",
        "GlobalForwardingRule churn-dev-https",
        "IAMMember churn-dev-jobs-proves",
        "Image churn-dev-predict-image",
        "Image churn-dev-predict-v2-image",
        "Job churn-dev-schedule",
        "Key churn-dev-key",
        "ManagedSslCertificate churn-dev-certificate",
        "Metric churn-dev-latency",
        "Metric churn-dev-requests",
        "NotificationChannel churn-dev-tells-money@example.com",
        "NotificationChannel churn-dev-tells-on-call@example.com",
        "ProjectBucketConfig churn-dev-logs",
        "ProjectExclusion churn-dev-logs-once",
        "ProjectSink churn-dev-logs-kept",
        "RecordSet churn-dev-record",
        "RegionNetworkEndpointGroup churn-dev-group",
        "Repository churn-dev-images",
        "SSLPolicy churn-dev-tls",
        "Secret churn-dev-key-secret",
        "SecretIamMember churn-dev-reads-db-password",
        "SecretVersion churn-dev-key-secret-value",
        "SecurityPolicy churn-dev-limit",
        "Service churn-dev-api-artifactregistry",
        "Service churn-dev-api-billingbudgets",
        "Service churn-dev-api-cloudresourcemanager",
        "Service churn-dev-api-cloudscheduler",
        "Service churn-dev-api-compute",
        "Service churn-dev-api-dns",
        "Service churn-dev-api-iam",
        "Service churn-dev-api-logging",
        "Service churn-dev-api-monitoring",
        "Service churn-dev-api-pubsub",
        "Service churn-dev-api-run",
        "Service churn-dev-api-secretmanager",
        "Service churn-dev-api-storage",
        "Service churn-dev-predict",
        "Service churn-dev-predict-v2",
        "ServiceIamMember churn-dev-predict-v2-called",
        "ServiceIamMember churn-dev-pushes-called",
        "ServiceIdentity churn-dev-jobs-agent",
        "ServiceIdentity churn-dev-schedule-agent",
        "Subscription churn-dev-jobs-dead-letters",
        "Subscription churn-dev-jobs-pushes",
        "SubscriptionIAMMember churn-dev-jobs-takes-away",
        "TargetHttpsProxy churn-dev-proxy",
        "Topic churn-dev-jobs",
        "Topic churn-dev-jobs-dead",
        "TopicIAMMember churn-dev-jobs-sets-aside",
        "TopicIAMMember churn-dev-schedule-sends",
        "TopicIAMMember churn-dev-sends",
        "URLMap churn-dev-routes",
        "gcp churn-dev-gcp",
    ]
    bucket = "gs://churn-dev-state-1234567"
    services = f"projects/{PROJECT}/locations/{REGION}/services"
    assert run.outputs == {
        "url": "https://predict.example.com",
        "account": "acme-models",
        "key": "value of key",
        "functions": {
            "predict": f"{services}/churn-dev-predict",
            "predict-v2": f"{services}/churn-dev-predict-v2",
        },
        "bucket": bucket,
        "routing": f"{bucket}/routing.json",
        "logs": {"predict": "churn-dev-predict", "predict-v2": "churn-dev-predict-v2"},
        "queue": {
            "topic": topic_of("churn-dev-jobs"),
            "subscription": subscription_of("churn-dev-jobs"),
            "dead_letters": subscription_of("churn-dev-jobs-dead"),
        },
        "schedule": f"projects/{PROJECT}/locations/{REGION}/jobs/churn-dev-schedule",
        "alarms": {
            signal: f"projects/{PROJECT}/alertPolicies/churn-dev-{signal}"
            for signal in ("errors", "latency", "throttles", "queue-age", "dead-letters")
        },
        "dashboard": f"https://console.cloud.google.com/monitoring/dashboards/builder/d-1?project={PROJECT}",
    }


def test_every_resource_that_takes_labels_has_them(tmp_path: Path) -> None:
    """Which take them is read off the SDK's own constructors."""
    run = run_of(tmp_path, **EVERYTHING)
    labelled = []
    for resource in run.resources:
        if resource.type.startswith("gcp:"):
            init: Any = resource_class(resource.type)._internal_init  # type: ignore[attr-defined]  # every generated resource has it
            takes = inspect.signature(init).parameters
            # Where Cloud Monitoring has user_labels, its labels are no labels.
            names = [name for name in ("user_labels", "labels") if name in takes]
            if names:
                assert resource.inputs[{"user_labels": "userLabels"}.get(names[0], names[0])] == TAGS
                labelled.append(resource.type.rpartition(":")[2])
            else:
                assert "labels" not in resource.inputs
    assert sorted(labelled) == [
        *["AlertPolicy"] * 5,
        "Bucket",
        "GlobalAddress",
        "GlobalForwardingRule",
        *["NotificationChannel"] * 2,
        "Repository",
        "Secret",
        "SecurityPolicy",
        *["Service"] * 2,
        *["Subscription"] * 2,
        *["Topic"] * 2,
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
    account, pusher = (
        run.inputs("Account", f"{name}-{environment}-{part}")["accountId"] for part in ("account", "pusher")
    )
    assert 6 <= len(account) <= 30
    assert account.startswith("a-b-" if name == "a" else "nnnnnnnnnnnnnnnnnnnnn-")
    assert (pusher != account, 6 <= len(pusher) <= 30) == (True, True)
    assert len(run.inputs("Repository")["repositoryId"]) <= 63


def test_a_gateway_of_another_cloud(tmp_path: Path) -> None:
    plan = plan_of(spec_of(), "gcp")
    plan["endpoint"]["gateway"] = "front_door"
    wrong = r"^endpoint\.gateway is 'front_door', which Google Cloud does not have\.$"
    with pytest.raises(ValueError, match=wrong):
        provisioned_plan(plan, tmp_path)
