"""What a plan says about a cloud target alone: packages, settings, gateways, places. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from lastmile_sls.plan.document import (
    DomainPlan,
    Gateway,
    PackagePlan,
    PlacePlan,
    RateLimitPlan,
    Routing,
    Target,
)
from lastmile_sls.spec.endpoint import Endpoint, RateLimit
from lastmile_sls.spec.model import Resources, Spec

LONGEST_NAME: dict[Target, int] = {"local": 128, "aws": 64, "gcp": 49, "azure": 24}
"""Of a function in the cloud. Lambda: botocore's model of CreateFunction (FunctionName). Cloud Run: fewer than 50
characters (the discovery document of run v2, serviceId). Azure: 32, of which Pulumi adds 8, because function apps whose
names begin with the same 32 share a host id (learn.microsoft.com/azure/azure-functions/storage-considerations, "Avoiding
host ID collisions"; ScriptConstants.MaximumHostIdLength in github.com/Azure/azure-functions-host; 2026-11-29)."""
SHORTEST_IDENTITY: dict[Target, int] = {"local": 1, "aws": 1, "gcp": 6, "azure": 3}
LONGEST_IDENTITY: dict[Target, int] = {"local": 128, "aws": 64, "gcp": 30, "azure": 60}
"""AWS: a role's name (botocore, CreateRole). Google: 6 to 30 characters (the discovery document of iam v1, accountId)."""
_LOG_RETENTION_DAYS: dict[Target, int | None] = {"local": None, "aws": 30, "gcp": None, "azure": 30}
"""Azure charges nothing for the first 31 (learn.microsoft.com/azure/azure-monitor/logs/cost-logs, read 2026-11-29). Google
Cloud's belong to the project, and with them how long they are kept, unless the spec has operations."""
INCOMPLETE_UPLOADS_DAYS = 7
"""No upload of ours takes so long."""
DIRECT_UPLOAD_BYTES = 50 * (1 << 20)
"""Larger zips go to Lambda through S3 (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, 2026-11-29)."""
_AWS_HANDLER = "lastmile_runtime.adapters.aws.handler"
_AWS_BOOTSTRAP = "/var/task/lastmile_runtime/adapters/aws_bootstrap"
_LONGEST_WAIT_S: dict[Gateway, int] = {
    "http_api": 30,
    "function_url": 900,
    "direct": 3600,
    "load_balancer": 3600,
    "front_door": 240,
}
"""How long a gateway can wait; what a function may take is `lastmile_sls.targets`' to say."""
_SHORTEST_FRONT_DOOR_WAIT_S = 16
"""learn.microsoft.com/azure/frontdoor/troubleshoot-issues, "Origin response timeout" 16 to 240 s (2026-11-29); so does
azure-mgmt-cdn, ProfileUpdateParameters."""
_CPU_BY_MEMORY_MB = ((4096, 1.0), (8192, 2.0), (16384, 4.0), (24576, 6.0), (32768, 8.0))
"""The fewest processors with which Cloud Run gives so much memory
(cloud.google.com/run/docs/configuring/services/memory-limits, 2026-11-29)."""
_SECOND_GENERATION_MB = 512
"""The least memory of Cloud Run's second generation (the same page)."""
_GPU_CPU = {"nvidia-l4": 4.0, "nvidia-rtx-pro-6000": 20.0}
"""The fewest processors beside a GPU (cloud.google.com/run/docs/configuring/services/gpu, 2026-11-29)."""
_CONTAINER_APPS_MB_PER_CPU = 2048
"""learn.microsoft.com/azure/container-apps/containers, "Allocations" of the Consumption plan (2026-11-29)."""


@dataclass(frozen=True)
class Built:
    """What a plan must know of a built bundle."""

    digest: str
    """`sha256:` and the hash of the bundle's manifest."""
    size_bytes: int = 0
    """Of all its files; a zip of them is not larger."""
    base: str | None = None
    """The image that its image is built on, by digest."""


def gateway_of(target: Target, spec: Spec) -> Gateway:
    """Return what is in front of the router's function."""
    in_front = spec.endpoint.domain is not None or spec.endpoint.rate_limit is not None
    match target:
        case "local":
            return "local"
        case "aws":
            return spec.targets.aws.gateway
        case "gcp":
            return "load_balancer" if in_front else "direct"
        case "azure":
            return "front_door" if in_front else "direct"


def auth_at(gateway: Gateway, endpoint: Endpoint) -> Literal["gateway", "function", "nowhere"]:
    """Return who checks that a caller may call: the gateway where it can, and means the same by it."""
    if endpoint.auth == "public":
        return "nowhere"
    if gateway == "local" or endpoint.auth == "iam":
        return "gateway"
    return "gateway" if gateway == "http_api" and endpoint.auth == "jwt" else "function"


def wait_s(gateway: Gateway, timeout_s: int) -> int:
    """Return when a gateway gives up: no earlier than the function, if it can wait so long."""
    if gateway == "local":
        return timeout_s
    least = _SHORTEST_FRONT_DOOR_WAIT_S if gateway == "front_door" else 1
    return min(max(timeout_s, least), _LONGEST_WAIT_S[gateway])


def rate_limit_of(gateway: Gateway, limit: RateLimit | None) -> RateLimitPlan | None:
    """Return how much the endpoint takes; with a window of burst / rate where the gateway counts in windows."""
    if limit is None:
        return None
    count: int | None = None
    window_s: int | None = None
    if gateway in ("load_balancer", "front_door"):
        count, window_s = limit.burst, round(limit.burst / limit.requests_per_s)
    return RateLimitPlan(
        requests_per_s=limit.requests_per_s, burst=limit.burst, count=count, window_s=window_s
    )


def domain_of(target: Target, spec: Spec) -> DomainPlan | None:
    """Return the user's domain name, and the zone in which its records are made."""
    if spec.endpoint.domain is None:
        return None
    zones = {
        "aws": spec.targets.aws.hosted_zone,
        "gcp": spec.targets.gcp.dns_zone,
        "azure": spec.targets.azure.dns_zone,
    }
    certificate = spec.targets.aws.certificate if target == "aws" else None
    return DomainPlan(name=spec.endpoint.domain, zone=zones.get(target), certificate=certificate)


def callers_of(target: Target, spec: Spec) -> list[str]:
    """Return the cloud's identities that may call; none but with auth iam."""
    callers = {
        "aws": spec.targets.aws.callers,
        "gcp": spec.targets.gcp.callers,
        "azure": spec.targets.azure.callers,
    }
    return list(callers.get(target, ())) if spec.endpoint.auth == "iam" else []


def adopted_bucket_of(target: Target, spec: Spec) -> str | None:
    """Return the bucket that was there before."""
    buckets = {
        "aws": spec.targets.aws.bucket,
        "gcp": spec.targets.gcp.bucket,
        "azure": spec.targets.azure.bucket,
    }
    return buckets.get(target)


def place_of(target: Target, spec: Spec) -> PlacePlan | None:
    """Return where on a cloud; call `lastmile_sls.targets.refusals` first, which refuses a spec that does not say it."""
    nothing = PlacePlan(
        account=None, region="", resource_group=None, vault=None, tenant=None, application=None
    )
    aws, gcp, azure = spec.targets.aws, spec.targets.gcp, spec.targets.azure
    match target:
        case "local":
            return None
        case "aws":
            return PlacePlan({**nothing, "account": aws.account, "region": aws.region or ""})
        case "gcp":
            return PlacePlan({**nothing, "account": gcp.project, "region": gcp.region or ""})
        case "azure":
            return PlacePlan(
                account=azure.subscription,
                region=azure.location or "",
                resource_group=azure.resource_group,
                vault=azure.key_vault,
                tenant=azure.tenant,
                application=azure.application,
            )


def form_of(target: Target, spec: Spec) -> Literal["zip", "image"] | None:
    """Return the form in which a target takes bundles; None for this machine, which takes the folder."""
    match target:
        case "local":
            return None
        case "aws":
            return spec.targets.aws.package
        case "gcp":
            return "image"
        case "azure":
            return spec.targets.azure.package


def package_of(target: Target, spec: Spec, path: str, built: Built) -> PackagePlan | None:
    """Return the form of a bundle, and its way to the cloud."""
    form = form_of(target, spec)
    if form is None:
        return None
    if form == "image":
        return PackagePlan(form="image", path=f"{path}.image", through="registry", base=built.base, key=None)
    through: Literal["api", "bucket", "app"] = "api"
    if target == "azure":
        through = "app"
    elif built.size_bytes > DIRECT_UPLOAD_BYTES:
        through = "bucket"
    key = None
    if through == "bucket":
        shared = f"{spec.name}-{spec.environment}/" if adopted_bucket_of(target, spec) else ""
        key = f"{shared}{path}/{built.digest.removeprefix('sha256:')}.zip"
    return PackagePlan(form="zip", path=f"{path}.zip", through=through, base=None, key=key)


def cpu_of(target: Target, spec: Spec) -> float | None:
    """Return the virtual processors of an instance; None where they follow from its memory."""
    resources: Resources = spec.resources
    if target == "gcp":
        enough = next((cpu for most, cpu in _CPU_BY_MEMORY_MB if resources.memory_mb <= most), 8.0)
        return max(enough, _GPU_CPU[resources.gpu]) if resources.gpu else enough
    if target == "azure" and spec.targets.azure.package == "image":
        return resources.memory_mb / _CONTAINER_APPS_MB_PER_CPU
    return None


def generation_of(target: Target, spec: Spec) -> Literal["gen1", "gen2"] | None:
    """Return Cloud Run's execution environment: the second, in which processors are quicker, where the memory is enough
    for it (cloud.google.com/run/docs/about-execution-environments, 2026-11-29).
    """
    if target != "gcp":
        return None
    return "gen2" if spec.resources.memory_mb >= _SECOND_GENERATION_MB else "gen1"


def max_instances_of(target: Target, spec: Spec) -> int | None:
    """Return how many instances there may be: as the spec says, else the default; no fewer than are kept warm."""
    resources = spec.resources
    if resources.max_instances is not None:
        return resources.max_instances
    if target == "aws":
        return None
    default = {"local": 4, "gcp": 100, "azure": 10 if spec.targets.azure.package == "image" else 100}[target]
    return max(default, resources.min_instances)


def log_retention_days_of(target: Target, spec: Spec) -> int | None:
    """Return how long logs are kept; None where that is not the deployment's to say."""
    if spec.operations is None or target == "local":
        return _LOG_RETENTION_DAYS[target]
    return spec.operations.log_retention_days


def entry_of(target: Target, spec: Spec) -> str | None:
    """Return the handler that a cloud is told; None where the package itself says what runs."""
    return _AWS_HANDLER if target == "aws" and form_of(target, spec) == "zip" else None


def settings_of(
    target: Target, spec: Spec, *, digest: str, routing: Routing, is_router: bool
) -> dict[str, str]:
    """Return a function's variables that are known before anything is made (see `lastmile_runtime.startup`)."""
    if target == "local":
        return {}
    resources = spec.resources
    settings = {
        "LASTMILE_MANIFEST_DIGEST": digest,
        "LASTMILE_ROUTING": compact(routing),
        "LASTMILE_TIMEOUT_S": str(resources.timeout_s),
    }
    if is_router and spec.endpoint.cors and target in ("gcp", "azure"):
        settings["LASTMILE_CORS"] = compact({"allow_origins": list(spec.endpoint.cors.allow_origins)})
    if is_router and spec.endpoint.jwt and auth_at(gateway_of(target, spec), spec.endpoint) == "function":
        jwt = {"issuer": spec.endpoint.jwt.issuer, "audiences": list(spec.endpoint.jwt.audiences)}
        settings["LASTMILE_AUTH"] = compact({"jwt": jwt})
    match target:
        case "aws":
            settings["AWS_LAMBDA_EXEC_WRAPPER"] = _AWS_BOOTSTRAP
        case "gcp":
            settings["LASTMILE_CONCURRENCY"] = str(resources.concurrency)
            settings["GOOGLE_CLOUD_PROJECT"] = spec.targets.gcp.project or ""
            if resources.gpu:
                settings["LASTMILE_KEEPS_RUNNING"] = "1"
        case "azure" if form_of(target, spec) == "image":
            settings["LASTMILE_CONCURRENCY"] = str(resources.concurrency)
        case "azure":
            settings["AzureWebJobsDisableHomepage"] = "true"
            settings["PYTHON_THREADPOOL_THREAD_COUNT"] = str(resources.concurrency)
    return dict(sorted(settings.items()))


def compact(value: object) -> str:
    """Return a value as the shortest JSON, the same for the same value."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
