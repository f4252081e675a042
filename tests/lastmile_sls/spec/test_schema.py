from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml

from lastmile_sls.spec.schema import json_schema
from tests.lastmile_sls.spec.specs import FULL, SMALL


def errors(text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(json_schema())
    return [error.message for error in validator.iter_errors(yaml.safe_load(text))]


def test_it_is_a_schema_and_always_the_same() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert (schema["$id"], schema["title"]) == ("urn:lastmile:spec:1", "lastmile.yaml")
    assert json.dumps(schema) == json.dumps(json_schema())


def test_every_field_is_described() -> None:
    schema = json_schema()
    sections: list[dict[str, Any]] = [schema, *schema["$defs"].values()]
    undescribed = [
        f"{section['title']}.{name}"
        for section in sections
        for name, field in section["properties"].items()
        if "description" not in field and "$ref" not in field  # a section's own description stands there
    ]
    assert undescribed == []


@pytest.mark.parametrize("text", [SMALL, FULL])
def test_specs_are_valid(text: str) -> None:
    assert errors(text) == []


def test_misspellings_are_not() -> None:
    assert errors(SMALL.replace("owner", "ownr")) == [
        "Additional properties are not allowed ('ownr' was unexpected)",
        "'owner' is a required property",
    ]
