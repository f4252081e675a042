"""Every field that the local target cannot carry out is refused with its value and the way out."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.targets.local import Machine, notes, refusals
from lastmile_sls.targets.refusal import refuse
from tests.lastmile_sls.specs import make_spec

MACHINE = Machine(memory_mb=8000, processor="x86_64", variables=frozenset({"HOME"}))
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
            {"secrets": {"DB": "churn-db", "HOME": "home"}},
            (
                "secrets.DB is 'churn-db', but this machine has no vault, and the variable DB is not set where"
                " lastmile runs. Set it there."
            ),
        ),
        (
            {"queue": {"callback": {"urls": ["https://a.example/"], "secret": "HOOKS"}}},
            (
                "queue.callback.secret is 'HOOKS', but this machine has no vault, and the variable HOOKS is not set where"
                " lastmile runs. Set it there."
            ),
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
            {"schedule": {"cron": "0 * * * *", "input": "s3://b/in", "output": "out"}},
            (
                "schedule.input is 's3://b/in', but the object store of local has URLs that begin with file://. Name one, or"
                " a folder in the deployment's bucket, such as batch/in, which every target has."
            ),
        ),
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
        endpoint={"domain": "a.example"}, schedule={"cron": "0 * * * *", "input": "in", "output": "in/out"}
    )
    with pytest.raises(LastmileError) as caught:
        refuse("local", refusals(spec, MACHINE))
    first, *rest = caught.value.message.splitlines()
    assert first == "the target local cannot carry this spec:"
    assert [line.split()[0] for line in rest] == ["endpoint.domain", "schedule.output"]


def test_what_this_machine_does_in_its_own_way() -> None:
    spec = make_spec(operations={"notify": ["ann@a.example"]}, budget={"monthly_limit": 5})
    assert [str(note) for note in notes(spec)] == [
        "operations: this machine tells nobody: see lastmile status, and /metrics",
        "budget: what runs on this machine costs nothing",
    ]
