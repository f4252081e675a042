"""What is made beside the functions may do what it is for, and nothing else: the clock, alarms, queues that need TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.aws.account import ACCOUNT, REGION, Account, moto_account
from tests.conformance.aws.carry_out import World
from tests.conformance.aws.deployments import deployment, make_users_own
from tests.conformance.iam.evaluator import Question, ask
from tests.conformance.iam.judge import Call, judge

pytestmark = pytest.mark.conformance
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:churn-dev-jobs"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/churn-dev-schedule"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:churn-dev-alarms"
ALARM = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:churn-dev-errors"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
TLS = {"aws:SecureTransport": "true"}


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with moto_account() as account:
        make_users_own(account)
        yield account


@pytest.fixture(scope="module")
def world(account: Account, tmp_path_factory: pytest.TempPathFactory) -> World:
    made, _ = deployment(account, "work", tmp_path_factory.mktemp("work"))
    made.up()
    return made


def told(world: World, type_end: str, name: str) -> dict[str, Any]:
    """Return the policy that a resource was told."""
    (made,) = (m for m in world.record.made.values() if m.type.endswith(f":{type_end}") and m.name == name)
    policy: dict[str, Any] = json.loads(made.inputs["policy"])
    return policy


def of_cloudwatch(
    action: str, policy: dict[str, Any], alarm: str = ALARM, account: str = ACCOUNT
) -> Question:
    context = {**TLS, "aws:SourceArn": alarm, "aws:SourceAccount": account}
    resource = TOPIC if action == "sns:Publish" else f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
    by = "cloudwatch.amazonaws.com"
    return Question(action, resource, resource_policy=policy, context=context, principal=by)


def test_the_clock_sends_to_the_queue_and_sets_aside_what_it_cannot(world: World, account: Account) -> None:
    (name,) = account.call("iam", "list_role_policies", RoleName="churn-dev-schedule")["PolicyNames"]
    found = account.call("iam", "get_role_policy", RoleName="churn-dev-schedule", PolicyName=name)
    (schedule,) = world.record.of_type("aws:scheduler/schedule:Schedule")
    target = schedule.inputs["target"]
    calls = [
        Call("sqs:SendMessage", target["arn"], TLS, by="the clock"),
        Call("sqs:SendMessage", target["deadLetterConfig"]["arn"], TLS, by="the clock"),
    ]
    assert judge([found["PolicyDocument"]], calls) == []
    others = [("sqs:SendMessage", f"{QUEUE}2"), ("sqs:ReceiveMessage", QUEUE), ("sqs:DeleteMessage", QUEUE)]
    assert not any(ask([Question(*asked, [found["PolicyDocument"]], context=TLS) for asked in others]))


def test_scheduler_alone_is_the_clock_and_for_its_group_alone(world: World, account: Account) -> None:
    trust = account.call("iam", "get_role", RoleName="churn-dev-schedule")["Role"]["AssumeRolePolicyDocument"]
    group = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/churn-dev-schedule"

    def asked(service: str, source: str, of: str = ACCOUNT) -> Question:
        context = {"aws:SourceArn": source, "aws:SourceAccount": of}
        return Question("sts:AssumeRole", ROLE, resource_policy=trust, context=context, principal=service)

    scheduler = "scheduler.amazonaws.com"
    questions = [
        asked(scheduler, group),
        asked(scheduler, group.replace("churn-dev-schedule", "default")),
        asked(scheduler, group, "999999999999"),
        asked("lambda.amazonaws.com", group),
    ]
    assert ask(questions) == [True, False, False, False]


def test_the_deployments_alarms_alone_go_through_the_topic(world: World) -> None:
    topic = told(world, "TopicPolicy", "churn-dev-alarms-policy")
    key = told(world, "Key", "churn-dev-alarms-key")
    used = ("kms:GenerateDataKey", "kms:Decrypt")
    publishes = [of_cloudwatch("sns:Publish", topic), *(of_cloudwatch(action, key) for action in used)]
    assert ask(publishes) == [True, True, True]
    another = ALARM.replace("churn-dev-errors", "other")
    refused = [
        of_cloudwatch("sns:Publish", topic, another),
        of_cloudwatch("sns:Publish", topic, ALARM, "999999999999"),
        of_cloudwatch("kms:GenerateDataKey", key, another),
        of_cloudwatch("kms:ScheduleKeyDeletion", key),
        Question("sns:Publish", TOPIC, resource_policy=topic, context=TLS, principal="events.amazonaws.com"),
        Question("sns:Publish", TOPIC, [EVERYTHING], topic, {"aws:SecureTransport": "false"}),
    ]
    assert not any(ask(refused))


def test_queues_are_reached_with_tls_alone(world: World) -> None:
    questions = [
        Question(action, arn, [EVERYTHING], told(world, "QueuePolicy", f"{name}-policy"), context)
        for context in (TLS, {"aws:SecureTransport": "false"})
        for name, arn in (("churn-dev-jobs", QUEUE), ("churn-dev-jobs-dead", f"{QUEUE}-dead"))
        for action in ("sqs:SendMessage", "sqs:ReceiveMessage")
    ]
    assert ask(questions) == [*4 * [True], *4 * [False]]
