"""The general rules map what differs in known ways; the tables the rest; what is left is told."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_sls.engine.properties import UNKNOWN_SENTINEL, secret
from tests.clouds.api_models.mapping import CloudModel, Place, coverage, map_record
from tests.clouds.api_models.node import Bounds, Node
from tests.clouds.wire import Record

TYPE = "cloud:a:Thing"


def text(**bounds: Any) -> Node:
    return Node("Text", frozenset({"string"}), bounds=Bounds(**bounds))


def record(label: str, **members: Node) -> Node:
    return Node(label, frozenset({"record"}), members=lambda: members)


def many(item: Node, kind: str = "list") -> Node:
    return Node(f"{item.label}[]", frozenset({kind}), item=lambda: item)


MODELS = {
    "Thing": record(
        "Thing",
        Name=text(pattern="[a-z]+"),
        Rule=many(record("Rule", Size=Node("Rule.Size", frozenset({"integer"}), bounds=Bounds(maximum=9)))),
        Tags=many(record("Tag", Key=text(max_length=3), Value=text())),
        Variables=many(text(max_length=3), "map"),
        Config=record("Config", Deep=record("Deep", Mode=text(enum=("on", "off")))),
    ),
    "Other": record("Other", Title=text(), Name=text(max_length=2)),
}


def model(renames: dict[Place, str] | None = None, unmapped: dict[Place, str] | None = None) -> CloudModel:
    return CloudModel("cloud", MODELS.__getitem__, {TYPE: ("Thing", "Other")}, renames or {}, unmapped or {})


def told(inputs: dict[str, Any], **tables: Any) -> list[str]:
    return [str(finding) for finding in map_record(model(**tables), Record(TYPE, "x", inputs)).findings]


def test_one_item_stands_for_a_list_and_a_map_for_keys_and_values() -> None:
    inputs = {
        "name": "ab",
        "rules": {"size": 9},
        "tags": {"key": "value"},
        "variables": {"a": "b"},
        "config": {"deep": {"mode": "on"}},
        "title": secret("hush"),
    }
    verdict = map_record(model(), Record(TYPE, "x", inputs))
    assert verdict.findings == []
    assert {path: label for (_, path), label in verdict.mapped.items()} == {
        "name": "Text",
        "rules": "Rule[]",
        "rules.size": "Rule.Size",
        "tags": "Tag[]",
        "variables": "Text[]",
        "config": "Config",
        "config.deep": "Deep",
        "config.deep.mode": "Text",
        "title": "Text",
    }


def test_everything_is_judged_where_it_lies() -> None:
    assert told({"rules": [{"size": 1}, {"size": 10}]}) == [
        "rules[1].size: is 10; the API wants at most 9 (Rule.Size)."
    ]
    assert told({"tags": {"long": "value"}}) == [
        'tags.long: is "long", 4 characters; the API wants at most 3 (Text).'
    ]
    assert told({"variables": {"a": "long"}}) == [
        'variables.a: is "long", 4 characters; the API wants at most 3 (Text).'
    ]
    assert told({"config": {"deep": {"mode": "half"}}}) == [
        'config.deep.mode: is "half"; the API knows on, off (Text).'
    ]


def test_every_model_that_knows_an_input_judges_it() -> None:
    assert told({"name": "abc"}) == ['name: is "abc", 3 characters; the API wants at most 2 (Text).']


def test_what_is_unknown_or_not_given_is_not_judged() -> None:
    assert told({"name": UNKNOWN_SENTINEL, "title": None, "__defaults": []}) == []


def test_what_has_no_counterpart_is_told_unless_a_reason_is_listed() -> None:
    assert told({"size": 1}) == ["size: has no counterpart in Thing or Other, and no reason is listed."]
    assert told({"size": 1}, unmapped={(TYPE, "size"): "the provider's own"}) == []


@pytest.mark.parametrize("target", ["Title", "#Config.Deep.Mode", "Other#Title", "Other#"])
def test_a_rename_names_a_place_beside_from_the_root_or_elsewhere(target: str) -> None:
    found = map_record(model({(TYPE, "caption"): target}), Record(TYPE, "x", {"caption": "on"}))
    assert (TYPE, "caption") in found.mapped


def test_a_rename_of_nothing_is_an_error_of_the_table() -> None:
    with pytest.raises(LookupError, match="names #Konfig, which is not there"):
        told({"caption": "on"}, renames={(TYPE, "caption"): "#Konfig"})


def test_coverage_counts_and_tells_what_is_not_needed() -> None:
    listed = {(TYPE, "size"): "the provider's own", (TYPE, "colour"): "nobody knows"}
    found = coverage(model(unmapped=listed), [Record(TYPE, "x", {"name": "ab", "size": 1})])
    assert str(found) == (
        "cloud: 2 paths, 1 mapped, 1 with a reason\n  cloud:a:Thing size: the provider's own"
    )
    assert found.unused == ((TYPE, "colour"),)


def test_a_type_without_roots_is_told() -> None:
    found = map_record(model(), Record("cloud:a:Other", "x", {}))
    assert [str(finding) for finding in found.findings] == [
        ": cloud:a:Other has no entry in the API models of cloud: add its roots."
    ]
