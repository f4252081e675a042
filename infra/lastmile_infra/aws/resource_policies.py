"""Who may use what a deployment on AWS consists of: the policies of resources, and of the clock. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lastmile_infra.aws.policies import Place, Statement, allow, document


def bucket_policy(place: Place, bucket: str) -> str:
    """Return the bucket's own policy: nobody reaches it without TLS."""
    arn = f"arn:{place.partition}:s3:::{bucket}"
    return document([_tls_only("s3:*", [arn, f"{arn}/*"])])  # whatever is done, on whatever is in it


def repository_policy(place: Place) -> str:
    """Return the image repository's policy: Lambda may fetch images, for functions of this region and account.

    https://docs.aws.amazon.com/lambda/latest/dg/images-create.html, "Amazon ECR permissions": Lambda adds the statement
    itself where it is missing, which would then look like a change that somebody made by hand.
    """
    statement = {
        "Sid": "LambdaECRImageRetrievalPolicy",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        # Any function: the account's own, as in that page's example; Lambda asks for each version of each.
        "Condition": {"StringLike": {"aws:sourceArn": place.arn("lambda", "function:*")}},
    }
    return document([statement])


def queue_policy(place: Place, queue: str) -> str:
    """Return a queue's own policy: nobody reaches it without TLS, and who does needs a policy of their own."""
    return document([_tls_only("sqs:*", [place.arn("sqs", queue)])])


def topic_policy(place: Place, topic: str, alarms: Sequence[str]) -> str:
    """Return who may publish: CloudWatch, for alarms of the deployment alone.

    https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html, "CloudWatch alarms" (2026-11-29).
    """
    arn = place.arn("sns", topic)
    publish = allow("AlarmsPublish", ["sns:Publish"], [arn])
    return document([_for_alarms(publish, place, alarms), _tls_only("sns:Publish", [arn])])


def key_policy(place: Place, alarms: Sequence[str]) -> str:
    """Return who may use a topic's key: CloudWatch for the deployment's alarms, and whom this account's policies allow.

    The key that AWS has for SNS lets no alarm in: docs.aws.amazon.com/sns/latest/dg/sns-key-management.html, "Enable
    compatibility between event sources from AWS services and encrypted topics" (2026-11-29). In a key's policy, `*` is
    the key.
    """
    account = {
        **allow("AccountAdministers", ["kms:*"], ["*"]),
        "Principal": {"AWS": f"arn:{place.partition}:iam::{place.account}:root"},
    }
    encrypt = allow("AlarmsEncrypt", ["kms:Decrypt", "kms:GenerateDataKey"], ["*"])
    return document([account, _for_alarms(encrypt, place, alarms)])


def schedule_trust(place: Place, group: str) -> str:
    """Return who may be the clock's role: EventBridge Scheduler, for schedules of one group.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html (2026-11-29).
    """
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": _only(place, "StringEquals", [place.arn("scheduler", f"schedule-group/{group}")]),
    }
    return document([statement])


def schedule_policy(place: Place, queues: Sequence[str]) -> str:
    """Return what the clock's role may do: send to the queue, and set aside what it could not send."""
    return document([allow("Send", ["sqs:SendMessage"], [place.arn("sqs", queue) for queue in queues])])


def _for_alarms(statement: Statement, place: Place, alarms: Sequence[str]) -> Statement:
    arns = [place.arn("cloudwatch", f"alarm:{alarm}") for alarm in alarms]
    return {
        **statement,
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Condition": _only(place, "ArnEquals", arns),
    }


def _only(place: Place, operator: str, sources: list[str]) -> dict[str, dict[str, str | list[str]]]:
    """Return the condition that a service acts for some of this account's own resources."""
    conditions: dict[str, dict[str, str | list[str]]] = {"StringEquals": {"aws:SourceAccount": place.account}}
    conditions.setdefault(operator, {})["aws:SourceArn"] = sources
    return conditions


def _tls_only(actions: str, resources: list[str]) -> Statement:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": resources,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
