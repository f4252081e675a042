"""Policies that allow too little, too much, or by a pattern are found, by the evaluator that others wrote."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.aws.account import ACCOUNT
from tests.conformance.iam.evaluator import NonsenseError, Question, ask
from tests.conformance.iam.judge import Call, judge, judge_trust

pytestmark = pytest.mark.conformance
STREAM = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/churn:log-stream:2026/11/29/[7]ab"
GROUP = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/churn:*"
OBJECT = "arn:aws:s3:::data/routing/routing.json"
SECRET = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:churn/key"
FUNCTION = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:churn-v2:live"
CALLS = (
    Call("logs:CreateLogStream", STREAM, by="Lambda"),
    Call("logs:PutLogEvents", STREAM, by="Lambda"),
    Call("s3:GetObject", OBJECT, {"aws:SecureTransport": "true"}),
    Call("secretsmanager:GetSecretValue", f"{SECRET}-a1B2c3"),
    Call("lambda:InvokeFunction", FUNCTION),
)


def allow(action: str | list[str], *resources: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources), **more}


LOGS = allow(["logs:CreateLogStream", "logs:PutLogEvents"], GROUP)
READ = allow("s3:GetObject", OBJECT)
VAULT = allow("secretsmanager:GetSecretValue", f"{SECRET}-??????")
INVOKE = allow("lambda:InvokeFunction", FUNCTION)


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_exactly_what_the_calls_need_is_well() -> None:
    assert judge([policy(LOGS, READ, VAULT, INVOKE)], CALLS) == []
    assert judge([policy(LOGS, READ), policy(VAULT, INVOKE)], CALLS) == []


OTHER = OBJECT.replace("routing.json", "other.json")
NO_REASON = "the resource is a pattern for which WILDCARDS has no reason."
READING = f"s3:GetObject on {OBJECT} by the function"


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ([READ, VAULT, INVOKE], [f"not allowed: {CALLS[0]}.", f"not allowed: {CALLS[1]}."]),
        (
            [LOGS, allow("s3:GetObject", OTHER), VAULT, INVOKE],
            [f"not allowed: {READING}.", f"no call needs s3:GetObject on {OTHER}."],
        ),
        (
            [LOGS, allow(["s3:GetObject", "s3:PutObject"], OBJECT), VAULT, INVOKE],
            [f"no call needs s3:PutObject on {OBJECT}."],
        ),
        (
            [LOGS, allow("s3:GetObject", OBJECT, OTHER), VAULT, INVOKE],
            [f"no call needs s3:GetObject on {OTHER}."],
        ),
        (
            [LOGS, allow("s3:GetObject", "arn:aws:s3:::data/*"), VAULT, INVOKE],
            [
                "s3:GetObject on arn:aws:s3:::data/*: the resource is a pattern for which WILDCARDS has no reason."
            ],
        ),
        (
            [LOGS, allow("s3:Get*", OBJECT), VAULT, INVOKE],
            [f"s3:Get* on {OBJECT}: the action is a pattern."],
        ),
        (
            [LOGS, READ, VAULT, allow("lambda:InvokeFunction", FUNCTION.removesuffix(":live"))],
            [
                f"not allowed: lambda:InvokeFunction on {FUNCTION} by the function.",
                f"no call needs lambda:InvokeFunction on {FUNCTION.removesuffix(':live')}.",
            ],
        ),
        (
            [LOGS, READ, allow("secretsmanager:GetSecretValue", f"{SECRET}-*"), INVOKE],
            [f"secretsmanager:GetSecretValue on {SECRET}-*: {NO_REASON}"],
        ),
        (
            [LOGS, {**READ, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, VAULT, INVOKE],
            [f"not allowed: {READING}.", f"no call needs s3:GetObject on {OBJECT}."],
        ),
        (
            [LOGS, READ, {**READ, "Effect": "Deny"}, VAULT, INVOKE],
            [f"not allowed: {READING}."],
        ),
        (
            [LOGS, READ, VAULT, INVOKE, {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
            ["NotAction on iam:*: a policy must say what is allowed, not what is not."],
        ),
    ],
)
def test_too_little_too_much_and_patterns_are_found(
    statements: list[dict[str, Any]], found: list[str]
) -> None:
    assert judge([policy(*statements)], CALLS) == found


def test_what_aws_does_not_have_is_nonsense() -> None:
    with pytest.raises(NonsenseError, match=r"^s3:ReadObject on .*invalid\.action"):
        ask([Question("s3:ReadObject", OBJECT, [policy(READ)])])


ROLE = f"arn:aws:iam::{ACCOUNT}:role/churn"
LAMBDA = {"lambda.amazonaws.com"}


@pytest.mark.parametrize(
    ("principal", "action", "found"),
    [
        ({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole", []),
        (
            {"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]},
            "sts:AssumeRole",
            ["the trust policy trusts ec2.amazonaws.com."],
        ),
        (
            {"Service": "ec2.amazonaws.com"},
            "sts:AssumeRole",
            [
                "the trust policy trusts ec2.amazonaws.com.",
                "lambda.amazonaws.com may not take the role on.",
            ],
        ),
        (
            {"Service": "lambda.amazonaws.com"},
            ["sts:AssumeRole", "sts:TagSession"],
            ["the trust policy lets sts:TagSession."],
        ),
        (
            {"AWS": "*"},
            "sts:AssumeRole",
            ["the trust policy lets {'AWS': '*'} take the role on."],
        ),
    ],
)
def test_who_takes_a_role_on(principal: Any, action: Any, found: list[str]) -> None:
    document = policy({"Effect": "Allow", "Principal": principal, "Action": action})
    assert judge_trust(document, ROLE, LAMBDA) == found
