"""What a type's schema checks and compares, and how Pulumi reads it."""

from __future__ import annotations

import json

from lastmile_sls.provider.schema import STRING, STRING_MAP, Schema, described, pulumi_schema

SCHEMA = Schema(
    token="lastmile:index:Thing",
    description="A thing.",
    inputs={
        "name": described(STRING, "Its name.", replaces=True),
        "size": described(STRING, "Its size."),
        "note": described(STRING, "A note."),
        "tags": described(STRING_MAP, "Tags."),
    },
    outputs={"value": described(STRING, "Its value.", secret=True)},
    optional=frozenset({"tags", "note"}),
    not_compared=frozenset({"note"}),
)


def test_missing_and_strange_inputs_are_named() -> None:
    assert SCHEMA.check({"name": None, "colour": "red", "__internal": ""}) == [
        ("name", "name is missing."),
        ("size", "size is missing."),
        ("colour", "colour is not an input of lastmile:index:Thing."),
    ]
    assert SCHEMA.check({"name": "a", "size": "b"}) == []


def test_what_is_compared_and_differs_has_changed() -> None:
    old = {"name": "a", "size": "b", "note": "c", "tags": {}}
    assert SCHEMA.changed(old, {"name": "a", "size": "b", "note": "d", "tags": None}) == []
    changed = SCHEMA.changed(old, {"name": "x", "size": "y", "tags": {"k": "v"}})
    assert changed == ["name", "size", "tags"]
    assert SCHEMA.replacing(changed) == ["name"]


def test_pulumi_reads_it() -> None:
    found = json.loads(pulumi_schema([SCHEMA]))
    assert found["name"] == "lastmile"
    assert found["resources"] == {
        "lastmile:index:Thing": {
            "description": "A thing.",
            "inputProperties": {
                "name": {"type": "string", "description": "Its name.", "willReplaceOnChanges": True},
                "size": {"type": "string", "description": "Its size."},
                "note": {"type": "string", "description": "A note."},
                "tags": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "description": "Tags.",
                },
            },
            "requiredInputs": ["name", "size"],
            "properties": {
                **found["resources"]["lastmile:index:Thing"]["inputProperties"],
                "value": {"type": "string", "description": "Its value.", "secret": True},
            },
            "required": ["name", "size", "value"],
        }
    }
