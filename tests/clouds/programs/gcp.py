"""A program that uses each type of Google Cloud resource that the tables know, with the arguments that matter."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

labels = {"model": "churn"}
provider = gcp.Provider("here", project="a-project", region="europe-west1", default_labels={"owner": "us"})
opts = pulumi.ResourceOptions(provider=provider)
place = {"project": "a-project", "location": "europe-west1"}

run_api = gcp.projects.Service(
    "run-api", project="a-project", service="run.googleapis.com", disable_on_destroy=False, opts=opts
)
bucket = gcp.storage.Bucket(
    "artifacts",
    location="EUROPE-WEST1",
    force_destroy=True,
    uniform_bucket_level_access=True,
    public_access_prevention="enforced",
    versioning={"enabled": True},
    lifecycle_rules=[
        {
            "action": {"type": "Delete"},
            "condition": {"days_since_noncurrent_time": 7, "with_state": "ARCHIVED", "age": 30},
        }
    ],
    soft_delete_policy={"retention_duration_seconds": 604800},
    labels=labels,
    opts=opts,
)
gcp.storage.BucketObject(
    "code",
    bucket=bucket.name,
    name="bundles/code.txt",
    source=pulumi.FileAsset("code.txt"),
    content_type="text/plain",
    opts=opts,
)
account = gcp.serviceaccount.Account("identity", account_id="churn-identity", display_name="Churn", opts=opts)
gcp.storage.BucketIAMMember(
    "reads",
    bucket=bucket.name,
    role="roles/storage.objectViewer",
    member=account.member,
    condition={
        "title": "models",
        "expression": "resource.name.startsWith('projects/_/buckets/b/objects/models/')",
    },
    opts=opts,
)
gcp.projects.IAMMember(
    "traces", project="a-project", role="roles/cloudtrace.agent", member=account.member, opts=opts
)
secret = gcp.secretmanager.Secret(
    "key", secret_id="churn-key", replication={"auto": {}}, labels=labels, opts=opts
)
gcp.secretmanager.SecretVersion(
    "key-value", secret=secret.id, secret_data=pulumi.Output.secret("hush-hush"), opts=opts
)
gcp.secretmanager.SecretIamMember(
    "may-read-key",
    secret_id=secret.secret_id,
    role="roles/secretmanager.secretAccessor",
    member=account.member,
    opts=opts,
)
images = gcp.artifactregistry.Repository(
    "images",
    repository_id="churn",
    format="DOCKER",
    docker_config={"immutable_tags": True},
    cleanup_policies=[
        {
            "id": "old",
            "action": "DELETE",
            "condition": {"tag_state": "UNTAGGED", "older_than": "1209600s"},
        }
    ],
    labels=labels,
    opts=opts,
    location="europe-west1",
)
gcp.artifactregistry.RepositoryIamMember(
    "pulls",
    repository=images.name,
    role="roles/artifactregistry.reader",
    member=account.member,
    opts=opts,
    **place,
)
service = gcp.cloudrunv2.Service(
    "predict",
    location="europe-west1",
    ingress="INGRESS_TRAFFIC_ALL",
    deletion_protection=False,
    invoker_iam_disabled=False,
    labels=labels,
    scaling={"min_instance_count": 1},
    template={
        "service_account": account.email,
        "timeout": "60s",
        "max_instance_request_concurrency": 16,
        "execution_environment": "EXECUTION_ENVIRONMENT_GEN2",
        "scaling": {"min_instance_count": 0, "max_instance_count": 10},
        "labels": labels,
        "containers": [
            {
                "image": images.registry_uri.apply(lambda uri: f"{uri}/churn@sha256:{'0' * 64}"),
                "ports": {"container_port": 8080},
                "resources": {
                    "limits": {"cpu": "1", "memory": "1024Mi"},
                    "cpu_idle": True,
                    "startup_cpu_boost": True,
                },
                "envs": [
                    {"name": "LASTMILE_BUCKET", "value": bucket.url},
                    {
                        "name": "LASTMILE_KEY",
                        "value_source": {"secret_key_ref": {"secret": secret.secret_id, "version": "latest"}},
                    },
                ],
                "startup_probe": {
                    "http_get": {"path": "/v2/health/ready", "port": 8080},
                    "period_seconds": 5,
                    "timeout_seconds": 3,
                    "failure_threshold": 24,
                },
                "liveness_probe": {"http_get": {"path": "/v2/health/live"}},
            }
        ],
    },
    traffics=[{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[run_api]),
)
gcp.cloudrunv2.ServiceIamMember(
    "open", name=service.name, role="roles/run.invoker", member="allUsers", opts=opts, **place
)

address = gcp.compute.GlobalAddress("address", opts=opts)
endpoints = gcp.compute.RegionNetworkEndpointGroup(
    "endpoints",
    region="europe-west1",
    network_endpoint_type="SERVERLESS",
    cloud_run={"service": service.name},
    opts=opts,
)
limits = gcp.compute.SecurityPolicy(
    "limits",
    rules=[
        {
            "action": "throttle",
            "priority": 2147483647,
            "match": {"versioned_expr": "SRC_IPS_V1", "config": {"src_ip_ranges": ["*"]}},
            "rate_limit_options": {
                "conform_action": "allow",
                "exceed_action": "deny(429)",
                "enforce_on_key": "IP",
                "rate_limit_threshold": {"count": 100, "interval_sec": 60},
            },
        }
    ],
    opts=opts,
)
backend = gcp.compute.BackendService(
    "backend",
    protocol="HTTPS",
    load_balancing_scheme="EXTERNAL_MANAGED",
    backends=[{"group": endpoints.self_link}],
    security_policy=limits.self_link,
    opts=opts,
)
routes = gcp.compute.URLMap("routes", default_service=backend.self_link, opts=opts)
certificate = gcp.compute.ManagedSslCertificate(
    "certificate", managed={"domains": ["churn.example.com"]}, opts=opts
)
proxy = gcp.compute.TargetHttpsProxy(
    "proxy", url_map=routes.self_link, ssl_certificates=[certificate.self_link], opts=opts
)
gcp.compute.GlobalForwardingRule(
    "door",
    target=proxy.self_link,
    ip_address=address.address,
    port_range="443",
    load_balancing_scheme="EXTERNAL_MANAGED",
    labels=labels,
    opts=opts,
)
gcp.dns.RecordSet(
    "alias",
    managed_zone="a-zone",
    name="churn.example.com.",
    type="A",
    ttl=300,
    rrdatas=[address.address],
    opts=opts,
)

topic = gcp.pubsub.Topic(
    "jobs",
    name="churn-jobs",
    message_storage_policy={"allowed_persistence_regions": ["europe-west1"]},
    labels=labels,
    opts=opts,
)
dead = gcp.pubsub.Topic("jobs-dead", name="churn-jobs-dead", labels=labels, opts=opts)
pubsub = gcp.projects.ServiceIdentity("pubsub", service="pubsub.googleapis.com", opts=opts)
gcp.pubsub.TopicIAMMember(
    "sets-aside", topic=dead.id, role="roles/pubsub.publisher", member=pubsub.member, opts=opts
)
gcp.serviceaccount.IAMMember(
    "proves",
    service_account_id=account.name,
    role="roles/iam.serviceAccountOpenIdTokenCreator",
    member=pubsub.member,
    opts=opts,
)
pushes = gcp.pubsub.Subscription(
    "pushes",
    name="churn-jobs",
    topic=topic.id,
    push_config={
        "push_endpoint": pulumi.Output.concat(service.uri, "/_lastmile/queue"),
        "oidc_token": {"service_account_email": account.email, "audience": "https://churn/queue"},
    },
    ack_deadline_seconds=180,
    message_retention_duration="345600s",
    expiration_policy={"ttl": ""},
    dead_letter_policy={"dead_letter_topic": dead.id, "max_delivery_attempts": 5},
    retry_policy={"minimum_backoff": "10s", "maximum_backoff": "600s"},
    labels=labels,
    opts=opts,
)
gcp.pubsub.SubscriptionIAMMember(
    "takes-away",
    subscription=pushes.name,
    role="roles/pubsub.subscriber",
    member=pubsub.member,
    opts=opts,
)
clock = gcp.cloudscheduler.Job(
    "clock",
    name="churn-clock",
    region="europe-west1",
    description="Has files scored.",
    schedule="0 6 * * 1-5",
    time_zone="Etc/UTC",
    pubsub_target={"topic_name": topic.id, "data": "e30="},
    retry_config={"retry_count": 5},
    opts=opts,
)

channel = gcp.monitoring.NotificationChannel(
    "on-call",
    type="email",
    display_name="On call",
    labels={"email_address": "on-call@example.com"},
    user_labels=labels,
    opts=opts,
)
latency = gcp.logging.Metric(
    "latency",
    name="churn/latency",
    description="How long answers took.",
    filter='resource.type="cloud_run_revision"',
    value_extractor="EXTRACT(httpRequest.latency)",
    label_extractors={"version": "EXTRACT(jsonPayload.version)"},
    metric_descriptor={
        "metric_kind": "DELTA",
        "value_type": "DISTRIBUTION",
        "unit": "s",
        "labels": [{"key": "version", "value_type": "STRING", "description": "Which answered."}],
    },
    bucket_options={"exponential_buckets": {"scale": 0.001, "growth_factor": 1.2, "num_finite_buckets": 84}},
    opts=opts,
)
alarm = gcp.monitoring.AlertPolicy(
    "slow",
    display_name="churn is slow",
    combiner="OR",
    conditions=[
        {
            "display_name": "latency",
            "condition_prometheus_query_language": {
                "query": 'histogram_quantile(0.95, {"logging.googleapis.com/user/churn/latency_bucket"}) >= 1',
                "duration": "0s",
                "evaluation_interval": "60s",
                "disable_metric_validation": True,
            },
        }
    ],
    notification_channels=[channel.id],
    documentation={"content": "One answer in twenty takes a second.", "mime_type": "text/markdown"},
    alert_strategy={"auto_close": "1800s"},
    user_labels=labels,
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[latency]),
)
page = gcp.monitoring.Dashboard("page", dashboard_json='{"displayName": "churn"}', opts=opts)
logs = gcp.logging.ProjectBucketConfig(
    "logs",
    project="a-project",
    location="europe-west1",
    bucket_id=pulumi.Output.concat("churn-", account.unique_id),
    retention_days=30,
    description="What churn writes.",
    opts=opts,
)
gcp.logging.ProjectSink(
    "logs-kept",
    name="churn",
    destination=pulumi.Output.concat("logging.googleapis.com/", logs.id),
    filter='resource.type="cloud_run_revision"',
    opts=opts,
)
gcp.logging.ProjectExclusion(
    "logs-once",
    name="churn",
    description="Kept in a bucket of their own.",
    filter='resource.type="cloud_run_revision"',
    opts=opts,
)
number = gcp.organizations.get_project_output(opts=pulumi.InvokeOptions(provider=provider)).number
gcp.billing.Budget(
    "month",
    billing_account="012345-6789AB-CDEF01",
    display_name="churn",
    amount={"specified_amount": {"currency_code": "EUR", "units": "120", "nanos": 500000000}},
    budget_filter={
        "projects": [pulumi.Output.concat("projects/", number)],
        "labels": labels,
        "calendar_period": "MONTH",
    },
    threshold_rules=[
        {"threshold_percent": 0.5, "spend_basis": "CURRENT_SPEND"},
        {"threshold_percent": 1.0, "spend_basis": "FORECASTED_SPEND"},
    ],
    all_updates_rule={
        "monitoring_notification_channels": [channel.id],
        "disable_default_iam_recipients": True,
    },
    opts=opts,
)

pulumi.export("url", service.uri)
pulumi.export(
    "project",
    gcp.organizations.get_client_config_output(opts=pulumi.InvokeOptions(provider=provider)).project,
)
pulumi.export("number", number)
pulumi.export("queue", [topic.id, pushes.id, clock.id])
pulumi.export("watch", [alarm.name, page.id])
