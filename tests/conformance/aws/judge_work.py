"""What is wrong with work that waits, and with who is told of what, on moto: links that lead nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.conformance.aws.account import Account
from tests.conformance.aws.moto_provider import Made, Record


def work_findings(record: Record) -> list[str]:
    """Return every fault of queues, workers, clocks and alarms, each a sentence; none when all is well."""
    return [*_queues(record), *_workers(record), *_clocks(record), *_alarms(record)]


def _queue_arns(account: Account) -> set[str]:
    urls = account.pages("sqs", "list_queues", "QueueUrls")
    return {_attributes(account, url)["QueueArn"] for url in urls}


def _attributes(account: Account, url: str) -> dict[str, str]:
    found: dict[str, str] = account.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])[
        "Attributes"
    ]
    return found


def _queues(record: Record) -> Iterator[str]:
    """A message that cannot be done must end in a queue that is there, that takes it, and that nobody else sets aside in."""
    allowed = {
        made.inputs["queueUrl"]: _parsed(made.inputs["redriveAllowPolicy"])["sourceQueueArns"]
        for made in record.of_type("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy")
    }
    for made in record.of_type("aws:sqs/queue:Queue"):
        redrive = _parsed(made.inputs.get("redrivePolicy"))
        if redrive is None:
            if not any(made.outputs["url"] == url for url in allowed):
                yield f"{_told(made)}: every queue may set messages aside in it."
            continue
        (url,) = (
            m.outputs["url"]
            for m in record.of_type(made.type)
            if m.outputs["arn"] == redrive["deadLetterTargetArn"]
        )
        if made.outputs["arn"] not in allowed.get(url, []):
            yield f"{_told(made)} may set nothing aside: {url} does not take it from there."
    for queue in record.of_type("aws:sqs/queue:Queue"):
        policies = [
            m
            for m in record.of_type("aws:sqs/queuePolicy:QueuePolicy")
            if m.inputs["queueUrl"] == queue.outputs["url"]
        ]
        statements = [s for made in policies for s in _parsed(made.inputs["policy"])["Statement"]]
        if not any(s["Effect"] == "Deny" and s.get("Condition") == _NO_TLS for s in statements):
            yield f"{_told(queue)} is reached without TLS."


_NO_TLS = {"Bool": {"aws:SecureTransport": "false"}}


def _workers(record: Record) -> Iterator[str]:
    """Somebody must fetch each queue's messages but those set aside, by an alias, and no longer than they are his."""
    account, arns = record.account, _queue_arns(record.account)
    worked: set[str] = set()
    for made in record.of_type("aws:lambda/eventSourceMapping:EventSourceMapping"):
        arn, function = made.inputs["eventSourceArn"], made.inputs["functionName"].split(":")
        worked.add(arn)
        if arn not in arns:
            yield f"{_told(made)}: there is no queue {arn}."
        if len(function) < 8:
            yield f"{_told(made)} calls {function[-1]} without an alias, so never a published version."
        elif not account.is_there("lambda", "get_alias", FunctionName=function[6], Name=function[7]):
            yield f"{_told(made)}: there is no alias {function[7]} of a function {function[6]}."
        else:
            timeout = account.call("lambda", "get_function_configuration", FunctionName=function[6])[
                "Timeout"
            ]
            (queue,) = (m for m in record.of_type("aws:sqs/queue:Queue") if m.outputs["arn"] == arn)
            if queue.inputs["visibilityTimeoutSeconds"] < timeout:
                yield f"{_told(made)}: a message is given to another before the function's {timeout} s are over."
        if "ReportBatchItemFailures" not in made.inputs.get("functionResponseTypes", []):
            yield f"{_told(made)}: a message that failed would count as done."
    for made in record.of_type("aws:sqs/queue:Queue"):
        if made.inputs.get("redrivePolicy") and made.outputs["arn"] not in worked:
            yield f"{_told(made)}: nobody works on it."


def _clocks(record: Record) -> Iterator[str]:
    account, arns = record.account, _queue_arns(record.account)
    for made in record.of_type("aws:scheduler/schedule:Schedule"):
        target = made.inputs["target"]
        for arn in (target["arn"], target.get("deadLetterConfig", {}).get("arn")):
            if arn is not None and arn not in arns:
                yield f"{_told(made)}: there is no queue {arn}."
        role = target["roleArn"].rpartition("/")[2]
        if not account.is_there("iam", "get_role", RoleName=role):
            yield f"{_told(made)}: there is no role {role}."


def _alarms(record: Record) -> Iterator[str]:
    """An alarm must tell a topic that is there, lets it, and has somebody's address."""
    account = record.account
    topics = {topic["TopicArn"] for topic in account.pages("sns", "list_topics", "Topics")}
    heard = {entry["TopicArn"] for entry in account.pages("sns", "list_subscriptions", "Subscriptions")}
    for made in record.of_type("aws:cloudwatch/metricAlarm:MetricAlarm"):
        for arn in made.inputs.get("alarmActions") or [None]:
            if arn not in topics:
                yield f"{_told(made)} tells {arn}, which is no topic."
                continue
            if arn not in heard:
                yield f"{_told(made)}: nobody hears what {arn} says."
            policy = json.loads(
                account.call("sns", "get_topic_attributes", TopicArn=arn)["Attributes"]["Policy"]
            )
            if not any(made.outputs["arn"] in _sources(statement) for statement in policy["Statement"]):
                yield f"{_told(made)} may not publish to {arn}."


def _sources(statement: Any) -> list[str]:
    condition = statement.get("Condition", {})
    found: Any = next((c["aws:SourceArn"] for c in condition.values() if "aws:SourceArn" in c), [])
    return [found] if isinstance(found, str) else list(found)


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _told(made: Made) -> str:
    return f"{made.type.rpartition(':')[2]} {made.name}"
