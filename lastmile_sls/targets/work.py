"""What each target can carry of work that waits, and work on a clock. Pure."""

from __future__ import annotations

from lastmile_sls.plan.document import Target
from lastmile_sls.spec.cron import parse
from lastmile_sls.spec.model import Spec, is_uri
from lastmile_sls.spec.queue import Queue
from lastmile_sls.targets.refusal import Refusal
from lastmile_sls.targets.rules import nearest_allowed

_SCHEMES: dict[Target, str] = {"local": "file", "aws": "s3", "gcp": "gs", "azure": "az"}
_CARRIERS: dict[Target, str] = {
    "aws": "SQS",
    "gcp": "Pub/Sub",
    "azure": "Storage Queues",
    "local": "this machine",
}
_EITHER_DAY = {
    "aws": "https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html",
    "azure": "https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer",
}
_CALLS_WITHIN = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"
_GOOGLES = "goog"
_TOPICS = "https://cloud.google.com/pubsub/docs/pubsub-basics"


def refusals(target: Target, spec: Spec) -> list[Refusal]:
    """Return what a target cannot carry of the spec's queue and schedule."""
    if spec.queue is None and spec.schedule is None:
        return []
    return [
        *_queue(target, spec),
        *_callback(target, spec),
        *_schedule(target, spec),
        *_container(target, spec),
    ]


def _queue(target: Target, spec: Spec) -> list[Refusal]:
    queue, carrier = spec.queue or Queue(), _CARRIERS[target]
    found = [
        *nearest_allowed(target, "attempts", "queue.max_attempts", queue.max_attempts, carrier),
        *nearest_allowed(
            target, "visibility", "queue.visibility_timeout_s", queue.visibility_timeout_s, carrier
        ),
        *nearest_allowed(target, "retention", "queue.retention_s", queue.retention_s, carrier),
    ]
    if queue.visibility_timeout_s < spec.resources.timeout_s:
        rule = (
            f"a message that a function works on for resources.timeout_s, {spec.resources.timeout_s} s, would be given to "
            f"a second one meanwhile ({_CALLS_WITHIN})"
        )
        change = f"Write {6 * spec.resources.timeout_s}, six times that, or lower resources.timeout_s."
        found.append(Refusal("queue.visibility_timeout_s", queue.visibility_timeout_s, rule, change))
    if target == "gcp" and spec.name.startswith(_GOOGLES):
        rule = f"Pub/Sub takes no topic whose name begins with {_GOOGLES} ({_TOPICS})"
        found.append(Refusal("name", spec.name, rule, "Give the model another name."))
    return found


def _callback(target: Target, spec: Spec) -> list[Refusal]:
    callback = spec.queue.callback if spec.queue else None
    if callback is None or target == "local" or callback.secret in spec.secrets:
        return []
    rule = "it must be one of the variables in secrets, which hold what is in the vault"
    return [
        Refusal(
            "queue.callback.secret", callback.secret, rule, f"Add secrets.{callback.secret}, its name there."
        )
    ]


def _schedule(target: Target, spec: Spec) -> list[Refusal]:
    schedule = spec.schedule
    if schedule is None:
        return []
    found = []
    for name in ("input", "output"):
        place = getattr(schedule, name)
        if is_uri(place) and not place.startswith(f"{_SCHEMES[target]}://"):
            rule = f"the object store of {target} has URLs that begin with {_SCHEMES[target]}://"
            change = (
                "Name one, or a folder in the deployment's bucket, such as batch/in, which every target has."
            )
            found.append(Refusal(f"schedule.{name}", place, rule, change))
        elif is_uri(place) and target == "azure":
            rule = "on Azure a function is given the right to the deployment's own storage account alone"
            change = "Name a folder, and the account and container in targets.azure.bucket."
            found.append(Refusal(f"schedule.{name}", place, rule, change))
    if _overlap(schedule.input, schedule.output):
        rule = (
            f"it is in schedule.input, {schedule.input}, or the other way round: predictions would be scored"
        )
        found.append(Refusal("schedule.output", schedule.output, rule, "Name a folder beside it."))
    cron = parse(schedule.cron)
    if target in _EITHER_DAY and cron.days is not None and cron.weekdays is not None:
        rule = f"{target} takes a day of the month or a day of the week, not both ({_EITHER_DAY[target]})"
        found.append(Refusal("schedule.cron", schedule.cron, rule, "Write * for one of them."))
    return found


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _container(target: Target, spec: Spec) -> list[Refusal]:
    """Refuse work that waits where nothing fetches it: Container Apps has no triggers."""
    if target != "azure" or spec.targets.azure.package != "image":
        return []
    rule = "Azure Container Apps has nothing that takes messages from a queue to the function"
    change = "Write targets.azure.package: zip, or take it out."
    return [
        Refusal(name, section.model_dump(exclude_defaults=True), rule, change)
        for name, section in (("queue", spec.queue), ("schedule", spec.schedule))
        if section is not None
    ]
