from __future__ import annotations

from typing import Any

from lastmile_infra.aws import resource_policies
from lastmile_infra.aws.policies import Place
from tests.lastmile_infra.aws.test_policies import PLACE, statements

ALARMS = [
    f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}" for name in ("churn-errors", "churn-latency")
]
FOR_ALARMS: dict[str, Any] = {
    "Principal": {"Service": "cloudwatch.amazonaws.com"},
    "Condition": {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnEquals": {"aws:SourceArn": ALARMS},
    },
}


def test_bucket_policy() -> None:
    assert statements(resource_policies.bucket_policy(Place("cn-north-1", "1"), "b")) == [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": ["arn:aws-cn:s3:::b", "arn:aws-cn:s3:::b/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


def test_repository_policy() -> None:
    assert statements(resource_policies.repository_policy(PLACE)) == [
        {
            "Sid": "LambdaECRImageRetrievalPolicy",
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Condition": {
                "StringLike": {"aws:sourceArn": "arn:aws:lambda:eu-west-1:123456789012:function:*"}
            },
        }
    ]


def test_queue_policy() -> None:
    assert statements(resource_policies.queue_policy(PLACE, "churn-jobs")) == [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": ["arn:aws:sqs:eu-west-1:123456789012:churn-jobs"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


def test_topic_policy() -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:churn-alarms"
    document = resource_policies.topic_policy(PLACE, "churn-alarms", ["churn-errors", "churn-latency"])
    assert statements(document) == [
        {
            "Sid": "AlarmsPublish",
            "Effect": "Allow",
            "Action": ["sns:Publish"],
            "Resource": [topic],
            **FOR_ALARMS,
        },
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": [topic],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]


def test_key_policy() -> None:
    document = resource_policies.key_policy(PLACE, ["churn-errors", "churn-latency"])
    assert statements(document) == [
        {
            "Sid": "AccountAdministers",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": ["kms:*"],
            "Resource": ["*"],
        },
        {
            "Sid": "AlarmsEncrypt",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": ["*"],
            **FOR_ALARMS,
        },
    ]


def test_the_clock() -> None:
    assert statements(resource_policies.schedule_trust(PLACE, "churn-schedule")) == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "scheduler.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {
                    "aws:SourceAccount": "123456789012",
                    "aws:SourceArn": [
                        "arn:aws:scheduler:eu-west-1:123456789012:schedule-group/churn-schedule"
                    ],
                }
            },
        }
    ]
    assert statements(resource_policies.schedule_policy(PLACE, ["jobs", "dead"])) == [
        {
            "Sid": "Send",
            "Effect": "Allow",
            "Action": ["sqs:SendMessage"],
            "Resource": [f"arn:aws:sqs:eu-west-1:123456789012:{name}" for name in ("jobs", "dead")],
        }
    ]
