"""The file of parameters: its defaults, its mistakes, its schema."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from lastmile_sls.errors import LastmileError
from lastmile_sls.policy.parameters import Parameters, json_schema, load
from tests.examples.projects import FOLDER

BAD = """
tagz: {}
tags: {model: {allowed: []}, x: {pattern: "["}}
regions: {aws: eu-west-1, asure: [x]}
logs: {min_days: 90, max_days: 7}
functions: {max_memory_mb: "512"}
rules: {memory: maybe}
"""


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lastmile.policy.yaml"
    path.write_text(BAD)
    with pytest.raises(LastmileError) as caught:
        load(path)
    assert sorted(caught.value.message.splitlines()) == [
        f"{path}: functions.max_memory_mb is '512', but: input should be a valid integer.",
        f"{path}: logs has min_days 90, but max_days 7.",
        f"{path}: regions.asure is not a parameter. Did you mean azure?",
        f"{path}: regions.aws is 'eu-west-1', but: input should be a valid tuple.",
        f"{path}: rules.memory is 'maybe', but: input should be 'mandatory', 'advisory' or 'off'.",
        f"{path}: tags.model.allowed is [], but: tuple should have at least 1 item after validation, not 0.",
        f"{path}: tags.x.pattern must be a regular expression: unterminated character set at position 0.",
        f"{path}: tagz is not a parameter. Did you mean tags?",
    ]
    assert caught.value.hint == "lastmile policy schema prints what the file may hold."


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(LastmileError, match=r"nowhere.yaml cannot be read: No such file or directory\."):
        load(tmp_path / "nowhere.yaml")
    path = tmp_path / "p.yaml"
    path.write_text("a: [")
    with pytest.raises(LastmileError, match="is no YAML"):
        load(path)
    path.write_text("[1]")
    with pytest.raises(LastmileError, match="it is \\[1\\], but: input should be a valid dictionary"):
        load(path)


def test_off_is_a_word_with_and_without_quotes(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("rules: {memory: off, tags: 'off', budget: advisory}")
    assert load(path).rules == {"memory": "off", "tags": "off", "budget": "advisory"}
    path.write_text("# nothing")
    assert load(path) == Parameters()


def test_the_schema_takes_what_the_file_may_hold() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    content = yaml.safe_load((FOLDER / "policy.yaml").read_text())
    jsonschema.validate(content, schema)
    assert load(FOLDER / "policy.yaml") == Parameters.model_validate(content)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"rules": {"no-such-rule": "off"}}, schema)
    assert schema["$id"] == "urn:lastmile:policy:1"
