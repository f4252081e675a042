"""Messages that nobody could work on are set aside, and not lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lastmile_sls.policy.parameters import Parameters
from lastmile_sls.policy.resource import UNKNOWN, Resource, at, document, of_type
from lastmile_sls.policy.rule import Found, Problem, Rule, unknown

_POISON = "-poison"
"""What Azure Functions' host adds to a queue's name (learn.microsoft.com/azure/azure-functions/
functions-bindings-storage-queue-trigger, "Poison messages", 2026-11-29)."""


def _judge(resources: Sequence[Resource], parameters: Parameters) -> Iterator[Found]:
    yield from _sqs(resources)
    yield from _pubsub(resources)
    yield from _azure(resources)


def _sqs(resources: Sequence[Resource]) -> Iterator[Found]:
    """A queue has a redrive policy, or says that it takes other queues' dead letters, or is named in their policy."""
    queues = of_type(resources, "aws:sqs/queue:Queue")
    targets = [_target(queue) for queue in queues if at(queue.inputs, "redrivePolicy") is not None]
    beside = of_type(resources, "aws:sqs/redrivePolicy:RedrivePolicy")
    targets += [_target(policy) for policy in beside]
    takes = of_type(resources, "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy")
    for queue in queues:
        if (
            at(queue.inputs, "redrivePolicy") is not None
            or at(queue.inputs, "redriveAllowPolicy") is not None
        ):
            continue
        if any(_ends(target, at(queue.inputs, "name")) for target in targets):
            continue
        linked = [at(policy.inputs, "queueUrl") for policy in (*beside, *takes)]
        if any(_ends(url, at(queue.inputs, "name")) for url in linked):
            continue
        if UNKNOWN in targets or UNKNOWN in linked:
            yield queue, unknown("whether a redrive policy is its own, or names it,")
        else:
            yield queue, Problem("redrivePolicy is not set, and no other queue's names it.")


def _target(policy: Resource) -> Any:
    return at(document(at(policy.inputs, "redrivePolicy")), "deadLetterTargetArn")


def _ends(identifier: Any, name: Any) -> bool:
    """Tell whether an ARN or a URL is the queue's of that name."""
    if not (isinstance(identifier, str) and isinstance(name, str)):
        return False
    return identifier.replace("/", ":").rpartition(":")[2] == name


def _pubsub(resources: Sequence[Resource]) -> Iterator[Found]:
    """A subscription has a dead letter topic, or is the one of such a topic."""
    subscriptions = of_type(resources, "gcp:pubsub/subscription:Subscription")
    dead = [at(s.inputs, "deadLetterPolicy.deadLetterTopic") for s in subscriptions]
    dead_names = [_last(topic) for topic in dead if topic is not None]
    for subscription, topic in zip(subscriptions, dead, strict=True):
        if topic is not None or at(subscription.inputs, "deadLetterPolicy") is UNKNOWN:
            continue
        mine = _last(at(subscription.inputs, "topic"))
        if isinstance(mine, str) and mine in dead_names:
            continue
        if mine is UNKNOWN or UNKNOWN in dead_names:
            yield subscription, unknown("whether its topic takes dead letters")
        else:
            yield subscription, Problem("deadLetterPolicy is not set, and its topic takes no dead letters.")


def _last(topic: Any) -> Any:
    return topic.rpartition("/")[2] if isinstance(topic, str) else topic


def _azure(resources: Sequence[Resource]) -> Iterator[Found]:
    """Functions' host sets messages aside in a queue that it names itself; it is there to be looked at, and alarmed on."""
    queues = of_type(resources, "azure-native:storage:Queue")
    names = [at(queue.inputs, "queueName") for queue in queues]
    for queue, name in zip(queues, names, strict=True):
        if isinstance(name, str) and (name.endswith(_POISON) or f"{name}{_POISON}" in names):
            continue
        if not isinstance(name, str):
            yield queue, unknown("queueName")
        else:
            yield queue, Problem(f"there is no queue {name}{_POISON} for what nobody could work on.")


DEAD_LETTERS = Rule(
    id="dead-letters",
    demands="Every queue sets messages aside that nobody could work on.",
    fix="lastmile makes them beside the spec's queue; elsewhere add a dead letter queue or topic.",
    of_stack=_judge,
)
