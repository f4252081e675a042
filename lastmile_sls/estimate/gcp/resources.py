"""Which of Google Cloud's resources cost what: every type of our programs is in one of two tables."""

from __future__ import annotations

from types import MappingProxyType

from lastmile_sls.estimate.gcp import functions, gateway, operations, queue, storage
from lastmile_sls.estimate.month import CloudCosts, Formula

_PRICED: dict[str, Formula] = {
    "gcp:artifactregistry/repository:Repository": storage.images,
    "gcp:cloudrunv2/service:Service": functions.service,
    "gcp:cloudscheduler/job:Job": queue.schedule,
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": gateway.forwarding_rule,
    "gcp:compute/securityPolicy:SecurityPolicy": gateway.security_policy,
    "gcp:logging/metric:Metric": operations.metric,
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": operations.log_bucket,
    "gcp:pubsub/subscription:Subscription": queue.subscription,
    "gcp:pubsub/topic:Topic": queue.topic,
    "gcp:secretmanager/secretVersion:SecretVersion": storage.secret_version,
    "gcp:storage/bucket:Bucket": storage.bucket,
}
_IAM = "Identity and access management is free (cloud.google.com/iam, unverified)."
_APIS = "Turning an API on is free (cloud.google.com/service-usage/docs/enable-disable, 2026-11-29)."
_BALANCER = (
    "A part of the load balancer, which is billed by its forwarding rule and what it processes "
    "(cloud.google.com/load-balancing/pricing, 2026-11-30 in a public copy)."
)
_ADDRESS = "An address of a forwarding rule is free (cloud.google.com/vpc/network-pricing, unverified)."
_CERTIFICATE = "Google's own certificates are free (cloud.google.com/load-balancing/pricing, unverified)."
_ROUTER = "Routing logs is free (cloud.google.com/products/observability/pricing, 2026-08-05)."
_ALERTS = (
    "Alerting is free until 2027-09-01 at the earliest, from when each metric that a policy asks for costs $0.35 a month "
    "and a million points $0.50 (cloud.google.com/products/observability/pricing, 2026-11-30 in public copies)."
)
_TELLING = "E-mails and dashboards are free (cloud.google.com/products/observability/pricing, unverified)."
_BUDGET = "Budgets and their alerts are free (cloud.google.com/billing/docs/how-to/budgets, unverified)."
_RECORD = (
    "Queries are billed with the zone, which was there before: $0.40 a million "
    "(cloud.google.com/dns/pricing, unverified)."
)
_FREE = {
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": _IAM,
    "gcp:billing/budget:Budget": _BUDGET,
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": _IAM,
    "gcp:compute/backendService:BackendService": _BALANCER,
    "gcp:compute/globalAddress:GlobalAddress": _ADDRESS,
    "gcp:compute/managedSslCertificate:ManagedSslCertificate": _CERTIFICATE,
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": _BALANCER,
    "gcp:compute/sSLPolicy:SSLPolicy": _BALANCER,
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy": _BALANCER,
    "gcp:compute/uRLMap:URLMap": _BALANCER,
    "gcp:dns/recordSet:RecordSet": _RECORD,
    "gcp:logging/projectExclusion:ProjectExclusion": _ROUTER,
    "gcp:logging/projectSink:ProjectSink": _ROUTER,
    "gcp:monitoring/alertPolicy:AlertPolicy": _ALERTS,
    "gcp:monitoring/dashboard:Dashboard": _TELLING,
    "gcp:monitoring/notificationChannel:NotificationChannel": _TELLING,
    "gcp:projects/iAMMember:IAMMember": _IAM,
    "gcp:projects/service:Service": _APIS,
    "gcp:projects/serviceIdentity:ServiceIdentity": _IAM,
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": _IAM,
    "gcp:pubsub/topicIAMMember:TopicIAMMember": _IAM,
    "gcp:secretmanager/secret:Secret": "Billed by its versions (cloud.google.com/secret-manager/pricing).",
    "gcp:secretmanager/secretIamMember:SecretIamMember": _IAM,
    "gcp:serviceaccount/account:Account": _IAM,
    "gcp:serviceaccount/iAMMember:IAMMember": _IAM,
    "gcp:storage/bucketIAMMember:BucketIAMMember": _IAM,
    "gcp:storage/bucketObject:BucketObject": "Billed with the bucket (cloud.google.com/storage/pricing).",
}

COSTS = CloudCosts(priced=MappingProxyType(_PRICED), free=MappingProxyType(_FREE))
