"""The policy of all examples: what its rules say of an example's life, and that the pack says the same under the CLI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lastmile_sls.engine.properties import UNKNOWN_SENTINEL, reveal
from lastmile_sls.policy.parameters import load
from lastmile_sls.policy.resource import UNKNOWN, Resource, plain_type
from lastmile_sls.policy.verdict import Verdict, judge
from tests.examples.lives import Life
from tests.examples.projects import FOLDER
from tests.lastmile_policy.told import as_the_pack_tells, from_the_pack, pack_with

POLICY = FOLDER / "policy.yaml"


def pack_for(folder: Path) -> Path:
    """Write the pack with the examples' policy."""
    return pack_with(folder, POLICY)


def verdicts_on(life: Life) -> list[Verdict]:
    """Return the verdicts on what the providers were told in the first preview."""
    prefix = f"urn:pulumi:{life.program.stack}::{life.program.project}::"
    resources = [
        Resource(
            plain_type(record.type),
            record.name,
            f"{prefix}{record.parent}{'$' if record.parent else ''}{record.type}::{record.name}",
            _seen(reveal(record.inputs)),
        )
        for record in life.preview.records
    ]
    return judge(resources, load(POLICY))


def _seen(value: Any) -> Any:
    if value == UNKNOWN_SENTINEL:
        return UNKNOWN
    if isinstance(value, dict):
        return {key: _seen(item) for key, item in value.items() if not key.startswith("__")}
    return [_seen(item) for item in value] if isinstance(value, list) else value


def assert_kept(life: Life) -> None:
    """No rule stops an example."""
    assert [str(verdict) for verdict in verdicts_on(life) if verdict.stops] == []


def assert_judged_alike(life: Life) -> None:
    """The pack says under the CLI what our own rules say, of the same resources, and nothing else."""
    assert from_the_pack(life.preview.said) == as_the_pack_tells(verdicts_on(life))
