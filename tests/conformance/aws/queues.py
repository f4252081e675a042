"""Queues, what fetches their messages, and the clock that sends some, on moto: SQS, Lambda's event sources, Scheduler."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.conformance.aws.account import ACCOUNT, Account
from tests.conformance.aws.kind import Kind, Outputs, Request
from tests.conformance.aws.requests import Inputs, lowered, tag_list

_ATTRIBUTES = {
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
}
"""The provider's names of a queue's attributes, and SQS's, which are all texts."""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _attributes(inputs: Inputs) -> dict[str, str]:
    given = {theirs: inputs.take(ours) for ours, theirs in _ATTRIBUTES.items()}
    return {name: _text(value) for name, value in given.items() if value is not None}


def _make_queue(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    name, attributes = inputs.need("name"), _attributes(inputs)
    inputs.finish()
    url = account.call("sqs", "create_queue", QueueName=name, Attributes=attributes, tags=dict(tags))[
        "QueueUrl"
    ]
    return {"id": url, "url": url, "arn": f"arn:aws:sqs:{account.region}:{ACCOUNT}:{name}"}


def _change_queue(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    inputs.ignore("name")
    account.call("sqs", "set_queue_attributes", QueueUrl=old["url"], Attributes=_attributes(inputs))
    inputs.finish()
    account.call("sqs", "tag_queue", QueueUrl=old["url"], Tags=dict(tags))
    return {name: old[name] for name in ("id", "url", "arn")}


def _read_queue(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = _found(account, outputs["url"])
    given = {ours: found[theirs] for ours, theirs in _ATTRIBUTES.items() if theirs in found}
    # All attributes are texts; numbers and truths are JSON as well.
    values = {name: json.loads(value) for name, value in given.items()}
    tags = account.call("sqs", "list_queue_tags", QueueUrl=outputs["url"]).get("Tags", {})
    return {**values, "name": found["QueueArn"].rpartition(":")[2], "tags": tags}


def _found(account: Account, url: str) -> dict[str, str]:
    attributes: dict[str, str] = account.call(
        "sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"]
    )["Attributes"]
    return attributes


def _remove_queue(account: Account, outputs: Outputs) -> None:
    account.call("sqs", "delete_queue", QueueUrl=outputs["url"])


def _attribute(ours: str, theirs: str) -> Kind:
    """Return how one attribute of a queue that is a resource of its own is set, and taken away again.

    It is read back at once: moto 5.2 forgets a queue's policy when another attribute is set.
    """

    def make(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
        url, value = inputs.need("queueUrl"), inputs.need(ours)
        inputs.finish()
        account.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={theirs: _text(value)})
        return {"id": url, "__found": _found(account, url).get(theirs)}

    def change(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
        return make(account, inputs, tags)

    def remove(account: Account, outputs: Outputs) -> None:
        account.call("sqs", "set_queue_attributes", QueueUrl=outputs["queueUrl"], Attributes={theirs: ""})

    def read(account: Account, outputs: Outputs) -> Mapping[str, Any]:
        kept = {ours: json.loads(outputs["__found"])} if outputs["__found"] else {}
        return {"queueUrl": outputs["queueUrl"], **kept}

    return Kind(make, remove, change=change, anew=frozenset({"queueUrl"}), read=read)


def _make_worker(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    made = account.call("lambda", "create_event_source_mapping", **inputs.rest({}), Tags=dict(tags))
    arn = f"arn:aws:lambda:{account.region}:{ACCOUNT}:event-source-mapping:{made['UUID']}"
    return {"id": made["UUID"], "uuid": made["UUID"], "arn": arn, "functionArn": made["FunctionArn"]}


def _change_worker(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    inputs.ignore("eventSourceArn")
    account.call("lambda", "update_event_source_mapping", UUID=old["uuid"], **inputs.rest({}))
    return {name: old[name] for name in ("id", "uuid", "arn", "functionArn")}


def _read_worker(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = account.call("lambda", "get_event_source_mapping", UUID=outputs["uuid"])
    read = lowered({name: found.get(name) for name in _WORKER}, {})
    # moto keeps the function without the alias that it is called by.
    return {**read, "functionName": outputs["functionName"], "tags": outputs["tagsAll"]}


_WORKER = ("EventSourceArn", "BatchSize", "FunctionResponseTypes", "ScalingConfig")


def _remove_worker(account: Account, outputs: Outputs) -> None:
    account.call("lambda", "delete_event_source_mapping", UUID=outputs["uuid"])


def _make_group(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    name = inputs.need("name")
    inputs.finish()
    made = account.call("scheduler", "create_schedule_group", Name=name, Tags=tag_list(tags))
    return {"id": name, "arn": made["ScheduleGroupArn"]}


def _read_group(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = account.call("scheduler", "get_schedule_group", Name=outputs["name"])
    tags = account.call("scheduler", "list_tags_for_resource", ResourceArn=outputs["arn"])["Tags"]
    return {"name": found["Name"], "tags": {tag["Key"]: tag["Value"] for tag in tags}}


def _remove_group(account: Account, outputs: Outputs) -> None:
    account.call("scheduler", "delete_schedule_group", Name=outputs["name"])


def _keys(outputs: Outputs) -> Request:
    return {"Name": outputs["name"], "GroupName": outputs["groupName"]}


def _make_schedule(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    request = inputs.rest({})
    made = account.call("scheduler", "create_schedule", **request)
    return {"id": f"{request['GroupName']}/{request['Name']}", "arn": made["ScheduleArn"]}


def _change_schedule(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    account.call("scheduler", "update_schedule", **inputs.rest({}))
    return {name: old[name] for name in ("id", "arn")}


def _read_schedule(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found: Mapping[str, Any] = lowered(account.call("scheduler", "get_schedule", **_keys(outputs)), {})
    return found


def _remove_schedule(account: Account, outputs: Outputs) -> None:
    account.call("scheduler", "delete_schedule", **_keys(outputs))


KINDS = {
    "aws:sqs/queue:Queue": Kind(
        _make_queue,
        _remove_queue,
        ("url", "arn"),
        named="name",
        change=_change_queue,
        anew=frozenset({"name"}),
        read=_read_queue,
        tagged=True,
    ),
    "aws:sqs/queuePolicy:QueuePolicy": _attribute("policy", "Policy"),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _attribute("redriveAllowPolicy", "RedriveAllowPolicy"),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Kind(
        _make_worker,
        _remove_worker,
        ("uuid", "arn", "functionArn"),
        change=_change_worker,
        anew=frozenset({"eventSourceArn"}),
        read=_read_worker,
        tagged=True,
    ),
    "aws:scheduler/scheduleGroup:ScheduleGroup": Kind(
        _make_group, _remove_group, ("arn",), named="name", read=_read_group, tagged=True
    ),
    "aws:scheduler/schedule:Schedule": Kind(
        _make_schedule,
        _remove_schedule,
        ("arn",),
        named="name",
        change=_change_schedule,
        anew=frozenset({"name", "groupName"}),
        read=_read_schedule,
    ),
}
