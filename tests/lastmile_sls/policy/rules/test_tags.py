"""Tags."""

from __future__ import annotations

from lastmile_sls.policy.resource import UNKNOWN
from lastmile_sls.policy.rules.tags import TAGS, taggable
from tests.lastmile_sls.policy.judged import problems

WANTED = {
    "model": {},
    "environment": {"allowed": ["dev", "prod"]},
    "cost-center": {"pattern": "[a-z]+-[0-9]+"},
}
LOGS, BUCKET, ALERT = (
    "aws:cloudwatch/logGroup:LogGroup",
    "gcp:storage/bucket:Bucket",
    "gcp:monitoring/alertPolicy:AlertPolicy",
)


def test_each_tag_is_there_with_a_value_that_is_allowed() -> None:
    right = {"model": "churn", "environment": "dev", "cost-center": "sales-0815"}
    assert problems(TAGS, LOGS, {"tags": right}, tags=WANTED) == []
    assert problems(TAGS, BUCKET, {"labels": right}, tags=WANTED) == []
    assert problems(TAGS, ALERT, {"userLabels": right}, tags=WANTED) == []
    assert problems(
        TAGS, LOGS, {"tags": {"model": "", "environment": "test", "cost-center": "7"}}, tags=WANTED
    ) == [
        "tags has no model.",
        "tags.cost-center must match [a-z]+-[0-9]+.",
        "tags.environment must be one of dev, prod.",
    ]
    assert problems(TAGS, BUCKET, {}, tags={"model": {}}) == ["labels has no model."]


def test_what_takes_none_and_what_is_not_known() -> None:
    assert problems(TAGS, "aws:iam/rolePolicy:RolePolicy", {}, tags=WANTED) == []
    assert problems(TAGS, LOGS, {}) == []
    assert problems(TAGS, LOGS, {"tags": UNKNOWN}, tags={"model": {}}) == [
        "? tags.model is known only after creation."
    ]
    assert problems(TAGS, LOGS, {"tags": {"model": UNKNOWN}}, tags={"model": {}}) == [
        "? tags.model is known only after creation."
    ]


def test_the_table_has_every_cloud() -> None:
    table = taggable()
    assert {type_.partition(":")[0] for type_ in table} == {"aws", "gcp", "azure-native"}
    assert {*table.values()} == {"tags", "labels", "userLabels", "resourceLabels"}
    assert table["azure-native:web:WebApp"] == "tags"
    assert table["gcp:monitoring/notificationChannel:NotificationChannel"] == "userLabels"
