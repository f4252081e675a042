"""Azure's cost export, which no type of Pulumi's has, is held against Microsoft's models; AWS's bucket against IAM."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from lastmile_infra.aws.policies import Place
from lastmile_infra.bootstrap.aws import export_bucket_policy
from tests.clouds.api_models import azure
from tests.clouds.api_models.mapping import CloudModel, map_record
from tests.clouds.stacks import read_golden
from tests.clouds.wire import Record
from tests.conformance.iam.evaluator import Question, ask
from tests.lastmile_infra.bootstrap.test_stacks import GOLDEN

pytestmark = pytest.mark.conformance
EXPORT = "Microsoft.CostManagement/exports"
_ENVELOPE = "the template's own: which resource it is, and in which version of the API"
MODEL = CloudModel(
    "azure",
    azure.load,
    {EXPORT: ("costmanagement:Export",)},
    {},
    {(EXPORT, key): _ENVELOPE for key in ("type", "apiVersion", "name")},
)
BUCKET = "lastmile-billing-123456789012-eu-west-1"


def exported() -> dict[str, Any]:
    """Return the export that the template of the golden file makes."""
    deployments = [r for r in read_golden(GOLDEN / "azure.json") if "Deployment" in r.type]
    (deployment,) = deployments
    template = deployment.inputs["properties"]["template"]
    (resource,) = template["resources"]
    found: dict[str, Any] = resource
    return found


def told(resource: dict[str, Any]) -> list[str]:
    return [str(finding) for finding in map_record(MODEL, Record(EXPORT, "focus", resource)).findings]


def test_the_export_is_one_of_microsofts() -> None:
    from azure.mgmt.costmanagement import CostManagementClient
    from azure.mgmt.costmanagement.models import Export

    resource = exported()
    assert told(resource) == []
    client = CostManagementClient(object(), "an-id")  # nothing is sent, so nobody signs in
    assert resource["apiVersion"] == client._config.api_version == "2025-03-01"
    read = Export({key: resource[key] for key in ("location", "identity", "properties")})
    assert read.properties.definition.type == "FocusCost"
    assert read.properties.delivery_info.destination.container == "billing"


def test_a_mistake_in_the_export_is_found() -> None:
    wrong = copy.deepcopy(exported())
    wrong["properties"]["definition"]["type"] = "FocusCosts"
    wrong["properties"]["deliveryInfo"]["destination"]["folder"] = "focus"
    wrong["properties"]["partitionData"] = "yes"
    assert [line.partition("; ")[0].partition(" in ")[0] for line in sorted(told(wrong))] == [
        'properties.definition.type: is "FocusCosts"',
        "properties.deliveryInfo.destination.folder: has no counterpart",
        'properties.partitionData: is string "yes"',
    ]


def question(**changes: Any) -> Question:
    policy = json.loads(export_bucket_policy(Place("eu-west-1", "123456789012"), BUCKET))
    asked: dict[str, Any] = {
        "action": "s3:PutObject",
        "resource": f"arn:aws:s3:::{BUCKET}/focus/lastmile-focus/data/part.parquet",
        "resource_policy": policy,
        "principal": "bcm-data-exports.amazonaws.com",
        "context": {
            "aws:SecureTransport": "true",
            "aws:SourceAccount": "123456789012",
            "aws:SourceArn": "arn:aws:bcm-data-exports:us-east-1:123456789012:export/lastmile-focus-1",
        },
    }
    return Question(**{**asked, **changes})


def test_data_exports_writes_this_accounts_bills_and_nobody_else() -> None:
    context = question().context
    other = {**context, "aws:SourceAccount": "999999999999"}
    stranger = {**context, "aws:SourceArn": "arn:aws:bcm-data-exports:us-east-1:999999999999:export/x"}
    in_clear = {**context, "aws:SecureTransport": "false"}
    assert ask(
        [
            question(),
            question(context=other),
            question(context=stranger),
            question(context=in_clear),
            question(action="s3:GetObject"),
            question(principal="billingreports.amazonaws.com"),
        ]
    ) == [True, False, False, False, False, False]
