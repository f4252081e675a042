"""Dead letters."""

from __future__ import annotations

import json
from typing import Any

from lastmile_sls.policy.resource import UNKNOWN, Resource
from lastmile_sls.policy.rules.queues import DEAD_LETTERS
from tests.lastmile_sls.policy.judged import found, made

TARGET = json.dumps({"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:dead", "maxReceiveCount": 5})


def sqs(name: str, **inputs: Any) -> Resource:
    return made("aws:sqs/queue:Queue", name, name=name, **inputs)


def test_queues_of_sqs() -> None:
    told = "jobs: redrivePolicy is not set, and no other queue's names it."
    assert found(DEAD_LETTERS, [sqs("jobs", redrivePolicy=TARGET), sqs("dead")]) == []
    assert found(DEAD_LETTERS, [sqs("jobs"), sqs("dead", redriveAllowPolicy=UNKNOWN)]) == [told]
    assert found(DEAD_LETTERS, [sqs("jobs", redrivePolicy=UNKNOWN), sqs("dead")]) == [
        "? dead: whether a redrive policy is its own, or names it, is known only after creation."
    ]
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"
    beside = made("aws:sqs/redrivePolicy:RedrivePolicy", "beside", queueUrl=url, redrivePolicy=TARGET)
    assert found(DEAD_LETTERS, [sqs("jobs"), sqs("dead"), beside]) == []
    takes = made("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", "takes", queueUrl=url)
    assert found(DEAD_LETTERS, [sqs("jobs"), takes]) == []


def test_subscriptions_of_pubsub() -> None:
    def subscription(name: str, topic: Any, dead: Any = None) -> Resource:
        policy = {"deadLetterPolicy": {"deadLetterTopic": dead}} if dead is not None else {}
        return made("gcp:pubsub/subscription:Subscription", name, topic=topic, **policy)

    dead = "projects/a-project/topics/dead"
    told = ["jobs: deadLetterPolicy is not set, and its topic takes no dead letters."]
    assert found(DEAD_LETTERS, [subscription("jobs", "jobs", dead), subscription("aside", "dead")]) == []
    assert found(DEAD_LETTERS, [subscription("jobs", "jobs")]) == told
    assert found(DEAD_LETTERS, [subscription("jobs", "jobs", UNKNOWN), subscription("aside", "dead")]) == [
        "? aside: whether its topic takes dead letters is known only after creation."
    ]


def test_queues_of_azures() -> None:
    def queue(name: Any) -> Resource:
        return made("azure-native:storage:Queue", "queue", queueName=name)

    assert found(DEAD_LETTERS, [queue("jobs"), queue("jobs-poison")]) == []
    assert found(DEAD_LETTERS, [queue("jobs")]) == [
        "queue: there is no queue jobs-poison for what nobody could work on."
    ]
    assert found(DEAD_LETTERS, [queue(UNKNOWN)]) == ["? queue: queueName is known only after creation."]
