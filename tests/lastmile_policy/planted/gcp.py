"""Breaks each rule on Google Cloud once, in a resource that is named for it; all else is as it must be, or not known yet."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

labels = {"model": "churn", "environment": "prod", "cost-center": "sales-0815"}
opts = pulumi.ResourceOptions(provider=gcp.Provider("here", project="a-project", region="europe-west1"))


def service(name: str, memory: str = "1Gi", most: int | None = 10, **more: object) -> gcp.cloudrunv2.Service:
    container = {"image": "an-image", "resources": {"limits": {"memory": memory}}}
    arguments: dict[str, object] = {
        "name": name,
        "location": "europe-west1",
        "labels": labels,
        "template": {"containers": [container], "scaling": {"max_instance_count": most}},
        **more,
    }
    return gcp.cloudrunv2.Service(name, opts=opts, **arguments)


def bucket(name: str, **more: object) -> gcp.storage.Bucket:
    arguments: dict[str, object] = {
        "location": "EUROPE-WEST1",
        "public_access_prevention": "enforced",
        "uniform_bucket_level_access": True,
        "labels": labels,
        **more,
    }
    return gcp.storage.Bucket(name, opts=opts, **arguments)


bucket("breaks-tags", labels={"model": "churn", "environment": "prod"})
bucket("breaks-regions", location="US")
bucket("breaks-private-storage", public_access_prevention="inherited")
closed = bucket("closed")
gcp.storage.BucketIAMMember(
    "breaks-no-anonymous",
    bucket=closed.name,
    role="roles/storage.objectViewer",
    member="allAuthenticatedUsers",
    opts=opts,
)
account = gcp.serviceaccount.Account("account", account_id="churn-predict", opts=opts)
gcp.storage.BucketIAMMember(
    "not-known-yet",
    bucket=closed.name,
    role="roles/storage.objectViewer",
    member=account.member,
    opts=opts,
)
service("breaks-memory", memory="4Gi")
service("breaks-instances", most=None)
service("open-prod", invoker_iam_disabled=True)
service("breaks-endpoint-auth", invoker_iam_disabled=True)
gcp.compute.SSLPolicy("breaks-tls", min_tls_version="TLS_1_1", opts=opts)
gcp.logging.ProjectBucketConfig(
    "breaks-log-retention",
    project="a-project",
    location="europe-west1",
    bucket_id="churn",
    retention_days=365,
    opts=opts,
)
dead = gcp.pubsub.Topic("dead", name="churn-dead", labels=labels, opts=opts)
topic = gcp.pubsub.Topic("jobs", name="churn-jobs", labels=labels, opts=opts)
gcp.pubsub.Subscription(
    "pushed",
    topic="projects/a-project/topics/churn-jobs",
    dead_letter_policy={
        "dead_letter_topic": "projects/a-project/topics/churn-dead",
        "max_delivery_attempts": 5,
    },
    labels=labels,
    opts=opts,
)
gcp.pubsub.Subscription("set-aside", topic="projects/a-project/topics/churn-dead", labels=labels, opts=opts)
gcp.pubsub.Subscription("breaks-dead-letters", topic="churn-jobs", labels=labels, opts=opts)
gcp.monitoring.AlertPolicy(
    "breaks-alarms-latency",
    display_name="churn-prod-latency",
    combiner="OR",
    conditions=[
        {
            "display_name": "latency",
            "condition_threshold": {"filter": "x", "comparison": "COMPARISON_GT", "duration": "0s"},
        }
    ],
    user_labels=labels,
    opts=opts,
)
gcp.billing.Budget(
    "breaks-budget",
    billing_account="000000-000000-000000",
    amount={"specified_amount": {"currency_code": "USD", "units": "1000"}},
    threshold_rules=[{"threshold_percent": 1.0}],
    opts=opts,
)
