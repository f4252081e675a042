"""The world keeps what the providers were asked, and what stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clouds.wire import Record
from tests.clouds.world import VARIABLE, Call, World, name_of, parent_types, type_of

URN = "urn:pulumi:dev::proj::lastmile:index:Deployment$aws:s3/bucket:Bucket::my::bucket"


def test_a_urn_has_a_name_a_type_and_parents() -> None:
    assert name_of(URN) == "my::bucket"
    assert type_of(URN) == "aws:s3/bucket:Bucket"
    assert parent_types(URN) == "lastmile:index:Deployment"
    assert parent_types("urn:pulumi:dev::proj::a:b:C::name") == ""


def test_records_are_the_last_checks(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.note(Call("check", "aws:s3/bucket:Bucket", "b", URN, {"bucket": "old"}))
    world.note(Call("create", "aws:s3/bucket:Bucket", "b", URN, {"bucket": "old"}))
    world.note(Call("check", "aws:s3/bucket:Bucket", "b", URN, {"bucket": "new"}))
    assert world.records() == [
        Record("aws:s3/bucket:Bucket", "b", {"bucket": "new"}, "lastmile:index:Deployment")
    ]
    assert [str(call) for call in world.calls("create")] == ["create aws:s3/bucket:Bucket b"]
    world.forget()
    assert world.calls() == []


def test_what_is_made_stands_until_it_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    world = World.of_environment()
    world.keep("a:b:C", "x", {"k": 1}, 2)
    world.keep("a:b:D", "x", {}, 1)
    assert world.standing() == [("a:b:C", "x"), ("a:b:D", "x")]
    assert world.read("a:b:C", "x") == {"type": "a:b:C", "id": "x", "inputs": {"k": 1}, "generation": 2}
    world.drop("a:b:C", "x")
    assert world.read("a:b:C", "x") is None
    assert world.standing() == [("a:b:D", "x")]


def test_what_is_below_goes_with_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    for id_ in ("/groups/a", "/groups/a/tables/t", "/groups/ab"):
        world.keep("a:b:C", id_, {}, 1)
    world.drop_below("/groups/a")
    assert world.standing() == [("a:b:C", "/groups/a"), ("a:b:C", "/groups/ab")]
