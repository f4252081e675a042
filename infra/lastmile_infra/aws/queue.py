"""The queue of work that waits: SQS with its dead letters, and Lambda, which fetches messages for the function."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lastmile_infra.aws import resource_policies
from lastmile_infra.aws.function import Function
from lastmile_infra.aws.scope import Scope
from lastmile_sls.plan.document import QueuePlan

_BATCH_SIZE = 1
"""A message has the function to itself, and all of its time, as on the other clouds."""


@dataclass(frozen=True)
class Queue:
    """A queue, and where messages are set aside that nobody could work on."""

    arn: pulumi.Output[str]
    url: pulumi.Output[str]
    """As functions know it (see `lastmile_runtime.queues`)."""
    jobs: pulumi.Output[str]
    """SQS's own address of it."""
    dead_letters: pulumi.Output[str]
    """SQS's own address of the messages that were set aside."""
    dead_letters_arn: pulumi.Output[str]


def make_queue(scope: Scope, plan: QueuePlan) -> Queue:
    """Make both queues: encrypted, reached with TLS alone, and each letting in what belongs to the other alone."""
    name = f"{scope.name}-{plan['name']}"
    dead = aws.sqs.Queue(
        f"{name}-dead",
        name=plan["dead_letters"],
        message_retention_seconds=plan["dead_letters_s"],
        sqs_managed_sse_enabled=True,
        tags=scope.tags,
        opts=scope.opts,
    )
    redrive = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": plan["max_attempts"]}
    queue = aws.sqs.Queue(
        name,
        name=plan["resource"],
        visibility_timeout_seconds=plan["visibility_timeout_s"],
        message_retention_seconds=plan["retention_s"],
        redrive_policy=pulumi.Output.json_dumps(redrive),
        sqs_managed_sse_enabled=True,
        tags=scope.tags,
        opts=scope.opts,
    )
    allowed = {"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}
    aws.sqs.RedriveAllowPolicy(
        f"{name}-dead-redrive",
        queue_url=dead.url,
        redrive_allow_policy=pulumi.Output.json_dumps(allowed),
        opts=scope.opts,
    )
    for label, each in ((name, queue), (f"{name}-dead", dead)):
        policy = scope.policy(resource_policies.queue_policy, each.name)
        aws.sqs.QueuePolicy(f"{label}-policy", queue_url=each.url, policy=policy, opts=scope.opts)
    url = pulumi.Output.concat("sqs://", scope.region, "/", scope.account, "/", queue.name)
    return Queue(queue.arn, url, queue.url, dead.url, dead.arn)


def work_on(scope: Scope, plan: QueuePlan, queue: Queue, function: Function) -> None:
    """Have Lambda fetch messages and call the function with them, by its alias as everybody does."""
    workers = plan["workers"]
    aws.lambda_.EventSourceMapping(
        f"{scope.name}-{plan['name']}-worker",
        event_source_arn=queue.arn,
        function_name=function.alias.arn,
        batch_size=_BATCH_SIZE,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=workers)
        if workers
        else None,
        tags=scope.tags,
        opts=scope.opts,
    )
