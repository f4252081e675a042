"""What a destroy leaves is read from a stack's state, and what it takes is written into it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lastmile_sls.engine.interface import Standing
from lastmile_sls.engine.retention import retained, standing, unretained

PREFIX = "urn:pulumi:dev::churn::"


def entry(type_: str, name: str, **more: Any) -> dict[str, Any]:
    return {"urn": f"{PREFIX}{type_}::{name}", "custom": True, "type": type_, "id": f"{name}-1", **more}


STACK = {"urn": f"{PREFIX}pulumi:pulumi:Stack::churn-dev", "custom": False, "type": "pulumi:pulumi:Stack"}
PROVIDER = entry("pulumi:providers:aws", "default")
ROLE = entry("aws:iam/role:Role", "role")
BUCKET = entry(
    "aws:s3/bucket:Bucket", "artifacts", retainOnDelete=True, outputs={"bucket": "b", "forceDestroy": False}
)
VERSIONING = entry("aws:s3/bucketVersioning:BucketVersioning", "versioning", deletedWith=BUCKET["urn"])
READ = entry("aws:s3/bucket:Bucket", "theirs", external=True)


def stack(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": {"manifest": {"magic": "m"}, "resources": list(entries)}}


WHOLE = stack(STACK, PROVIDER, ROLE, BUCKET, VERSIONING, READ)


def test_what_stands_is_what_exists_outside_the_state() -> None:
    assert standing(WHOLE) == (
        Standing("aws:iam/role:Role", "role", "role-1", f"{PREFIX}aws:iam/role:Role::role"),
        Standing(
            "aws:s3/bucket:Bucket", "artifacts", "artifacts-1", f"{PREFIX}aws:s3/bucket:Bucket::artifacts"
        ),
        Standing(VERSIONING["type"], "versioning", "versioning-1", VERSIONING["urn"]),
    )


def test_a_destroy_leaves_what_is_retained_and_what_goes_with_it() -> None:
    assert [resource.name for resource in retained(WHOLE)] == ["artifacts", "versioning"]


@pytest.mark.parametrize("state", [{"deployment": {}}, {"deployment": {"resources": None}}, stack(STACK)])
def test_nothing_stands_in_an_empty_stack(state: dict[str, Any]) -> None:
    assert standing(state) == ()
    assert retained(state) == ()


def test_nothing_is_retained_and_content_goes_too() -> None:
    before = copy.deepcopy(WHOLE)
    after = unretained(WHOLE)
    assert before == WHOLE
    assert retained(after) == ()
    assert after["version"] == 3
    assert after["deployment"]["manifest"] == {"magic": "m"}
    held = {r["urn"].rsplit("::", 1)[-1]: r for r in after["deployment"]["resources"]}
    assert held["artifacts"] == {
        **{key: value for key, value in BUCKET.items() if key != "retainOnDelete"},
        "inputs": {"forceDestroy": True},
        "outputs": {"bucket": "b", "forceDestroy": True},
    }
    assert [held[name] for name in ("churn-dev", "default", "role", "versioning", "theirs")] == [
        STACK,
        PROVIDER,
        ROLE,
        VERSIONING,
        READ,
    ]
    assert unretained(after) == after


def test_what_was_being_made_is_not_retained_either() -> None:
    state = stack(STACK)
    state["deployment"]["pending_operations"] = [
        {"type": "creating", "resource": entry("a:b:C", "c", retainOnDelete=True)}
    ]
    after = unretained(state)["deployment"]["pending_operations"]
    assert after == [{"type": "creating", "resource": entry("a:b:C", "c")}]


@pytest.mark.parametrize(
    ("type_", "held", "forced"),
    [
        ("gcp:storage/bucket:Bucket", {}, {"forceDestroy": True}),
        ("aws:ecr/repository:Repository", {}, {"forceDelete": True}),
        ("some:index:Thing", {"forceDestroy": False, "x": 1}, {"forceDestroy": True, "x": 1}),
        ("some:index:Thing", {"forceDelete": False}, {"forceDelete": True}),
        ("some:index:Thing", {"x": 1}, {"x": 1}),
    ],
)
def test_what_empties_a_thing_at_its_deletion(
    type_: str, held: dict[str, Any], forced: dict[str, Any]
) -> None:
    after = unretained(stack(entry(type_, "a", outputs=held)))
    assert after["deployment"]["resources"][0]["outputs"] == forced
