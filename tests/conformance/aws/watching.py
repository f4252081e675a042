"""Who is told of what, and what it may cost, on moto: topics and their keys, alarms, dashboards, budgets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.conformance.aws.account import ACCOUNT, Account
from tests.conformance.aws.kind import Kind, Outputs, Request
from tests.conformance.aws.requests import Inputs, lowered, renamed, tag_list


def _make_key(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    rotates, days = inputs.take("enableKeyRotation"), inputs.take("rotationPeriodInDays")
    inputs.ignore("deletionWindowInDays")
    request = inputs.rest({})
    tagged = tag_list(tags, "TagKey", "TagValue")
    made = account.call("kms", "create_key", **request, Tags=tagged)["KeyMetadata"]
    if rotates:
        period = {"RotationPeriodInDays": days} if days else {}
        account.call("kms", "enable_key_rotation", KeyId=made["KeyId"], **period)
    return {"id": made["KeyId"], "keyId": made["KeyId"], "arn": made["Arn"]}


def _change_key(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    """Put the policy anew, which names the alarms; the rest of a key of ours does not change."""
    policy = inputs.need("policy")
    inputs.ignore("deletionWindowInDays", "description", "enableKeyRotation")
    inputs.finish()
    account.call("kms", "put_key_policy", KeyId=old["id"], PolicyName="default", Policy=policy)
    return {name: old[name] for name in ("id", "keyId", "arn")}


def _read_key(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    key = {"KeyId": outputs["id"]}
    found = account.call("kms", "describe_key", **key)["KeyMetadata"]
    tags = account.call("kms", "list_resource_tags", **key)["Tags"]
    return {
        "description": found["Description"],
        "policy": json.loads(account.call("kms", "get_key_policy", **key, PolicyName="default")["Policy"]),
        "enableKeyRotation": account.call("kms", "get_key_rotation_status", **key)["KeyRotationEnabled"],
        "tags": {tag["TagKey"]: tag["TagValue"] for tag in tags},
    }


def _remove_key(account: Account, outputs: Outputs) -> None:
    days = outputs["deletionWindowInDays"]
    account.call("kms", "schedule_key_deletion", KeyId=outputs["id"], PendingWindowInDays=days)


def _make_topic(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    name, key = inputs.need("name"), inputs.take("kmsMasterKeyId")
    inputs.finish()
    attributes = {"KmsMasterKeyId": key} if key else {}
    made = account.call("sns", "create_topic", Name=name, Attributes=attributes, Tags=tag_list(tags))
    return {"id": made["TopicArn"], "arn": made["TopicArn"]}


def _topic(account: Account, arn: str) -> dict[str, str]:
    found: dict[str, str] = account.call("sns", "get_topic_attributes", TopicArn=arn)["Attributes"]
    return found


def _read_topic(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = _topic(account, outputs["arn"])
    tags = account.call("sns", "list_tags_for_resource", ResourceArn=outputs["arn"])["Tags"]
    return {
        "name": found["TopicArn"].rpartition(":")[2],
        "kmsMasterKeyId": found.get("KmsMasterKeyId"),
        "tags": {tag["Key"]: tag["Value"] for tag in tags},
    }


def _make_topic_policy(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    arn, policy = inputs.need("arn"), inputs.need("policy")
    inputs.finish()
    account.call("sns", "set_topic_attributes", TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    return {"id": arn}


def _change_topic_policy(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    return _make_topic_policy(account, inputs, tags)


def _read_topic_policy(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    return {"arn": outputs["arn"], "policy": json.loads(_topic(account, outputs["arn"])["Policy"])}


def _make_subscription(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    request = inputs.rest({"topic": "TopicArn"})
    made = account.call("sns", "subscribe", **request, ReturnSubscriptionArn=True)
    return {"id": made["SubscriptionArn"], "arn": made["SubscriptionArn"]}


def _read_subscription(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = account.call("sns", "get_subscription_attributes", SubscriptionArn=outputs["arn"])["Attributes"]
    return {"topic": found["TopicArn"], "protocol": found["Protocol"], "endpoint": found["Endpoint"]}


_ALARM = {"name": "AlarmName", "okActions": "OKActions", "metricQueries": "Metrics"}


def _make_alarm(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    queries = [_query(query) for query in inputs.take("metricQueries", default=[])]
    dimensions = inputs.take("dimensions")
    request = inputs.rest(_ALARM)
    if queries:
        request["Metrics"] = queries
    if dimensions:
        request["Dimensions"] = _dimensions(dimensions)
    account.call("cloudwatch", "put_metric_alarm", **request, Tags=tag_list(tags))
    name = request["AlarmName"]
    return {"id": name, "arn": _alarm(account, name)["AlarmArn"]}


def _query(query: Mapping[str, Any]) -> Request:
    """Return a metric query as CloudWatch takes it, which keeps what is asked of a metric apart from the metric."""
    metric = dict(query.get("metric") or {})
    if not metric:
        named = renamed(dict(query), {}, frozenset())
        assert isinstance(named, dict)
        return named
    asked = {"Period": metric.pop("period"), "Stat": metric.pop("stat")}
    named = renamed({**metric, "dimensions": _dimensions(metric.get("dimensions", {}))}, {}, frozenset())
    # The others of a query return nothing: that is CloudWatch's way to know which one is watched.
    return {"Id": query["id"], "MetricStat": {"Metric": named, **asked}, "ReturnData": False}


def _dimensions(given: Mapping[str, str]) -> list[dict[str, str]]:
    return tag_list(given, "Name")


def _change_alarm(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    return _make_alarm(account, inputs, tags)


def _alarm(account: Account, name: str) -> dict[str, Any]:
    (found,) = account.call("cloudwatch", "describe_alarms", AlarmNames=[name])["MetricAlarms"]
    alarm: dict[str, Any] = found
    return alarm


def _read_alarm(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = _alarm(account, outputs["name"])
    tags = account.call("cloudwatch", "list_tags_for_resource", ResourceARN=outputs["arn"])["Tags"]
    read: dict[str, Any] = lowered(found, _ALARM)
    return {
        **read,
        "dimensions": _by_name(found.get("Dimensions", [])),
        "metricQueries": [_told(query) for query in found.get("Metrics", [])],
        "tags": {tag["Key"]: tag["Value"] for tag in tags},
    }


def _told(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return a metric query as Pulumi has it."""
    told: dict[str, Any] = {"id": query["Id"]}
    if "MetricStat" not in query:
        return {**told, "expression": query["Expression"], "label": query["Label"], "returnData": True}
    asked, metric = query["MetricStat"], query["MetricStat"]["Metric"]
    inner = {"namespace": metric["Namespace"], "metricName": metric["MetricName"]}
    dimensions = _by_name(metric["Dimensions"])
    return {
        **told,
        "metric": {**inner, "dimensions": dimensions, "period": asked["Period"], "stat": asked["Stat"]},
    }


def _by_name(dimensions: list[dict[str, str]]) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in dimensions}


def _remove_alarm(account: Account, outputs: Outputs) -> None:
    account.call("cloudwatch", "delete_alarms", AlarmNames=[outputs["name"]])


def _make_dashboard(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    request = inputs.rest({})
    account.call("cloudwatch", "put_dashboard", **request)
    name = request["DashboardName"]
    return {"id": name, "dashboardArn": _dashboard(account, name)["DashboardArn"]}


def _change_dashboard(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    return _make_dashboard(account, inputs, tags)


def _dashboard(account: Account, name: str) -> dict[str, str]:
    found: dict[str, str] = account.call("cloudwatch", "get_dashboard", DashboardName=name)
    return found


def _read_dashboard(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = _dashboard(account, outputs["dashboardName"])
    return {"dashboardName": found["DashboardName"], "dashboardBody": json.loads(found["DashboardBody"])}


def _remove_dashboard(account: Account, outputs: Outputs) -> None:
    account.call("cloudwatch", "delete_dashboards", DashboardNames=[outputs["dashboardName"]])


def _make_budget(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    budget = {
        "BudgetName": inputs.need("name"),
        "BudgetType": inputs.need("budgetType"),
        "TimeUnit": inputs.need("timeUnit"),
        "BudgetLimit": {"Amount": inputs.need("limitAmount"), "Unit": inputs.need("limitUnit")},
        "FilterExpression": renamed(inputs.need("filterExpression"), {"ands": "And"}, frozenset()),
        "Metrics": [inputs.need("metrics")],
    }
    alerts = [_alert(dict(given)) for given in inputs.need("notifications")]
    inputs.finish()
    account.call(
        "budgets",
        "create_budget",
        AccountId=ACCOUNT,
        Budget=budget,
        NotificationsWithSubscribers=alerts,
        ResourceTags=tag_list(tags),
    )
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/{budget['BudgetName']}"
    return {"id": f"{ACCOUNT}:{budget['BudgetName']}", "accountId": ACCOUNT, "arn": arn}


def _alert(given: dict[str, Any]) -> Request:
    addresses = given.pop("subscriberEmailAddresses")
    subscribers = [{"SubscriptionType": "EMAIL", "Address": address} for address in addresses]
    return {"Notification": renamed(given, {}, frozenset()), "Subscribers": subscribers}


def _read_budget(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    which = {"AccountId": ACCOUNT, "BudgetName": outputs["name"]}
    found = account.call("budgets", "describe_budget", **which)["Budget"]
    alerts = account.call("budgets", "describe_notifications_for_budget", **which)["Notifications"]
    # Whom they are sent to, and the tags, moto 5.2 takes and gives back nowhere.
    told = [
        {**lowered(alert, {}), "subscriberEmailAddresses": given["subscriberEmailAddresses"]}
        for alert, given in zip(alerts, outputs["notifications"], strict=True)
    ]
    return {
        "name": found["BudgetName"],
        "budgetType": found["BudgetType"],
        "timeUnit": found["TimeUnit"],
        "limitAmount": found["BudgetLimit"]["Amount"],
        "limitUnit": found["BudgetLimit"]["Unit"],
        "filterExpression": lowered(found["FilterExpression"], {"ands": "And"}),
        "metrics": found["Metrics"][0],
        "notifications": told,
        "tags": outputs["tagsAll"],
    }


def _remove_budget(account: Account, outputs: Outputs) -> None:
    account.call("budgets", "delete_budget", AccountId=ACCOUNT, BudgetName=outputs["name"])


KINDS = {
    "aws:kms/key:Key": Kind(
        _make_key, _remove_key, ("keyId", "arn"), change=_change_key, read=_read_key, tagged=True
    ),
    "aws:sns/topic:Topic": Kind(
        _make_topic,
        lambda account, outputs: account.call("sns", "delete_topic", TopicArn=outputs["arn"]),
        ("arn",),
        named="name",
        read=_read_topic,
        tagged=True,
    ),
    "aws:sns/topicPolicy:TopicPolicy": Kind(
        _make_topic_policy,
        lambda account, outputs: None,  # goes with its topic
        change=_change_topic_policy,
        anew=frozenset({"arn"}),
        read=_read_topic_policy,
    ),
    "aws:sns/topicSubscription:TopicSubscription": Kind(
        _make_subscription,
        lambda account, outputs: account.call("sns", "unsubscribe", SubscriptionArn=outputs["arn"]),
        ("arn",),
        read=_read_subscription,
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Kind(
        _make_alarm,
        _remove_alarm,
        ("arn",),
        named="name",
        change=_change_alarm,
        anew=frozenset({"name"}),
        read=_read_alarm,
        tagged=True,
    ),
    "aws:cloudwatch/dashboard:Dashboard": Kind(
        _make_dashboard,
        _remove_dashboard,
        ("dashboardArn",),
        change=_change_dashboard,
        anew=frozenset({"dashboardName"}),
        read=_read_dashboard,
    ),
    "aws:budgets/budget:Budget": Kind(
        _make_budget, _remove_budget, ("accountId",), named="name", read=_read_budget, tagged=True
    ),
}
