"""The clock that sends a message to the queue: EventBridge Scheduler, with an identity of its own."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from lastmile_infra.aws import resource_policies
from lastmile_infra.aws.queue import Queue
from lastmile_infra.aws.scope import Scope
from lastmile_sls.plan.document import QueuePlan, SchedulePlan


def make_schedule(
    scope: Scope, plan: SchedulePlan, queue_plan: QueuePlan, queue: Queue
) -> pulumi.Output[str]:
    """Make the clock in a group of its own, which carries the tags; return its ARN.

    What it cannot send is set aside with the queue's own dead letters, where somebody is told of it.
    """
    name = f"{scope.name}-{plan['name']}"
    group = aws.scheduler.ScheduleGroup(
        f"{name}-group", name=plan["resource"], tags=scope.tags, opts=scope.opts
    )
    role, may = _make_role(scope, name, plan, queue_plan)
    schedule = aws.scheduler.Schedule(
        name,
        name=plan["resource"],
        group_name=group.name,
        schedule_expression=plan["expression"],
        schedule_expression_timezone="UTC",
        flexible_time_window=aws.scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
        target=aws.scheduler.ScheduleTargetArgs(
            arn=queue.arn,
            role_arn=role.arn,
            input=plan["message"],
            dead_letter_config=aws.scheduler.ScheduleTargetDeadLetterConfigArgs(arn=queue.dead_letters_arn),
        ),
        opts=scope.options(depends_on=[may]),
    )
    made: pulumi.Output[str] = schedule.arn
    return made


def _make_role(
    scope: Scope, name: str, plan: SchedulePlan, queue: QueuePlan
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """Make who the clock is: it may send to the two queues, and nothing else."""
    role = aws.iam.Role(
        f"{name}-role",
        name=plan["resource"],
        assume_role_policy=scope.policy(resource_policies.schedule_trust, plan["resource"]),
        tags=scope.tags,
        opts=scope.opts,
    )
    policy = aws.iam.RolePolicy(
        f"{name}-role-policy",
        role=role.name,
        policy=scope.policy(
            resource_policies.schedule_policy,
            pulumi.Output.from_input([queue["resource"], queue["dead_letters"]]),
        ),
        opts=scope.opts,
    )
    return role, policy
