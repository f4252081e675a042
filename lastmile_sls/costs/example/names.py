"""What the invented resources are called, in each cloud's own manner, and the outputs of two of the stacks. Pure."""

from __future__ import annotations

from typing import Any

from lastmile_sls.costs.example.charge import Resource
from lastmile_sls.costs.example.fleet import FLEET, Member
from lastmile_sls.plan.grouping import ROUTER, function_name

ACCOUNT, REGION = "123456789012", "eu-west-1"
PROJECT, LOCATION = "acme-models", "europe-west1"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000042"
_KNOWN = ("breast-cancer-dev", "delivery-time-dev")
"""Deployments whose outputs are there."""


def resource(member: Member, kind: str, version: str | None = None) -> Resource:
    """Return a deployment's function, api, log, bucket or queue; with a version, the function that serves it alone."""
    is_other = version is not None and version != member.versions[0].id
    function = f"{member.deployment}-{function_name(version) if is_other and version else ROUTER}"
    match member.cloud:
        case "aws":
            return _aws(member, kind, function)
        case "gcp":
            return _gcp(member, kind, function)
        case "azure":
            return _azure(member, kind, function)


def outputs() -> dict[str, dict[str, Any]]:
    """Return what `pulumi stack output --json` prints of two deployments, by name."""
    found = {}
    for member in FLEET:
        if member.deployment in _KNOWN:
            versions = [version.id for version in member.versions]
            named = {ROUTER: None} | (
                {function_name(id_): id_ for id_ in versions[1:]} if member.apart else {}
            )
            found[member.deployment] = {
                "deployment": member.deployment,
                "target": "aws",
                "region": REGION,
                "account": ACCOUNT,
                "versions": versions,
                "functions": {name: resource(member, "function", id_).id for name, id_ in named.items()},
                "bucket": f"s3://{member.deployment}-{ACCOUNT}",
            }
    return found


def _aws(member: Member, kind: str, function: str) -> Resource:
    name = member.deployment
    match kind:
        case "function":
            return Resource(
                f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}", function, "AWS::Lambda::Function"
            )
        case "api":
            return Resource(f"arn:aws:apigateway:{REGION}::/apis/{name[:10]}", name, "AWS::ApiGatewayV2::Api")
        case "log":
            group = f"/aws/lambda/{function}"
            return Resource(
                f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}", group, "AWS::Logs::LogGroup"
            )
        case "bucket":
            return Resource(f"arn:aws:s3:::{name}-{ACCOUNT}", f"{name}-{ACCOUNT}", "AWS::S3::Bucket")
        case "queue":
            return Resource(f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-jobs", f"{name}-jobs", "AWS::SQS::Queue")
    raise ValueError(f"the example has no {kind} on AWS")


def _gcp(member: Member, kind: str, function: str) -> Resource:
    name = member.deployment
    where = f"projects/{PROJECT}/locations/{LOCATION}"
    match kind:
        case "function" | "log":
            return Resource(f"//run.googleapis.com/{where}/services/{function}", function, "")
        case "api":
            return Resource(f"//apigateway.googleapis.com/{where}/gateways/{name}", name, "")
        case "bucket":
            bucket = f"{name}-{PROJECT}"
            return Resource(f"//storage.googleapis.com/projects/_/buckets/{bucket}", bucket, "")
        case "queue":
            return Resource(
                f"//pubsub.googleapis.com/projects/{PROJECT}/topics/{name}-jobs", f"{name}-jobs", ""
            )
    raise ValueError(f"the example has no {kind} on Google Cloud")


def _azure(member: Member, kind: str, function: str) -> Resource:
    name = member.deployment
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}/providers"
    store = f"{name.replace('-', '')}store"
    match kind:
        case "function":
            return Resource(f"{group}/Microsoft.Web/sites/{function}", function, "microsoft.web/sites")
        case "api":
            id_ = f"{group}/Microsoft.ApiManagement/service/{name}"
            return Resource(id_, name, "microsoft.apimanagement/service")
        case "log":
            id_ = f"{group}/Microsoft.OperationalInsights/workspaces/{name}"
            return Resource(id_, name, "microsoft.operationalinsights/workspaces")
        case "bucket" | "queue":
            id_ = f"{group}/Microsoft.Storage/storageAccounts/{store}"
            return Resource(id_, store, "microsoft.storage/storageaccounts")
    raise ValueError(f"the example has no {kind} on Azure")
