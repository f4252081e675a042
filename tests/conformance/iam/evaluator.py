"""Asks an evaluator of AWS policies that others wrote: `@cloud-copilot/iam-simulate`, which Node runs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.aws.account import ACCOUNT

NODE = Path(__file__).parents[1] / "node"
_TIMEOUT_S = 300


class NonsenseError(Exception):
    """A question that AWS would not understand: no such action, no such kind of resource, a policy that is none."""


@dataclass(frozen=True)
class Question:
    """May somebody do something?"""

    action: str
    resource: str
    """An ARN."""
    identity: Sequence[Mapping[str, Any]] = ()
    """The policies of whoever asks."""
    resource_policy: Mapping[str, Any] | None = None
    """The policy of what is asked for."""
    context: Mapping[str, str] = field(default_factory=dict)
    principal: str = f"arn:aws:sts::{ACCOUNT}:assumed-role/predict/predict"


def ask(questions: Sequence[Question]) -> list[bool]:
    """Return whether each is allowed, all asked at once. Raises NonsenseError; skips without Node or its package."""
    if not questions:
        return []
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not on PATH")
    if not (NODE / "node_modules" / "@cloud-copilot" / "iam-simulate").is_dir():
        pytest.skip(f"{NODE} has no node_modules (make conformance puts them there)")
    sent = json.dumps([_sent(question) for question in questions])
    done = subprocess.run(
        [node, "simulate.mjs"],
        input=sent,
        cwd=NODE,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [_allowed(*pair) for pair in zip(questions, json.loads(done.stdout), strict=True)]


def _sent(question: Question) -> dict[str, Any]:
    return {
        "principal": question.principal,
        "action": question.action,
        "resource": question.resource,
        "account": ACCOUNT,
        "context": dict(question.context),
        "identity": list(question.identity),
        "resource_policy": question.resource_policy,
    }


def _allowed(question: Question, answer: Mapping[str, Any]) -> bool:
    if "error" in answer:
        raise NonsenseError(f"{question.action} on {question.resource}: {answer['error']}")
    return bool(answer["allowed"])
