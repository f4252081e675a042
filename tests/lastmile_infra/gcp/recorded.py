"""Provisions specs on Google Cloud with Pulumi's own mocks, and keeps what every resource was told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pulumi.runtime.mocks import MockResourceArgs

from lastmile_sls.plan.document import Plan
from tests.lastmile_infra.plans import plan_of, spec_of
from tests.lastmile_infra.recorded import DELIVERED, Cloud, Opts, Outputs, Run, by_type, record

PROJECT, REGION = "acme-models", "europe-west1"
ADDRESS = "203.0.113.7"
NUMBER, BILLING = "123456789012", "012345-6789AB-CDEF01"
ACCOUNT = f"churn-dev@{PROJECT}.iam.gserviceaccount.com"
PUSHER = f"churn-dev-push@{PROJECT}.iam.gserviceaccount.com"
REFERENCE = f"{REGION}-docker.pkg.dev/{PROJECT}/churn-dev/predict@sha256:{'ef' * 32}"


def uri_of(function: str) -> str:
    """Return the address that Cloud Run gives a function."""
    return f"https://{function}-123456789012.{REGION}.run.app"


def topic_of(name: str) -> str:
    """Return a topic's full name."""
    return f"projects/{PROJECT}/topics/{name}"


def subscription_of(name: str) -> str:
    """Return a subscription's full name."""
    return f"projects/{PROJECT}/subscriptions/{name}"


def channel_of(address: str) -> str:
    """Return the full name of a channel to an address."""
    return f"projects/{PROJECT}/notificationChannels/{address}"


def agent_of(service: str) -> str:
    """Return a service of Google's, in the project, as a member."""
    return f"serviceAccount:service-{NUMBER}@gcp-sa-{service}.iam.gserviceaccount.com"


_MADE: dict[str, Outputs] = {
    **DELIVERED,
    "Key": lambda a: {"value": f"value of {a.inputs['name']}", "digest": f"sha256:{a.inputs['name']}"},
    "Account": lambda a: {
        "email": f"{a.inputs['accountId']}@{PROJECT}.iam.gserviceaccount.com",
        "member": f"serviceAccount:{a.inputs['accountId']}@{PROJECT}.iam.gserviceaccount.com",
        "name": f"projects/{PROJECT}/serviceAccounts/{a.inputs['accountId']}",
        "project": PROJECT,
        "uniqueId": "1042",
    },
    "Topic": lambda a: {"id": topic_of(a.inputs["name"]), "project": PROJECT},
    "Subscription": lambda a: {"id": subscription_of(a.inputs["name"])},
    "ServiceIdentity": lambda a: {"member": agent_of(a.inputs["service"].partition(".")[0])},
    "NotificationChannel": lambda a: {"id": channel_of(a.inputs["labels"]["email_address"])},
    "AlertPolicy": lambda a: {"name": f"projects/{PROJECT}/alertPolicies/{a.inputs['displayName']}"},
    "Dashboard": lambda _: {"id": f"projects/{NUMBER}/dashboards/d-1", "project": PROJECT},
    "ProjectBucketConfig": lambda a: {
        "id": f"projects/{a.inputs['project']}/locations/{a.inputs['location']}/buckets/{a.inputs['bucketId']}"
    },
    "Bucket": lambda a: {"name": f"{a.name}-1234567"},
    "Repository": lambda a: {
        "registryUri": f"{a.inputs['location']}-docker.pkg.dev/{PROJECT}/{a.inputs['repositoryId']}"
    },
    "GlobalAddress": lambda _: {"address": ADDRESS},
}
"""What Google tells of what it made, by the type's last part."""


def _outputs(args: MockResourceArgs) -> dict[str, Any]:
    if args.typ == "gcp:cloudrunv2/service:Service":  # one of the two types that are called so
        name, location = args.inputs["name"], args.inputs["location"]
        return {"id": f"projects/{PROJECT}/locations/{location}/services/{name}", "uri": uri_of(name)}
    if args.typ == "gcp:compute/uRLMap:URLMap":
        return {"name": f"{args.name}-1234567"}
    if args.typ == "gcp:cloudscheduler/job:Job":
        region, name = args.inputs["region"], args.inputs["name"]
        return {"id": f"projects/{PROJECT}/locations/{region}/jobs/{name}"}
    return by_type(_MADE)(args)


def _answer(token: str) -> dict[str, Any]:
    if token == "gcp:organizations/getProject:getProject":
        return {"number": NUMBER}
    raise AssertionError(f"nothing asks for {token}")


_GCP = Cloud(_outputs, _answer)


def run_of(folder: Path, **changes: Any) -> Run:
    """Provision a changed spec on Google Cloud."""
    return provisioned_plan(plan_of(spec_of(**changes), "gcp"), folder)


def provisioned_plan(plan: Plan, folder: Path, opts: Opts | None = None) -> Run:
    """Provision a plan, with the options that a user's own program would give the component."""
    return record(Run(), _GCP, plan, folder, opts)
