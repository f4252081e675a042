"""How often each version was asked on each day, and for how long it worked: by telemetry, whichever cloud has it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    from lastmile_sls.cloud_stack import CloudStack
    from lastmile_sls.control.told import Control
    from lastmile_sls.costs.usage import Usage


@dataclass(frozen=True)
class Counted:
    """A version's day: requests that it answered at once; jobs and files are worked on by the queue, and not in it."""

    day: date
    """UTC."""
    version: str
    requests: int
    duration_ms: Decimal | None
    """The mean, in the function that answered the caller."""


def midnight(day: date) -> datetime:
    """Return when a day begins, UTC."""
    return datetime.combine(day, time.min, UTC)


def mean(value: float) -> Decimal:
    """Return a mean duration as it is told, to the microsecond."""
    return Decimal(f"{value:.3f}")


def read_usage(
    stack: CloudStack, control: Control, since: date, environment: str | None
) -> tuple[Usage, ...]:
    """Return what a deployment's cloud has counted from a day on.

    Args:
        stack: The deployment.
        control: Asks its cloud.
        since: The first day.
        environment: Of the deployment, where no spec says it.

    Raises LastmileError.
    """
    model, environment = name_of(stack, environment)
    return as_usage(control.usage(since), model, environment)


def as_usage(counted: Iterable[Counted], model: str, environment: str) -> tuple[Usage, ...]:
    """Return rows with the names of the model and the environment, by day and version."""
    from lastmile_sls.costs.usage import Usage, added

    return added(
        Usage(one.day, model, environment, one.version, one.requests, one.duration_ms)
        for one in counted
        if one.requests
    )


def name_of(stack: CloudStack, environment: str | None) -> tuple[str, str]:
    """Return a deployment's model and environment. Raises LastmileError where its outputs alone do not tell them apart."""
    if stack.spec is not None:
        return stack.spec.name, stack.spec.environment
    if environment is None:
        raise LastmileError(
            f"the outputs of {stack.deployment} do not say which part of its name is the environment.",
            "Say it: --environment NAME, or the spec: -f SPEC",
        )
    model = stack.deployment.removesuffix(f"-{environment}")
    if model in ("", stack.deployment):
        raise LastmileError(
            f"--environment is {environment!r}, but the deployment is {stack.deployment}.",
            "Its name ends with the environment.",
        )
    return model, environment
