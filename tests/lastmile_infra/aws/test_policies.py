from __future__ import annotations

import json
from typing import Any

import pytest

from lastmile_infra.aws import policies
from lastmile_infra.aws.policies import Place
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions

PLACE = Place("eu-west-1", "123456789012")


def statements(document: str) -> list[dict[str, Any]]:
    read = json.loads(document)
    assert read.pop("Version") == "2012-10-17"
    found: list[dict[str, Any]] = read.pop("Statement")
    assert read == {}
    return found


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_partition(region: str, partition: str) -> None:
    assert Place(region, "1").arn("lambda", "function:f") == f"arn:{partition}:lambda:{region}:1:function:f"


def test_partitions_are_botocores() -> None:
    loaders = pytest.importorskip("botocore.loaders")
    for partition in loaders.Loader().load_data("partitions")["partitions"]:
        for region in partition["regions"]:
            if not region.endswith("-global"):
                assert Place(region, "1").partition == partition["id"]


def test_trust() -> None:
    assert statements(policies.trust()) == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]


LOGS = {
    "Sid": "WriteLogs",
    "Effect": "Allow",
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/churn-dev-predict:*"],
}


def test_one_version_writes_logs_and_nothing_else() -> None:
    plan = plan_of(spec_of(), "aws")
    assert statements(policies.role_policy(PLACE, plan["functions"], None)) == [LOGS]


def test_a_bucket_that_no_document_lies_in_is_not_read() -> None:
    plan = plan_of(spec_of(targets={"aws": {"bucket": "mine"}}), "aws")
    assert statements(policies.role_policy(PLACE, plan["functions"], "mine")) == [LOGS]


def test_everything_that_a_role_can_need() -> None:
    spec = spec_of(**two_versions(apart=True), secrets={"A": "one", "B": "two", "C": "one"})
    plan = plan_of(spec, "aws")
    assert statements(policies.role_policy(PLACE, plan["functions"], "the-bucket")) == [
        {
            **LOGS,
            "Resource": [
                "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/churn-dev-predict-v2:*",
                "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/churn-dev-predict:*",
            ],
        },
        {
            "Sid": "ReadRouting",
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": ["arn:aws:s3:::the-bucket/routing.json"],
        },
        {
            "Sid": "ReadSecrets",
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue"],
            "Resource": [
                "arn:aws:secretsmanager:eu-west-1:123456789012:secret:one-??????",
                "arn:aws:secretsmanager:eu-west-1:123456789012:secret:two-??????",
            ],
        },
        {
            "Sid": "CallFunctions",
            "Effect": "Allow",
            "Action": ["lambda:InvokeFunction"],
            "Resource": ["arn:aws:lambda:eu-west-1:123456789012:function:churn-dev-predict-v2:live"],
        },
    ]


WORK: dict[str, Any] = {
    "secrets": {"HOOK": "hook"},
    "queue": {"callback": {"urls": ["https://app.example.com/"], "secret": "HOOK"}},
    "schedule": {"cron": "0 6 * * *", "input": "batch/in/", "output": "s3://theirs/out"},
}
BUCKET = "arn:aws:s3:::the-bucket"
WRITTEN = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]


def listing(number: int, bucket: str, *prefixes: str) -> dict[str, Any]:
    return {
        "Sid": f"List{number}",
        "Effect": "Allow",
        "Action": ["s3:ListBucket"],
        "Resource": [bucket],
        "Condition": {"StringLikeIfExists": {"s3:prefix": list(prefixes)}},
    }


def test_work_that_waits_needs_the_queue_and_its_own_folders() -> None:
    plan = plan_of(spec_of(**WORK), "aws")
    found = statements(policies.role_policy(PLACE, plan["functions"], "the-bucket", plan["queue"]))
    assert found[2:] == [
        {
            "Sid": "UseQueue",
            "Effect": "Allow",
            "Action": [
                "sqs:SendMessage",
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
            ],
            "Resource": ["arn:aws:sqs:eu-west-1:123456789012:churn-dev-jobs"],
        },
        {"Sid": "UseAnswers", "Effect": "Allow", "Action": WRITTEN, "Resource": [f"{BUCKET}/results/*"]},
        {
            "Sid": "UseInput",
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": [f"{BUCKET}/batch/in/*"],
        },
        {"Sid": "UseOutput", "Effect": "Allow", "Action": WRITTEN, "Resource": ["arn:aws:s3:::theirs/out/*"]},
        listing(1, BUCKET, "results/*", "batch/in/*"),
        listing(2, "arn:aws:s3:::theirs", "out/*"),
    ]


def test_a_schedule_alone_keeps_no_answers_and_a_whole_bucket_may_be_scored() -> None:
    schedule = {"cron": "0 6 * * *", "input": "s3://theirs", "output": "out"}
    plan = plan_of(spec_of(schedule=schedule, targets={"aws": {"bucket": "shared"}}), "aws")
    found = statements(policies.role_policy(PLACE, plan["functions"], "shared", plan["queue"]))
    assert [(s["Sid"], s["Resource"]) for s in found[2:]] == [
        ("UseInput", ["arn:aws:s3:::theirs/*"]),
        ("UseOutput", ["arn:aws:s3:::shared/out/*"]),
        ("List1", ["arn:aws:s3:::theirs"]),
        ("List2", ["arn:aws:s3:::shared"]),
    ]
    assert found[4]["Condition"] == {"StringLikeIfExists": {"s3:prefix": ["*"]}}


def test_callers() -> None:
    api = "arn:aws:execute-api:eu-west-1:123456789012:abc"
    assert statements(policies.http_api_caller(api)) == [
        {
            "Sid": "CallEndpoint",
            "Effect": "Allow",
            "Action": ["execute-api:Invoke"],
            "Resource": [f"{api}/$default/*"],
        }
    ]
    alias = policies.alias_arn(PLACE, "f")
    assert statements(policies.function_url_caller(alias)) == [
        {
            "Sid": "CallUrl",
            "Effect": "Allow",
            "Action": ["lambda:InvokeFunctionUrl"],
            "Resource": [alias],
            "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
        },
        {
            "Sid": "CallFunctionByUrl",
            "Effect": "Allow",
            "Action": ["lambda:InvokeFunction"],
            "Resource": [alias],
            "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
        },
    ]
