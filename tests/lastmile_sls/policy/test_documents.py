"""docs/policy.md says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from lastmile_sls.policy.parameters import Parameters
from lastmile_sls.policy.rules import RULES

DOCUMENT = (Path(__file__).parents[3] / "docs" / "policy.md").read_text(encoding="utf-8")


def test_the_table_has_every_rule() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", DOCUMENT, flags=re.MULTILINE)
    assert rows == [(rule.id, rule.demands) for rule in RULES]


def test_the_file_shown_is_one() -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", DOCUMENT, flags=re.MULTILINE | re.DOTALL)
    content = yaml.safe_load(text)
    assert Parameters.model_validate(content).functions.max_memory_mb == 4096
    assert {*content} == {*Parameters.model_fields}


def test_the_rules_on_a_whole_stack_are_named() -> None:
    (named,) = re.findall(r"those on a whole stack \(([^)]*)\)", DOCUMENT)
    assert re.findall(r"`([a-z-]+)`", named) == [rule.id for rule in RULES if rule.of_stack]
