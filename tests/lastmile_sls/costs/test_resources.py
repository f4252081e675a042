"""Ids as bills have them, against what stacks say of themselves."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_sls.costs.resources import Owner, Owners
from tests.lastmile_sls.costs.exports import FUNCTION, RUN, SITE, SUBSCRIPTION

AWS: dict[str, Any] = {
    "deployment": "churn-prod",
    "target": "aws",
    "region": "eu-west-1",
    "account": "123456789012",
    "url": "https://abc123.execute-api.eu-west-1.amazonaws.com",
    "versions": ["v1", "v2"],
    "functions": {"predict": FUNCTION, "predict-v2": f"{FUNCTION}-v2"},
    "bucket": "s3://churn-prod-store",
    "logs": {"predict": "/aws/lambda/churn-prod-predict", "predict-v2": "/aws/lambda/churn-prod-predict-v2"},
    "queue": {"jobs": "https://sqs.eu-west-1.amazonaws.com/123456789012/churn-prod-jobs"},
    "schedule": "arn:aws:scheduler:eu-west-1:123456789012:schedule/default/churn-prod",
    "alarms": {"errors": "churn-prod-errors"},
}
GOOGLE: dict[str, Any] = {
    "deployment": "churn-prod",
    "target": "gcp",
    "versions": ["v1"],
    "functions": {"predict": RUN.removeprefix("//run.googleapis.com/")},
    "bucket": "gs://churn-prod-store",
    "queue": {"topic": "projects/acme-models/topics/churn-prod"},
}
AZURE: dict[str, Any] = {
    "deployment": "churn-prod",
    "target": "azure",
    "versions": ["v1"],
    "functions": {"predict": SITE},
    "bucket": "az://churnprod/store",
}
ARN = "arn:aws:{}:eu-west-1:123456789012:{}"


@pytest.mark.parametrize(
    ("outputs", "id_", "version"),
    [
        (AWS, FUNCTION, None),
        (AWS, f"{FUNCTION}:live", None),
        (AWS, f"{FUNCTION}-v2:17", "v2"),
        (AWS, ARN.format("logs", "log-group:/aws/lambda/churn-prod-predict:*"), None),
        (AWS, ARN.format("logs", "log-group:/aws/lambda/churn-prod-predict-v2"), "v2"),
        (AWS, ARN.format("sqs", "churn-prod-jobs"), None),
        (AWS, ARN.format("scheduler", "schedule/default/churn-prod"), None),
        (AWS, ARN.format("cloudwatch", "alarm:churn-prod-errors"), None),
        (AWS, "arn:aws:apigateway:eu-west-1::/apis/abc123/stages/$default", None),
        (AWS, "arn:aws:execute-api:eu-west-1:123456789012:abc123/*", None),
        (AWS, "churn-prod-store", None),
        (AWS, "arn:aws:s3:::churn-prod-store", None),
        (GOOGLE, RUN, "v1"),
        (GOOGLE, f"{RUN}/revisions/churn-prod-predict-00007", "v1"),
        (GOOGLE, RUN.replace("acme-models", "4711"), "v1"),
        (GOOGLE, "//pubsub.googleapis.com/projects/4711/topics/churn-prod", None),
        (GOOGLE, "//storage.googleapis.com/projects/_/buckets/churn-prod-store", None),
        (AZURE, SITE.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), "v1"),
        (AZURE, f"{SITE}/slots/x", "v1"),
        (
            AZURE,
            f"{SUBSCRIPTION}/resourcegroups/CHURN-PROD/providers/microsoft.insights/components/churn-prod",
            None,
        ),
    ],
)
def test_whose_a_resource_is(outputs: dict[str, Any], id_: str, version: str | None) -> None:
    assert Owners([outputs]).of(id_) == Owner("churn-prod", "churn", "prod", version)


@pytest.mark.parametrize(
    "id_",
    [
        FUNCTION.replace("123456789012", "999999999999"),
        FUNCTION.replace("eu-west-1", "us-east-1"),
        f"{FUNCTION}-other",
        ARN.format("sqs", "churn-prod-jobs-2"),
        RUN.replace("acme-models", "other-project"),
        RUN.replace("europe-west1", "us-central1"),
        f"{SUBSCRIPTION}/resourceGroups/churn-prod-2/providers/Microsoft.Web/sites/churn-prod",
        SUBSCRIPTION,
        "arn:aws:lambda",
        "//compute.googleapis.com/projects/4711/zones/x",
        "i-0123",
        "",
    ],
)
def test_what_no_stack_has(id_: str) -> None:
    assert Owners([AWS, GOOGLE, AZURE]).of(id_) is None


def test_tags_say_where_the_model_ends_and_a_shared_bucket_is_nobodys() -> None:
    owners = Owners([{**AWS, "bucket": "s3://shared/churn-prod"}], [("churn", "prod"), ("other", "dev")])
    assert owners.of("shared") is None
    assert Owners([{**GOOGLE, "deployment": "fraud-eu-test"}], [("fraud", "eu-test")]).of(RUN) == Owner(
        "fraud-eu-test", "fraud", "eu-test", "v1"
    )
    assert not Owners([])


def test_versions_that_share_a_function_are_not_told_apart() -> None:
    shared = {**AWS, "versions": ["v1", "v2", "v3"]}
    found = Owners([shared]).of(f"{FUNCTION}-v2")
    assert found is not None
    assert found.version is None
