"""Who may reach a deployment: the gateway, the roles that the spec names, everybody; and nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.aws.account import ACCOUNT, REGION, Account, moto_account
from tests.conformance.aws.carry_out import World
from tests.conformance.aws.deployments import ROLE, deployment, make_users_own
from tests.conformance.aws.moto_provider import Made
from tests.conformance.iam.evaluator import Question, ask
from tests.conformance.iam.judge import Call, judge

pytestmark = pytest.mark.conformance
ALIAS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:churn-dev-predict:live"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture
def account() -> Iterator[Account]:
    with moto_account() as account:
        make_users_own(account)
        yield account


def made(account: Account, name: str, folder: Path) -> World:
    world, _ = deployment(account, name, folder)
    world.up()
    return world


def one(world: World, type_end: str) -> Made:
    (found,) = (made for made in world.record.made.values() if made.type.endswith(f":{type_end}"))
    return found


def callers_policy(account: Account) -> dict[str, Any]:
    (name,) = account.call("iam", "list_role_policies", RoleName=ROLE)["PolicyNames"]
    document: dict[str, Any] = account.call("iam", "get_role_policy", RoleName=ROLE, PolicyName=name)[
        "PolicyDocument"
    ]
    return document


def test_with_auth_iam_a_named_role_may_call_every_path_and_the_gateway_the_function(
    account: Account, tmp_path: Path
) -> None:
    world = made(account, "iam", tmp_path)
    api = one(world, "Api").outputs["id"]
    endpoint = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}"
    by = "a caller"
    calls = [
        Call("execute-api:Invoke", f"{endpoint}/$default/POST/v2/models/churn/infer", by=by),
        Call("execute-api:Invoke", f"{endpoint}/$default/GET/health", by=by),
    ]
    assert judge([callers_policy(account)], calls) == []

    function = one(world, "Function").outputs["name"]
    policy = json.loads(account.call("lambda", "get_policy", FunctionName=function)["Policy"])
    gateway = "apigateway.amazonaws.com"
    other = endpoint.replace(api, "other")

    def asked(service: str, source: str) -> Question:
        context = {"aws:SourceArn": source}
        return Question(
            "lambda:InvokeFunction", ALIAS, resource_policy=policy, context=context, principal=service
        )

    questions = [
        asked(gateway, f"{endpoint}/$default/$default"),
        asked(gateway, f"{other}/$default/$default"),
        asked("events.amazonaws.com", f"{endpoint}/$default/$default"),
    ]
    assert ask(questions) == [True, False, False]


def test_with_auth_iam_a_named_role_may_call_the_url_and_not_around_it(
    account: Account, tmp_path: Path
) -> None:
    world = made(account, "iam-url", tmp_path)
    assert one(world, "FunctionUrl").inputs["authorizationType"] == "AWS_IAM"
    by_url = {"lambda:FunctionUrlAuthType": "AWS_IAM"}
    through = {"lambda:InvokedViaFunctionUrl": "true"}
    calls = [
        Call("lambda:InvokeFunctionUrl", ALIAS, by_url, "a caller"),
        Call("lambda:InvokeFunction", ALIAS, through, "a caller"),
    ]
    policy = callers_policy(account)
    assert judge([policy], calls) == []
    around = Question(
        "lambda:InvokeFunction", ALIAS, [policy], context={"lambda:InvokedViaFunctionUrl": "false"}
    )
    assert ask([around]) == [False]


def test_a_bucket_is_reached_with_tls_alone_and_an_image_by_this_accounts_functions(
    account: Account, tmp_path: Path
) -> None:
    world = made(account, "two", tmp_path)
    policy = one(world, "BucketPolicy").inputs
    document, bucket = json.loads(policy["policy"]), f"arn:aws:s3:::{policy['bucket']}"
    questions = [
        Question(action, resource, [EVERYTHING], document, {"aws:SecureTransport": secure})
        for secure in ("true", "false")
        for action, resource in (("s3:GetObject", f"{bucket}/routing.json"), ("s3:ListBucket", bucket))
    ]
    assert ask(questions) == [True, True, False, False]


def test_an_image_is_fetched_for_this_accounts_functions_alone(account: Account, tmp_path: Path) -> None:
    world = made(account, "image", tmp_path)
    policy = one(world, "RepositoryPolicy").inputs
    document = json.loads(policy["policy"])
    repository = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{policy['repository']}"
    function = ALIAS.removesuffix(":live")

    def asked(action: str, source: str) -> Question:
        principal = "lambda.amazonaws.com"
        context = {"aws:SourceArn": source}
        return Question(action, repository, resource_policy=document, context=context, principal=principal)

    fetching = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    assert ask([asked(action, function) for action in fetching]) == [True, True]
    elsewhere = function.replace(ACCOUNT, "999999999999")
    others = [asked(action, elsewhere) for action in fetching]
    assert ask([*others, asked("ecr:PutImage", function)]) == [False, False, False]
