"""Looking into a resource's inputs."""

from __future__ import annotations

import copy

from lastmile_sls.policy.resource import (
    UNKNOWN,
    at,
    document,
    is_named,
    items,
    of_type,
    plain_type,
    statements,
    tag_of,
)
from tests.lastmile_sls.policy.judged import made


def test_paths() -> None:
    inputs = {"a": {"b": [1, 2], "c": UNKNOWN}, "d": None}
    assert (at(inputs, "a.b"), at(inputs, "a.x"), at(inputs, "d.e"), at(inputs, "a.b.c")) == (
        [1, 2],
        None,
        None,
        None,
    )
    assert at(inputs, "a.c.deep.below") is UNKNOWN
    assert (items(inputs, "a.b"), items(inputs, "a.c"), items(inputs, "a.x")) == ([1, 2], [UNKNOWN], [])
    assert copy.deepcopy(inputs)["a"]["c"] is UNKNOWN  # type: ignore[index]  # a dict there, and None elsewhere
    assert repr(UNKNOWN) == "UNKNOWN"


def test_azures_types_have_no_version() -> None:
    assert plain_type("azure-native:storage/v20240101preview:Queue") == "azure-native:storage:Queue"
    assert plain_type("azure-native:storage:Queue") == "azure-native:storage:Queue"
    assert plain_type("aws:s3/bucket:Bucket") == "aws:s3/bucket:Bucket"


def test_resources() -> None:
    bucket = made("aws:s3/bucket:Bucket", "churn-prod-state", tags={"model": "churn"})
    provider = made("pulumi:providers:azure-native", "churn")
    assert (bucket.cloud, provider.cloud) == ("aws", "azure-native")
    assert str(bucket) == "Bucket churn-prod-state"
    assert of_type([bucket, provider], "aws:s3/bucket:Bucket") == [bucket]
    assert (tag_of(bucket, "model"), tag_of(bucket, "owner"), tag_of(provider, "model")) == (
        "churn",
        None,
        None,
    )
    assert is_named(bucket, ["churn-prod"])
    assert is_named(provider, ["churn"])
    assert not is_named(bucket, ["churn-pro", "other"])


def test_documents() -> None:
    assert document('{"a": 1}') == {"a": 1}
    assert document("{") is None
    assert document(UNKNOWN) is UNKNOWN
    assert list(statements({"Statement": {"Effect": "Deny"}})) == [{"Effect": "Deny"}]
    assert list(statements({"Statement": [{"Effect": "Deny"}, "text"]})) == [{"Effect": "Deny"}]
    assert list(statements(None)) == []
