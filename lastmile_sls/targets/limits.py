"""What each target allows: of size, memory and time, each number with the page that states it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Target = Literal["aws", "gcp", "azure", "local"]
Measure = Literal["unpacked size", "configured memory", "startup", "first answer"]
Unit = Literal["MB", "s"]


@dataclass(frozen=True)
class Limit:
    """The most that a target allows of something."""

    measure: Measure
    most: float
    unit: Unit
    """An MB has 1024 KB, as in the clouds' own pages."""
    source: str
    """Where it is stated; read on 2026-11-23 and 2026-11-29."""
    beyond: str
    """What happens beyond it."""


_LAMBDA_QUOTAS = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
_LAMBDA_INIT = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"
_HTTP_API = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"
_CLOUD_RUN_QUOTAS = "https://cloud.google.com/run/quotas"
_CLOUD_RUN_CONTRACT = "https://cloud.google.com/run/docs/container-contract"
_CLOUD_RUN_TIMEOUT = "https://cloud.google.com/run/docs/configuring/request-timeout"
_FLEX = "https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan"
_FUNCTIONS_SCALE = "https://learn.microsoft.com/azure/azure-functions/functions-scale"
_FUNCTIONS_HOST = (
    "https://github.com/Azure/azure-functions-host (WorkerProcessCountOptions.ProcessStartupTimeout)"
)

UPLOAD_MB = 50
"""The largest zip file that Lambda's own API takes; larger ones go through S3 (gettingstarted-limits.html)."""
LIMITS: Mapping[Target, tuple[Limit, ...]] = {
    "aws": (
        Limit("unpacked size", 250, "MB", _LAMBDA_QUOTAS, "Lambda does not make the function"),
        Limit("configured memory", 10_240, "MB", _LAMBDA_QUOTAS, "Lambda does not make the function"),
        Limit("startup", 10, "s", _LAMBDA_INIT, "Lambda starts it again, within the function's timeout"),
        Limit("first answer", 30, "s", _HTTP_API, "API Gateway gives up"),
    ),
    "gcp": (
        Limit("configured memory", 32_768, "MB", _CLOUD_RUN_QUOTAS, "Cloud Run does not make the service"),
        Limit("startup", 240, "s", _CLOUD_RUN_CONTRACT, "Cloud Run ends the instance"),
        Limit("first answer", 3_600, "s", _CLOUD_RUN_TIMEOUT, "Cloud Run gives up"),
    ),
    "azure": (
        Limit("configured memory", 4_096, "MB", _FLEX, "Azure has no larger instances"),
        Limit("startup", 60, "s", _FUNCTIONS_HOST, "the host ends the worker"),
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


def violation(target: Target, measure: Measure, value: float) -> Violation | None:
    """Return what a value violates; None when it is allowed.

    Args:
        target: Where it is to run.
        measure: What was measured.
        value: In the limit's unit: MB or s.
    """
    limit = limit_of(target, measure)
    return Violation(limit, value) if limit is not None and value > limit.most else None
