"""Judges made-up resources by one rule, and says what was found in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lastmile_sls.policy.parameters import Parameters
from lastmile_sls.policy.resource import STACK, Resource
from lastmile_sls.policy.rule import Rule
from lastmile_sls.policy.verdict import judge_by

PREFIX = "urn:pulumi:dev::models::"
UNKNOWN_YET = "? "
"""Begins what is known only after creation."""


def made(type_: str, name: str = "it", /, **inputs: Any) -> Resource:
    return Resource(type_, name, f"{PREFIX}{type_}::{name}", inputs)


def stack() -> Resource:
    return made(STACK, "models-dev")


def found(rule: Rule, resources: Sequence[Resource], **parameters: Any) -> list[str]:
    """Return `NAME: PROBLEM` for each verdict, with a question mark before what is not known."""
    return sorted(
        f"{UNKNOWN_YET if verdict.outcome == 'unknown' else ''}{verdict.name}: {verdict.problem}"
        for verdict in judge_by(rule, resources, Parameters.model_validate(parameters))
    )


def problems(rule: Rule, type_: str, inputs: dict[str, Any], **parameters: Any) -> list[str]:
    """Return the problems of one resource."""
    return [text.replace("it: ", "", 1) for text in found(rule, [made(type_, **inputs)], **parameters)]
