"""Every field that the local target cannot carry out is refused with its value and the way out."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.targets.local import Machine, refusals
from lastmile_sls.targets.refusal import refuse
from tests.lastmile_sls.specs import make_spec

MACHINE = Machine(memory_mb=8000, processor="x86_64")
LATER = "lastmile 0.1 does not carry it on the local target"


def test_a_plain_spec_fits() -> None:
    assert refusals(make_spec(), MACHINE) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"endpoint": {"auth": "iam"}}, f"endpoint.auth is 'iam', but {LATER}. Use key, jwt or public."),
        (
            {"endpoint": {"domain": "a.example"}},
            "endpoint.domain is 'a.example', but the local target is reached on this machine only. Take it out.",
        ),
        (
            {"resources": {"memory_mb": 9000}},
            "resources.memory_mb is 9000, but this machine has 8000 MB. Lower it.",
        ),
        (
            {"resources": {"processor": "arm64"}},
            "resources.processor is 'arm64', but this machine is x86_64. Take it out, or deploy to a cloud.",
        ),
        (
            {"schedule": {"cron": "0 * * * *", "input": "in", "output": "out"}},
            f"schedule is {{'cron': '0 * * * *', 'input': 'in', 'output': 'out'}}, but {LATER}. Take it out.",
        ),
        ({"budget": {"monthly_limit": 5}}, f"budget is {{'monthly_limit': 5.0}}, but {LATER}. Take it out."),
    ],
)
def test_refused(changes: dict[str, Any], told: str) -> None:
    assert [str(refusal) for refusal in refusals(make_spec(**changes), MACHINE)] == [told]


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (
            {"artifact": "s3://b/m.onnx", "framework": "onnx"},
            f"versions[0].artifact is 's3://b/m.onnx', but {LATER}. Fetch the file and name its path.",
        ),
    ],
)
def test_versions_refused(version: dict[str, Any], told: str) -> None:
    spec = make_spec(versions=[{"id": "v1", **version}], traffic={})
    assert [str(refusal) for refusal in refusals(spec, MACHINE)] == [told]


def test_all_refusals_are_told_at_once() -> None:
    spec = make_spec(
        schedule={"cron": "0 * * * *", "input": "in", "output": "out"}, budget={"monthly_limit": 5}
    )
    with pytest.raises(LastmileError) as caught:
        refuse("local", refusals(spec, MACHINE))
    first, *rest = caught.value.message.splitlines()
    assert first == "the target local cannot carry this spec:"
    assert [line.split()[0] for line in rest] == ["schedule", "budget"]
