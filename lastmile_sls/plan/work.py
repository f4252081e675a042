"""What a plan says about work that waits, and work on a clock. Pure."""

from __future__ import annotations

import json

from lastmile_sls.plan.cloud import adopted_bucket_of
from lastmile_sls.plan.cron import expression
from lastmile_sls.plan.document import BatchPlan, CallbackPlan, QueuePlan, SchedulePlan, Target
from lastmile_sls.plan.names import short
from lastmile_sls.spec.cron import parse
from lastmile_sls.spec.model import Spec
from lastmile_sls.spec.queue import Queue

QUEUE, SCHEDULE = "jobs", "schedule"
RESULTS = "results/"
"""Where in the bucket answers that came later lie."""
BATCH_MESSAGE = json.dumps({"kind": "batch"})
DEAD_LETTERS_S = 1_209_600
"""Fourteen days, the longest that SQS keeps a message (botocore's model of SetQueueAttributes)."""
_LONGEST_NAME: dict[Target, int] = {"local": 128, "aws": 64, "gcp": 200, "azure": 48}
"""With room for what is added: SQS takes 80 characters, a schedule 64, a topic 255 (the discovery document of pubsub v1),
a storage queue 63 (learn.microsoft.com/rest/api/storageservices/naming-queues-and-metadata, 2026-11-29)."""
_SET_ASIDE: dict[Target, str] = {"local": "", "aws": "-dead", "gcp": "-dead", "azure": "-poison"}
"""Azure Functions' host names the queue itself (learn.microsoft.com/azure/azure-functions/
functions-bindings-storage-queue-trigger, "Poison messages", 2026-11-29)."""
_FEWEST_POLLERS, _MOST_POLLERS = 2, 1000
"""Of an event source mapping (botocore's model of CreateEventSourceMapping, MaximumConcurrency)."""

_AZURE_ATTEMPTS = "AzureFunctionsJobHost__extensions__queues__maxDequeueCount"
"""The setting that overrides host.json (learn.microsoft.com/azure/azure-functions/functions-host-json, "Override")."""


def queue_of(target: Target, spec: Spec) -> QueuePlan | None:
    """Return the queue: the spec's, or one with its defaults where only the schedule needs it."""
    if spec.queue is None and spec.schedule is None:
        return None
    queue = spec.queue or Queue()
    resource = _resource(target, spec, QUEUE)
    most = spec.resources.max_instances
    return QueuePlan(
        name=QUEUE,
        resource=resource,
        dead_letters=f"{resource}{_SET_ASIDE[target]}",
        max_attempts=queue.max_attempts,
        visibility_timeout_s=queue.visibility_timeout_s,
        retention_s=queue.retention_s,
        dead_letters_s=DEAD_LETTERS_S,
        workers=min(max(most, _FEWEST_POLLERS), _MOST_POLLERS) if most and target == "aws" else None,
    )


def schedule_of(target: Target, spec: Spec) -> SchedulePlan | None:
    """Return the clock."""
    if spec.schedule is None:
        return None
    return SchedulePlan(
        name=SCHEDULE,
        resource=_resource(target, spec, SCHEDULE),
        cron=spec.schedule.cron,
        expression=expression(target, parse(spec.schedule.cron)),
        message=BATCH_MESSAGE,
    )


def batch_of(spec: Spec) -> BatchPlan | None:
    """Return which files are scored."""
    schedule = spec.schedule
    if schedule is None:
        return None
    return BatchPlan(input=schedule.input, output=schedule.output, format=schedule.format)


def callback_of(spec: Spec) -> CallbackPlan | None:
    """Return who may be told of answers that came later."""
    if spec.queue is None or spec.queue.callback is None:
        return None
    return CallbackPlan(urls=list(spec.queue.callback.urls), secret=spec.queue.callback.secret)


def jobs_path(target: Target, spec: Spec) -> str | None:
    """Return where in the bucket answers lie that came later: in one that is shared, below the deployment's name."""
    if spec.queue is None:
        return None
    results = RESULTS.rstrip("/")
    shared = adopted_bucket_of(target, spec) is not None
    return f"{spec.name}-{spec.environment}/{results}" if shared else results


def settings_of(target: Target, spec: Spec) -> dict[str, str]:
    """Return the variables of a function that works on the queue (see `lastmile_runtime.adapters`); none without one."""
    queue = queue_of(target, spec)
    if queue is None or target == "local":
        return {}
    attempts = str(queue["max_attempts"])
    if target == "azure":
        clock = {"LASTMILE_SCHEDULE": expression(target, parse(spec.schedule.cron))} if spec.schedule else {}
        return {"LASTMILE_QUEUE_NAME": queue["resource"], _AZURE_ATTEMPTS: attempts, **clock}
    if target == "aws":
        return {"LASTMILE_QUEUE_ATTEMPTS": attempts}
    audience = f"https://{spec.name}-{spec.environment}/_lastmile/queue"
    # Cloud Run checks callers itself then, and passes their tokens on without a signature.
    checked = {"LASTMILE_PUSH_CHECKED": "1"} if spec.endpoint.auth == "iam" else {}
    return {"LASTMILE_QUEUE_ATTEMPTS": attempts, "LASTMILE_PUSH_AUDIENCE": audience, **checked}


def _resource(target: Target, spec: Spec, name: str) -> str:
    return (
        name if target == "local" else short(f"{spec.name}-{spec.environment}-{name}", _LONGEST_NAME[target])
    )
