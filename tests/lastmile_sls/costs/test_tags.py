"""Tags in the shapes that the clouds' exports have."""

from __future__ import annotations

import json

import pytest

from lastmile_sls.costs.tags import TagSet, tag_set
from tests.lastmile_sls.costs.exports import TAGS

WHOLE = TagSet("churn", "prod", "team-a", "cc-7")


@pytest.mark.parametrize(
    "texts",
    [
        [json.dumps(TAGS)],
        [json.dumps(TAGS)[1:-1]],
        [json.dumps(TAGS)[1:-1] + ","],
        [json.dumps([{"Key": key, "Value": value} for key, value in TAGS.items()])],
        [json.dumps([{"key": key, "value": value, "x_Inherited": False} for key, value in TAGS.items()])],
        [json.dumps({f"user:{key}": value for key, value in TAGS.items()})],
        [json.dumps({f"user_{key.replace('-', '_')}": value for key, value in TAGS.items()})],
        [json.dumps({key.title(): value for key, value in TAGS.items()})],
        [None, "NULL", "", "[]", json.dumps(TAGS)],
        [json.dumps({"model": "churn", "owner": None}), json.dumps({**TAGS, "model": "other"})],
    ],
    ids=[
        "object",
        "no braces",
        "no braces, comma",
        "Google",
        "small keys",
        "user:",
        "user_",
        "case",
        "empty before",
        "two",
    ],
)
def test_every_shape_says_the_same(texts: list[str | None]) -> None:
    assert tag_set(texts) == WHOLE
    assert not tag_set(texts).missing


def test_what_is_not_there_is_named() -> None:
    assert tag_set(['{"model": "churn", "owner": ""}']).missing == ("environment", "owner", "cost-center")
    for nothing in (None, "", "NULL", "{}", "{", "[1]", '"model"', "3", '{"model": {"a": 1}}', "[" * 100_000):
        assert tag_set([nothing]) == TagSet()


def test_values_are_text_and_those_that_lastmile_wrote_are_read_back() -> None:
    text = '{"model": 4711, "environment": true, "owner": "ml_40acme_2ecom", "cost-center": 1.50}'
    assert tag_set([text]) == TagSet("4711", "true", "ml@acme.com", "1.50")
    assert tag_set(['{"owner": "ml_40acme", "managed-by": "terraform"}']).owner == "ml_40acme"
    assert tag_set(['{"owner": "team_a1"}']).owner == "team_a1"


def test_the_plain_key_counts_before_one_with_a_prefix() -> None:
    assert tag_set(['{"user:model": "old", "Model": "second", "model": "first"}']).model == "first"
    assert tag_set(['{"user:model": "old", "Model": "second"}']).model == "second"
    assert tag_set(['{"superuser:model": "x"}']).model is None
