"""The tags that everything must have which takes any."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lastmile_sls.policy.parameters import Parameters, Tag
from lastmile_sls.policy.resource import UNKNOWN, Resource, at
from lastmile_sls.policy.rule import Problem, Rule, unknown

_TABLE = Path(__file__).parents[1] / "taggable.txt"


@cache
def taggable() -> Mapping[str, str]:
    """Return the input that takes tags, `tags` or `labels`, by type; types that take none are not in it."""
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines if not line.startswith("#"))


def _judge(resource: Resource, parameters: Parameters) -> Iterator[Problem]:
    field = taggable().get(resource.type)
    if field is None:
        return
    for name, rule in parameters.tags.items():
        problem = _of(at(resource.inputs, field), field, name, rule)
        if problem is not None:
            yield problem


def _of(tags: Any, field: str, name: str, rule: Tag) -> Problem | None:
    value = tags if tags is UNKNOWN else (tags or {}).get(name)
    if value is UNKNOWN:
        return unknown(f"{field}.{name}")
    if value is None or str(value) == "":
        return Problem(f"{field} has no {name}.")
    if rule.allowed is not None and str(value) not in rule.allowed:
        return Problem(f"{field}.{name} must be one of {', '.join(rule.allowed)}.")
    if rule.pattern is not None and not re.fullmatch(rule.pattern, str(value)):
        return Problem(f"{field}.{name} must match {rule.pattern}.")
    return None


TAGS = Rule(
    id="tags",
    demands="Everything that takes tags has the required ones, with a value that is allowed.",
    fix="The spec's name, environment, owner and cost_center become the tags model, environment, owner and cost-center: "
    "correct them there; elsewhere add the tag.",
    of_resource=_judge,
)
