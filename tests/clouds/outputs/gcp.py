"""What Google Cloud would answer when a resource is made."""

from __future__ import annotations

from typing import Any

from tests.clouds.outputs.made import Made, Outputs

_COMPUTE = "https://www.googleapis.com/compute/v1"


def _project(made: Made) -> str:
    return str(made.inputs.get("project") or made.place.project)


def _location(made: Made) -> str:
    return str(made.inputs.get("location") or made.inputs.get("region") or made.place.region)


def _api_service(made: Made) -> dict[str, Any]:
    return {"id": f"{_project(made)}/{made['service']}", "project": _project(made)}


def _run_service(made: Made) -> dict[str, Any]:
    name, location = made.named(), _location(made)
    uri = f"https://{name}-{made.place.project_number}.{location}.run.app"
    return {
        "id": f"projects/{_project(made)}/locations/{location}/services/{name}",
        "name": name,
        "project": _project(made),
        "uri": uri,
        "urls": [uri],
        "latestReadyRevision": f"{name}-{made.generation:05d}",
    }


def _bucket(made: Made) -> dict[str, Any]:
    name = made.named()
    return {
        "id": name,
        "name": name,
        "project": _project(made),
        "url": f"gs://{name}",
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}",
    }


def _object(made: Made) -> dict[str, Any]:
    name, bucket = made.named(), made["bucket"]
    link = f"https://www.googleapis.com/storage/v1/b/{bucket}/o/{name}"
    return {
        "id": f"{bucket}-{name}",
        "name": name,
        "outputName": name,
        "selfLink": link,
        "mediaLink": f"{link}?alt=media",
        "generation": made.generation,
    }


def _account(made: Made) -> dict[str, Any]:
    email = f"{made['accountId']}@{_project(made)}.iam.gserviceaccount.com"
    name = f"projects/{_project(made)}/serviceAccounts/{email}"
    return {
        "id": name,
        "name": name,
        "email": email,
        "member": f"serviceAccount:{email}",
        "project": _project(made),
        "uniqueId": str(int(made.digest(15), 16)),
    }


def _secret(made: Made) -> dict[str, Any]:
    inner = f"secrets/{made['secretId']}"
    return {
        "id": f"projects/{_project(made)}/{inner}",
        "name": f"projects/{made.place.project_number}/{inner}",
        "project": _project(made),
    }


def _secret_version(made: Made) -> dict[str, Any]:
    name = f"{made['secret']}/versions/{made.generation}"
    return {"id": name, "name": name, "version": str(made.generation)}


def _repository(made: Made) -> dict[str, Any]:
    id_, location = made["repositoryId"], _location(made)
    return {
        "id": f"projects/{_project(made)}/locations/{location}/repositories/{id_}",
        "name": id_,
        "project": _project(made),
        "registryUri": f"{location}-docker.pkg.dev/{_project(made)}/{id_}",
    }


def _global(kind: str) -> Outputs:
    def outputs(made: Made) -> dict[str, Any]:
        path = f"projects/{_project(made)}/global/{kind}/{made.named()}"
        return {
            "id": path,
            "name": made.named(),
            "project": _project(made),
            "selfLink": f"{_COMPUTE}/{path}",
        }

    return outputs


def _address(made: Made) -> dict[str, Any]:
    return {**_global("addresses")(made), "address": "203.0.113.7"}


def _endpoint_group(made: Made) -> dict[str, Any]:
    path = f"projects/{_project(made)}/regions/{_location(made)}/networkEndpointGroups/{made.named()}"
    return {"id": path, "name": made.named(), "project": _project(made), "selfLink": f"{_COMPUTE}/{path}"}


def _member(*keys: str) -> Outputs:
    def outputs(made: Made) -> dict[str, Any]:
        owner = "/".join(str(made.inputs.get(key, "")) for key in keys)
        return {"id": f"{owner}/{made['role']}/{made['member']}", "etag": made.digest(8)}

    return outputs


def _record_set(made: Made) -> dict[str, Any]:
    path = (
        f"projects/{_project(made)}/managedZones/{made['managedZone']}/rrsets/{made['name']}/{made['type']}"
    )
    return {"id": path, "project": _project(made)}


def _gateway_part(collection: str, key: str) -> Outputs:
    def outputs(made: Made) -> dict[str, Any]:
        location = made.inputs.get("region") or "global"
        name = f"projects/{_project(made)}/locations/{location}/{collection}/{made.named(key)}"
        return {
            "id": name,
            "name": name,
            key: made.named(key),
            "project": _project(made),
            "managedService": f"{made.named(key)}-{made.suffix}.apigateway.{_project(made)}.cloud.goog",
            "defaultHostname": f"{made.named(key)}-{made.suffix}.ew.gateway.dev",
        }

    return outputs


def _below(collection: str, *, located: bool = False, key: str = "name") -> Outputs:
    """Return what tells of a resource whose name in its collection is the caller's, or Pulumi's."""

    def outputs(made: Made) -> dict[str, Any]:
        where = f"/locations/{_location(made)}" if located else ""
        name = made.named(key)
        id_ = f"projects/{_project(made)}{where}/{collection}/{name}"
        return {"id": id_, key: name, "project": _project(made)}

    return outputs


def _numbered(collection: str) -> Outputs:
    """Return what tells of a resource that Cloud Monitoring gives a number, which its full name has in it."""

    def outputs(made: Made) -> dict[str, Any]:
        name = f"projects/{_project(made)}/{collection}/{int(made.digest(15), 16)}"
        return {"id": name, "name": name, "project": _project(made)}

    return outputs


def _service_identity(made: Made) -> dict[str, Any]:
    service = str(made["service"]).partition(".")[0]
    email = f"service-{made.place.project_number}@gcp-sa-{service}.iam.gserviceaccount.com"
    return {
        "id": f"projects/{_project(made)}/services/{made['service']}",
        "email": email,
        "member": f"serviceAccount:{email}",
        "project": _project(made),
    }


def _log_metric(made: Made) -> dict[str, Any]:
    return {"id": made.named(), "name": made.named(), "project": _project(made)}


def _budget(made: Made) -> dict[str, Any]:
    name = made.uuid("budget")
    return {"id": f"billingAccounts/{made['billingAccount']}/budgets/{name}", "name": name}


OUTPUTS: dict[str, Outputs] = {
    "gcp:projects/service:Service": _api_service,
    "gcp:projects/iAMMember:IAMMember": _member("project"),
    "gcp:cloudrunv2/service:Service": _run_service,
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": _member("project", "location", "name"),
    "gcp:storage/bucket:Bucket": _bucket,
    "gcp:storage/bucketObject:BucketObject": _object,
    "gcp:storage/bucketIAMMember:BucketIAMMember": _member("bucket"),
    "gcp:serviceaccount/account:Account": _account,
    "gcp:serviceaccount/iAMMember:IAMMember": _member("serviceAccountId"),
    "gcp:secretmanager/secret:Secret": _secret,
    "gcp:secretmanager/secretVersion:SecretVersion": _secret_version,
    "gcp:secretmanager/secretIamMember:SecretIamMember": _member("project", "secretId"),
    "gcp:artifactregistry/repository:Repository": _repository,
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": _member(
        "project", "location", "repository"
    ),
    "gcp:compute/globalAddress:GlobalAddress": _address,
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": _endpoint_group,
    "gcp:compute/backendService:BackendService": _global("backendServices"),
    "gcp:compute/uRLMap:URLMap": _global("urlMaps"),
    "gcp:compute/managedSslCertificate:ManagedSslCertificate": _global("sslCertificates"),
    "gcp:compute/sSLPolicy:SSLPolicy": _global("sslPolicies"),
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy": _global("targetHttpsProxies"),
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": _global("forwardingRules"),
    "gcp:compute/securityPolicy:SecurityPolicy": _global("securityPolicies"),
    "gcp:dns/recordSet:RecordSet": _record_set,
    "gcp:projects/serviceIdentity:ServiceIdentity": _service_identity,
    "gcp:pubsub/topic:Topic": _below("topics"),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": _member("topic"),
    "gcp:pubsub/subscription:Subscription": _below("subscriptions"),
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": _member("subscription"),
    "gcp:cloudscheduler/job:Job": _below("jobs", located=True),
    "gcp:monitoring/notificationChannel:NotificationChannel": _numbered("notificationChannels"),
    "gcp:monitoring/alertPolicy:AlertPolicy": _numbered("alertPolicies"),
    "gcp:monitoring/dashboard:Dashboard": _numbered("dashboards"),
    "gcp:logging/metric:Metric": _log_metric,
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": _below("buckets", located=True, key="bucketId"),
    "gcp:logging/projectSink:ProjectSink": _below("sinks"),
    "gcp:logging/projectExclusion:ProjectExclusion": _below("exclusions"),
    "gcp:billing/budget:Budget": _budget,
    "gcp:apigateway/api:Api": _gateway_part("apis", "apiId"),
    "gcp:apigateway/apiConfig:ApiConfig": _gateway_part("configs", "apiConfigId"),
    "gcp:apigateway/gateway:Gateway": _gateway_part("gateways", "gatewayId"),
}
