"""What an account's bootstrap has beside buckets and images: the key's alias on moto, and the bill's own services.

moto has neither Data Exports nor Cost Explorer's tags and anomalies. What would be sent there is held against AWS's own
model, as botocore carries it, and then answered here.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from tests.conformance.aws.account import ACCOUNT, Account
from tests.conformance.aws.kind import Kind, Outputs, Request
from tests.conformance.aws.requests import Inputs, renamed, tag_list


def sent(account: Account, service: str, operation: str, request: Request) -> None:
    """Hold a request against AWS's model. Raises botocore's ParamValidationError for one that it does not allow."""
    from botocore.exceptions import ParamValidationError
    from botocore.validate import ParamValidator

    shape = account.client(service).meta.service_model.operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


def _make_alias(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    name, key = inputs.need("name"), inputs.need("targetKeyId")
    inputs.finish()
    account.call("kms", "create_alias", AliasName=name, TargetKeyId=key)
    arn = f"arn:aws:kms:{account.region}:{ACCOUNT}"
    return {"id": name, "arn": f"{arn}:{name}", "targetKeyArn": f"{arn}:key/{key}"}


def _read_alias(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    aliases = account.pages("kms", "list_aliases", "Aliases")
    found = next(alias for alias in aliases if alias["AliasName"] == outputs["name"])
    return {"targetKeyId": found["TargetKeyId"]}


def _export(inputs: Inputs, tags: Mapping[str, str]) -> Request:
    """Return CreateExport's request: what Terraform has in lists of one the API has by itself."""
    given = inputs.need("export")
    (query,), (destination,) = given["dataQueries"], given["destinationConfigurations"]
    (place,), (cadence,) = destination["s3Destinations"], given["refreshCadences"]
    (output,) = place["s3OutputConfigurations"]
    asked = renamed({**query}, {}, frozenset({"TableConfigurations"}))
    s3 = renamed(
        {key: value for key, value in place.items() if key != "s3OutputConfigurations"}, {}, frozenset()
    )
    s3["S3OutputConfigurations"] = renamed(output, {}, frozenset())
    whole = {
        "Name": given["name"],
        "DataQuery": asked,
        "DestinationConfigurations": {"S3Destination": s3},
        "RefreshCadence": renamed(cadence, {}, frozenset()),
    }
    return {"Export": whole, "ResourceTags": tag_list(tags)}


def _make_export(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    request = _export(inputs, tags)
    inputs.finish()
    sent(account, "bcm-data-exports", "CreateExport", request)
    bucket = request["Export"]["DestinationConfigurations"]["S3Destination"]["S3Bucket"]
    account.call("s3", "head_bucket", Bucket=bucket)
    return _named("bcm-data-exports", f"export/{request['Export']['Name']}")


def _activate(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    key, status = inputs.need("tagKey"), inputs.need("status")
    inputs.finish()
    request = {"CostAllocationTagsStatus": [{"TagKey": key, "Status": status}]}
    sent(account, "ce", "UpdateCostAllocationTagsStatus", request)
    return {"id": key, "type": "UserDefined"}


def _make_monitor(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    specification = json.loads(inputs.need("monitorSpecification"))
    monitor = {
        "MonitorName": inputs.need("name"),
        "MonitorType": inputs.need("monitorType"),
        "MonitorSpecification": _said(specification),
    }
    inputs.finish()
    sent(account, "ce", "CreateAnomalyMonitor", {"AnomalyMonitor": monitor, "ResourceTags": tag_list(tags)})
    return _named("ce", "anomalymonitor")


def _make_alerts(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    threshold = inputs.need("thresholdExpression")["dimension"]
    subscription = {
        "SubscriptionName": inputs.need("name"),
        "Frequency": inputs.need("frequency"),
        "MonitorArnList": inputs.need("monitorArnLists"),
        "Subscribers": [renamed(one, {}, frozenset()) for one in inputs.need("subscribers")],
        "ThresholdExpression": {"Dimensions": renamed(threshold, {}, frozenset())},
    }
    inputs.finish()
    request = {"AnomalySubscription": subscription, "ResourceTags": tag_list(tags)}
    sent(account, "ce", "CreateAnomalySubscription", request)
    return {**_named("ce", "anomalysubscription"), "accountId": ACCOUNT}


def _said(value: Any) -> Any:
    """Return a document without what it leaves unsaid."""
    if not isinstance(value, dict):
        return value
    return {key: _said(item) for key, item in value.items() if item is not None}


def _named(service: str, resource: str) -> Outputs:
    arn = f"arn:aws:{service}:us-east-1:{ACCOUNT}:{resource}-{uuid.uuid4()}"
    return {"id": arn, "arn": arn}


def _forget(account: Account, outputs: Outputs) -> None:
    """Remove nothing: it was answered here, and never made."""


def _answered(make: Callable[[Account, Inputs, Mapping[str, str]], Outputs], *, tagged: bool) -> Kind:
    return Kind(make, _forget, ("arn",), tagged=tagged)


KINDS = {
    "aws:bcmdata/export:Export": _answered(_make_export, tagged=True),
    "aws:costexplorer/costAllocationTag:CostAllocationTag": _answered(_activate, tagged=False),
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": _answered(_make_monitor, tagged=True),
    "aws:costexplorer/anomalySubscription:AnomalySubscription": _answered(_make_alerts, tagged=True),
    "aws:kms/alias:Alias": Kind(
        _make_alias,
        lambda account, outputs: account.call("kms", "delete_alias", AliasName=outputs["name"]),
        ("arn", "targetKeyArn"),
        named="name",
        read=_read_alias,
    ),
}
