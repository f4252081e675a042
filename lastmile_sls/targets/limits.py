"""What each target allows: every limit, each with the page that states it and what else was held against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lastmile_sls.plan.document import Gateway, Target

Measure = Literal[
    "configured memory",
    "timeout",
    "waiting at http_api",
    "waiting at function_url",
    "waiting at direct",
    "waiting at load_balancer",
    "waiting at front_door",
    "payload",
    "binary payload",
    "instances",
    "instances of containers",
    "concurrency",
    "memory of containers",
    "environment",
    "rate window",
    "requests in a window",
    "memory beside nvidia-l4",
    "memory beside nvidia-rtx-pro-6000",
    "unpacked size",
    "image size",
    "startup",
    "first answer",
    "attempts",
    "visibility",
    "retention",
    "log retention",
    "budget alerts",
    "budget addresses",
]
Unit = Literal["MB", "s", "KB", "", "GB", "days"]


@dataclass(frozen=True)
class Limit:
    """What a target allows of something."""

    measure: Measure
    most: float
    unit: Unit
    """An MB has 1024 KB, as in the clouds' own pages."""
    source: str
    """Where it is stated."""
    beyond: str = ""
    """What happens beyond it; empty where the cloud refuses it."""
    least: float = 0
    choices: tuple[float, ...] = ()
    """The only values between the two; empty where all are."""
    step: float = 0
    """It must be a multiple of this; 0 where all values are."""
    read: str = "2026-11-29"
    """When what it says was read, there or in a public copy of it; empty: from general knowledge, not read."""

    def allows(self, value: float) -> bool:
        """Tell whether a value, in the limit's unit, is allowed."""
        if self.choices:
            return value in self.choices
        fits = self.least <= value <= self.most
        return fits and not (self.step and value % self.step)

    @property
    def allowed(self) -> str:
        """What is allowed, in words: `128 to 10240 MB`."""
        unit = f" {self.unit}" if self.unit else ""
        if self.choices:
            return f"{', '.join(f'{choice:.12g}' for choice in self.choices)}{unit}"
        if not self.least:
            return f"at most {self.most:.12g}{unit}"
        steps = f" in steps of {self.step:.12g}" if self.step else ""
        return f"{self.least:.12g} to {self.most:.12g}{unit}{steps}"

    @property
    def stated(self) -> str:
        """Where it is stated; and that it is unverified, where nobody read it there."""
        return self.source if self.read else f"{self.source}, unverified"


_LAMBDA_QUOTAS = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
_LAMBDA_INIT = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"
_HTTP_API = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"
_CLOUD_RUN_QUOTAS = "https://cloud.google.com/run/quotas"
_CLOUD_RUN_MEMORY = "https://cloud.google.com/run/docs/configuring/services/memory-limits"
_CLOUD_RUN_CONCURRENCY = "https://cloud.google.com/run/docs/about-concurrency"
_CLOUD_RUN_CONTRACT = "https://cloud.google.com/run/docs/container-contract"
_CLOUD_RUN_TIMEOUT = "https://cloud.google.com/run/docs/configuring/request-timeout"
_CLOUD_RUN_GPU = "https://cloud.google.com/run/docs/configuring/services/gpu"
_SERVERLESS_NEG = "https://cloud.google.com/load-balancing/docs/negs/serverless-neg-concepts"
_CLOUD_ARMOR = "https://cloud.google.com/armor/docs/rate-limiting-overview"
_FLEX = "https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan"
_FUNCTIONS_SCALE = "https://learn.microsoft.com/azure/azure-functions/functions-scale"
_CONTAINER_APPS = "https://learn.microsoft.com/azure/container-apps/containers"
_CONTAINER_APPS_SCALE = "https://learn.microsoft.com/azure/container-apps/scale-app"
_FRONT_DOOR_RATE = "https://learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-rate-limit"
_FLEX_CONCURRENCY = (
    "https://github.com/hashicorp/terraform-provider-azurerm (FunctionAppFlexConsumption, http_concurrency)"
)
_LOG_GROUPS = (
    "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"
)
_BUDGETS = "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateBudget.html"
_PUBSUB = "https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions"
_LOG_BUCKETS = "https://cloud.google.com/logging/docs/buckets"
_GOOGLE_BUDGETS = "https://cloud.google.com/billing/docs/reference/budget/rest/v1/billingAccounts.budgets"
_WORKSPACES = "https://learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure"
_AZURE_BUDGETS = "https://learn.microsoft.com/rest/api/consumption/budgets/create-or-update"
_NOT_MADE = "Lambda does not make the function"

UPLOAD_MB = 50
"""The largest zip file that Lambda's own API takes; larger ones go through S3 (gettingstarted-limits.html)."""
LIMITS: Mapping[Target, tuple[Limit, ...]] = {
    "aws": (
        Limit("configured memory", 10_240, "MB", _LAMBDA_QUOTAS, _NOT_MADE, 128),
        Limit("timeout", 900, "s", _LAMBDA_QUOTAS, least=1),
        Limit(
            *("waiting at http_api", 30, "s", _HTTP_API, "API Gateway gives up"),
        ),
        Limit("waiting at function_url", 900, "s", _LAMBDA_QUOTAS, "Lambda gives up"),
        Limit("payload", 6, "MB", _LAMBDA_QUOTAS, "Lambda refuses the request, or its answer"),
        Limit("binary payload", 4.5, "MB", _LAMBDA_QUOTAS, "as text, base64, it is larger than 6 MB"),
        Limit("environment", 4, "KB", _LAMBDA_QUOTAS, _NOT_MADE),
        Limit("unpacked size", 250, "MB", _LAMBDA_QUOTAS, _NOT_MADE),
        Limit("image size", 10_240, "MB", _LAMBDA_QUOTAS, _NOT_MADE),
        Limit(
            *("log retention", 3653, "days", _LOG_GROUPS),
            least=1,
            choices=(
                *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
                *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
            ),
        ),
        Limit("budget alerts", 10, "", _BUDGETS),
        Limit("startup", 10, "s", _LAMBDA_INIT, "Lambda starts it again, within the function's timeout"),
        Limit("first answer", 30, "s", _HTTP_API, "API Gateway gives up"),
    ),
    "gcp": (
        Limit(
            *("configured memory", 32_768, "MB", _CLOUD_RUN_MEMORY, "Cloud Run does not make the service"),
            least=128,
        ),
        Limit("memory beside nvidia-l4", 32_768, "MB", _CLOUD_RUN_GPU, least=16_384),
        Limit("memory beside nvidia-rtx-pro-6000", 180_224, "MB", _CLOUD_RUN_GPU, least=81_920, read=""),
        Limit("timeout", 3_600, "s", _CLOUD_RUN_TIMEOUT, "Cloud Run gives up", 1),
        Limit("waiting at direct", 3_600, "s", _CLOUD_RUN_TIMEOUT, "Cloud Run gives up"),
        Limit("waiting at load_balancer", 3_600, "s", _SERVERLESS_NEG, "Cloud Run gives up", read=""),
        Limit("payload", 32, "MB", _CLOUD_RUN_QUOTAS, "Cloud Run refuses the request, or its answer"),
        Limit("concurrency", 1_000, "", _CLOUD_RUN_CONCURRENCY, least=1),
        Limit(
            *("rate window", 3_600, "s", _CLOUD_ARMOR),
            choices=(10, 30, 60, 120, 180, 240, 300, 600, 900, 1200, 1800, 2700, 3600),
        ),
        Limit("requests in a window", 1_000_000, "", _CLOUD_ARMOR, least=1),
        Limit("attempts", 100, "", _PUBSUB, least=5),
        Limit("visibility", 600, "s", _PUBSUB, least=10),
        Limit("retention", 2_678_400, "s", _PUBSUB, least=600),
        Limit("log retention", 3650, "days", _LOG_BUCKETS, least=1),
        Limit("budget addresses", 5, "", _GOOGLE_BUDGETS),
        Limit("startup", 240, "s", _CLOUD_RUN_CONTRACT, "Cloud Run ends the instance"),
        Limit("first answer", 3_600, "s", _CLOUD_RUN_TIMEOUT, "Cloud Run gives up"),
    ),
    "azure": (
        Limit(
            *("configured memory", 4_096, "MB", _FLEX, "Azure has no larger instances", 512),
            choices=(512, 2048, 4096),
        ),
        Limit("memory of containers", 8_192, "MB", _CONTAINER_APPS, least=512, step=512),
        Limit("timeout", 230, "s", _FUNCTIONS_SCALE, "Azure's load balancer gives up", 1),
        Limit("waiting at direct", 230, "s", _FUNCTIONS_SCALE, "Azure's load balancer gives up"),
        Limit("waiting at front_door", 230, "s", _FUNCTIONS_SCALE, "Azure's load balancer gives up"),
        Limit("payload", 210, "MB", _FUNCTIONS_SCALE, "the host refuses the request"),
        Limit("instances", 1_000, "", _FLEX, least=1),
        Limit("instances of containers", 1_000, "", _CONTAINER_APPS_SCALE, least=1),
        Limit("concurrency", 1_000, "", _FLEX_CONCURRENCY, least=1),
        Limit("rate window", 300, "s", _FRONT_DOOR_RATE, choices=(60, 300)),
        Limit("requests in a window", 1_000_000, "", _FRONT_DOOR_RATE, least=10, read=""),
        Limit("log retention", 730, "days", _WORKSPACES, least=30),
        Limit("budget alerts", 5, "", _AZURE_BUDGETS),
        Limit("startup", 30, "s", _FLEX, "the host gives up the worker"),
        Limit("first answer", 230, "s", _FUNCTIONS_SCALE, "Azure's load balancer gives up"),
    ),
    "local": (),
}


@dataclass(frozen=True)
class Violation:
    """Something that a target does not allow."""

    limit: Limit
    value: float
    """In the limit's unit."""

    def __str__(self) -> str:
        limit = self.limit
        return (
            f"{limit.measure} is {self.value:.4g} {limit.unit}, but may be {limit.most:.4g} {limit.unit}: "
            f"beyond it, {limit.beyond} ({limit.source})."
        )


def limit_of(target: Target, measure: Measure) -> Limit | None:
    """Return a target's limit of something; None when it states none."""
    return next((limit for limit in LIMITS[target] if limit.measure == measure), None)


def waiting_at(target: Target, gateway: Gateway) -> Limit | None:
    """Return how long what is in front of a function waits for its answer."""
    return next((limit for limit in LIMITS[target] if limit.measure == f"waiting at {gateway}"), None)


def violation(target: Target, measure: Measure, value: float) -> Violation | None:
    """Return what a value violates; None when it is allowed.

    Args:
        target: Where it is to run.
        measure: What was measured.
        value: In the limit's unit: MB or s.
    """
    limit = limit_of(target, measure)
    return Violation(limit, value) if limit is not None and not limit.allows(value) else None
