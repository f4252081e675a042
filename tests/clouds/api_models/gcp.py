"""Google Cloud's models: the APIs' discovery documents, as google-api-python-client carries them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from tests.clouds.api_models.bootstrap import GCP_RENAMES, GCP_ROOTS
from tests.clouds.api_models.mapping import CloudModel, Place
from tests.clouds.api_models.node import Bounds, Node

_KINDS = {"object": "record", "array": "list"}
_FORMATS = {
    "int32": Bounds(minimum=-(2**31), maximum=2**31 - 1),
    "uint32": Bounds(minimum=0, maximum=2**32 - 1),
    # https://protobuf.dev/reference/protobuf/google.protobuf/#duration (2026-11-20)
    "google-duration": Bounds(pattern=r"-?\d+(\.\d{1,9})?s"),
}
_PLACEHOLDER = re.compile(r"\{\+?([A-Za-z]+)\}")

ROOTS: dict[str, tuple[str, ...]] = {
    "gcp:projects/service:Service": ("serviceusage.v1/services.enable",),
    "gcp:cloudrunv2/service:Service": (
        "run.v2:GoogleCloudRunV2Service",
        "run.v2/projects.locations.services.create",
    ),
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": (
        "run.v2:GoogleIamV1Binding",
        "run.v2/projects.locations.services.setIamPolicy",
    ),
    "gcp:storage/bucket:Bucket": ("storage.v1:Bucket", "storage.v1/buckets.insert"),
    "gcp:storage/bucketObject:BucketObject": ("storage.v1:Object", "storage.v1/objects.insert"),
    "gcp:storage/bucketIAMMember:BucketIAMMember": ("storage.v1:Policy", "storage.v1/buckets.setIamPolicy"),
    "gcp:serviceaccount/account:Account": (
        "iam.v1:CreateServiceAccountRequest",
        "iam.v1:ServiceAccount",
        "iam.v1/projects.serviceAccounts.get",
    ),
    "gcp:serviceaccount/iAMMember:IAMMember": (
        "iam.v1:Binding",
        "iam.v1/projects.serviceAccounts.setIamPolicy",
    ),
    "gcp:projects/iAMMember:IAMMember": (
        "cloudresourcemanager.v1:Binding",
        "cloudresourcemanager.v1/projects.get",
    ),
    "gcp:secretmanager/secret:Secret": (
        "secretmanager.v1:Secret",
        "secretmanager.v1/projects.secrets.create",
    ),
    "gcp:secretmanager/secretVersion:SecretVersion": (
        "secretmanager.v1:AddSecretVersionRequest",
        "secretmanager.v1/projects.secrets.get",
    ),
    "gcp:secretmanager/secretIamMember:SecretIamMember": (
        "secretmanager.v1:Binding",
        "secretmanager.v1/projects.secrets.setIamPolicy",
    ),
    "gcp:artifactregistry/repository:Repository": (
        "artifactregistry.v1:Repository",
        "artifactregistry.v1/projects.locations.repositories.create",
    ),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": (
        "artifactregistry.v1:Binding",
        "artifactregistry.v1/projects.locations.repositories.setIamPolicy",
    ),
    "gcp:compute/globalAddress:GlobalAddress": ("compute.v1:Address", "compute.v1/globalAddresses.insert"),
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": (
        "compute.v1:NetworkEndpointGroup",
        "compute.v1/regionNetworkEndpointGroups.insert",
    ),
    "gcp:compute/backendService:BackendService": (
        "compute.v1:BackendService",
        "compute.v1/backendServices.insert",
    ),
    "gcp:compute/uRLMap:URLMap": ("compute.v1:UrlMap", "compute.v1/urlMaps.insert"),
    "gcp:compute/managedSslCertificate:ManagedSslCertificate": (
        "compute.v1:SslCertificate",
        "compute.v1/sslCertificates.insert",
    ),
    "gcp:compute/sSLPolicy:SSLPolicy": ("compute.v1:SslPolicy", "compute.v1/sslPolicies.insert"),
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy": (
        "compute.v1:TargetHttpsProxy",
        "compute.v1/targetHttpsProxies.insert",
    ),
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": (
        "compute.v1:ForwardingRule",
        "compute.v1/globalForwardingRules.insert",
    ),
    "gcp:compute/securityPolicy:SecurityPolicy": (
        "compute.v1:SecurityPolicy",
        "compute.v1/securityPolicies.insert",
    ),
    "gcp:dns/recordSet:RecordSet": ("dns.v1:ResourceRecordSet", "dns.v1/resourceRecordSets.create"),
    "gcp:projects/serviceIdentity:ServiceIdentity": (
        "serviceusage.v1beta1/services.generateServiceIdentity",
    ),
    "gcp:pubsub/topic:Topic": ("pubsub.v1:Topic", "pubsub.v1/projects.topics.create"),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": (
        "pubsub.v1:Binding",
        "pubsub.v1/projects.topics.setIamPolicy",
    ),
    "gcp:pubsub/subscription:Subscription": (
        "pubsub.v1:Subscription",
        "pubsub.v1/projects.subscriptions.create",
    ),
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": (
        "pubsub.v1:Binding",
        "pubsub.v1/projects.subscriptions.setIamPolicy",
    ),
    "gcp:cloudscheduler/job:Job": (
        "cloudscheduler.v1:Job",
        "cloudscheduler.v1/projects.locations.jobs.create",
    ),
    "gcp:monitoring/notificationChannel:NotificationChannel": (
        "monitoring.v3:NotificationChannel",
        "monitoring.v3/projects.notificationChannels.create",
    ),
    "gcp:monitoring/alertPolicy:AlertPolicy": (
        "monitoring.v3:AlertPolicy",
        "monitoring.v3/projects.alertPolicies.create",
    ),
    "gcp:monitoring/dashboard:Dashboard": (
        "monitoring.v1:Dashboard",
        "monitoring.v1/projects.dashboards.create",
    ),
    "gcp:logging/metric:Metric": ("logging.v2:LogMetric", "logging.v2/projects.metrics.create"),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": (
        "logging.v2:LogBucket",
        "logging.v2/projects.locations.buckets.create",
    ),
    "gcp:logging/projectSink:ProjectSink": ("logging.v2:LogSink", "logging.v2/projects.sinks.create"),
    "gcp:logging/projectExclusion:ProjectExclusion": (
        "logging.v2:LogExclusion",
        "logging.v2/projects.exclusions.create",
    ),
    "gcp:billing/budget:Budget": (
        "billingbudgets.v1:GoogleCloudBillingBudgetsV1Budget",
        "billingbudgets.v1/billingAccounts.budgets.create",
    ),
    "gcp:apigateway/api:Api": ("apigateway.v1:ApigatewayApi", "apigateway.v1/projects.locations.apis.create"),
    "gcp:apigateway/apiConfig:ApiConfig": (
        "apigateway.v1:ApigatewayApiConfig",
        "apigateway.v1/projects.locations.apis.configs.create",
    ),
    "gcp:apigateway/gateway:Gateway": (
        "apigateway.v1:ApigatewayGateway",
        "apigateway.v1/projects.locations.gateways.create",
    ),
}

_BINDINGS = "storage.v1:Policy#bindings"

RENAMES: dict[Place, str] = {
    ("gcp:projects/service:Service", "project"): "cloudresourcemanager.v1:Project#projectId",
    ("gcp:cloudrunv2/serviceIamMember:ServiceIamMember", "name"): (
        "run.v2/projects.locations.services.get#services"
    ),
    ("gcp:storage/bucket:Bucket", "lifecycleRules"): "#lifecycle.rule",
    ("gcp:storage/bucket:Bucket", "publicAccessPrevention"): "#iamConfiguration.publicAccessPrevention",
    ("gcp:storage/bucket:Bucket", "uniformBucketLevelAccess"): (
        "#iamConfiguration.uniformBucketLevelAccess.enabled"
    ),
    ("gcp:storage/bucketIAMMember:BucketIAMMember", "role"): f"{_BINDINGS}.role",
    ("gcp:storage/bucketIAMMember:BucketIAMMember", "member"): f"{_BINDINGS}.members",
    ("gcp:storage/bucketIAMMember:BucketIAMMember", "condition"): f"{_BINDINGS}.condition",
    ("gcp:secretmanager/secret:Secret", "replication.auto"): "automatic",
    ("gcp:secretmanager/secretVersion:SecretVersion", "secretData"): "#payload.data",
    ("gcp:secretmanager/secretVersion:SecretVersion", "secretDataWo"): "#payload.data",
    ("gcp:secretmanager/secretIamMember:SecretIamMember", "secretId"): (
        "secretmanager.v1/projects.secrets.get#secrets"
    ),
    ("gcp:serviceaccount/iAMMember:IAMMember", "serviceAccountId"): (
        "iam.v1/projects.serviceAccounts.setIamPolicy#serviceAccounts"
    ),
    ("gcp:pubsub/topic:Topic", "name"): "pubsub.v1/projects.topics.create#topics",
    ("gcp:pubsub/subscription:Subscription", "name"): "pubsub.v1/projects.subscriptions.create#subscriptions",
    ("gcp:cloudscheduler/job:Job", "region"): "cloudscheduler.v1/projects.locations.jobs.create#locations",
    ("gcp:billing/budget:Budget", "allUpdatesRule"): "#notificationsRule",
}
_OWN = "the provider's own: what it does when the resource is deleted, of which the API knows nothing"
_WRITE_ONLY = "the provider's own: with another number it sends the write-only value again"
UNMAPPED: dict[Place, str] = {
    ("gcp:secretmanager/secret:Secret", "deletionProtection"): _OWN,
    ("gcp:secretmanager/secretVersion:SecretVersion", "secretDataWoVersion"): _WRITE_ONLY,
    ("gcp:projects/service:Service", "disableOnDestroy"): _OWN,
    ("gcp:cloudrunv2/service:Service", "deletionProtection"): _OWN,
    ("gcp:storage/bucket:Bucket", "forceDestroy"): _OWN,
    ("gcp:storage/bucket:Bucket", "lifecycleRules.condition.withState"): (
        "Terraform's three states for the API's isLive, which is true, false or not there"
    ),
    ("gcp:storage/bucketObject:BucketObject", "source"): "the object's content, which is sent as it is",
    ("gcp:pubsub/subscription:Subscription", "expirationPolicy.ttl"): (
        "an empty text is the provider's word for never, for which the API has a policy that says no time"
    ),
    ("gcp:monitoring/dashboard:Dashboard", "dashboardJson"): (
        "the API's whole Dashboard, as text: tests/conformance/test_google_monitoring.py holds ours against it"
    ),
}


@cache
def load(reference: str) -> Node:
    """Return the node of `run.v2:Schema`, or the parameters of the method `run.v2/projects.locations.services.get`."""
    if "/" in reference:
        document, method = reference.split("/")
        return _parameters(reference, _method(_document(document), method.split(".")))
    document, schema = reference.split(":")
    return _from_schema(schema, {"$ref": schema}, _document(document))


@cache
def _document(name: str) -> dict[str, Any]:
    folder = resources.files("googleapiclient.discovery_cache") / "documents"
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _method(document: Mapping[str, Any], names: list[str]) -> Mapping[str, Any]:
    holder: Mapping[str, Any] = document
    for name in names[:-1]:
        holder = holder["resources"][name]
    found: Mapping[str, Any] = holder["methods"][names[-1]]
    return found


def _parameters(label: str, method: Mapping[str, Any]) -> Node:
    """Return a method's parameters as a record, and those that only its path names: `projectsId` is the project."""

    def members() -> dict[str, Node]:
        in_path = _PLACEHOLDER.findall(method.get("flatPath", method["path"]))
        found = {name.removesuffix("Id"): Node(f"{label}({name})", frozenset({"string"})) for name in in_path}
        for name, parameter in method.get("parameters", {}).items():
            found[name] = _from_schema(f"{label}({name})", parameter, {})
        return found

    return Node(label, frozenset({"record"}), members=members)


def _from_schema(label: str, schema: Mapping[str, Any], document: Mapping[str, Any]) -> Node:
    if "$ref" in schema:
        schema = document["schemas"][schema["$ref"]]
    properties, extra, items = (schema.get(key) for key in ("properties", "additionalProperties", "items"))
    kind = schema.get("type", "any")
    below = items or extra
    kinds = {"map"} if extra else {_KINDS.get(kind, kind)}
    return Node(
        label,
        frozenset({"any"} if kind == "object" and not properties and not extra else kinds),
        bounds=_bounds(schema),
        members=lambda: {
            name: _from_schema(f"{label}.{name}", member, document)
            for name, member in (properties or {}).items()
        },
        item=(lambda: _from_schema(f"{label}[]", below, document)) if below else None,
    )


def _bounds(schema: Mapping[str, Any]) -> Bounds:
    format_ = _FORMATS.get(schema.get("format", ""), Bounds())
    low, high = schema.get("minimum"), schema.get("maximum")
    return Bounds(
        enum=tuple(name for name in schema.get("enum", ()) if not name.endswith("_UNSPECIFIED")),
        pattern=schema.get("pattern", format_.pattern),
        minimum=float(low) if low is not None else format_.minimum,
        maximum=float(high) if high is not None else format_.maximum,
    )


MODEL = CloudModel("gcp", load, {**ROOTS, **GCP_ROOTS}, {**RENAMES, **GCP_RENAMES}, UNMAPPED)
