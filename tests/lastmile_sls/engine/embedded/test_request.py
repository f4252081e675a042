"""What is read from an SDK's request: timeouts, and paths that are none."""

from __future__ import annotations

import pytest
from pulumi.runtime.proto import resource_pb2

from lastmile_sls.engine.embedded.request import read_goal, seconds
from lastmile_sls.engine.interface import EngineError, Program
from tests.lastmile_sls.engine.world import REPOSITORY

PROGRAM = Program(REPOSITORY, "churn", "dev")


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("90s", 90),
        ("1h30m", 5400),
        ("1h0m0.5s", 3600.5),
        ("1.5h", 5400),
        (".5m", 30),
        ("250ms", 0.25),
        ("1µs", 1e-6),
        ("1m1ns", 60 + 1e-9),
    ],
)
def test_a_duration_is_read(duration: str, expected: float) -> None:
    assert seconds("t:i:T a", "create", duration) == expected


@pytest.mark.parametrize("duration", ["", "10", "m", "1 h", "-1h", "1h and more", "1d"])
def test_what_is_no_duration_is_refused(duration: str) -> None:
    with pytest.raises(EngineError) as caught:
        seconds("t:i:T a", "update", duration)
    assert caught.value.message == f"custom_timeouts.update of t:i:T a is {duration!r}, which is not a time."


def test_a_request_becomes_a_goal() -> None:
    request = resource_pb2.RegisterResourceRequest(
        type="t:i:T",
        name="a",
        custom=True,
        parent="urn:pulumi:dev::churn::c:i:C::c",
        version="1.2.3",
        ignoreChanges=["tags.x"],
        replaceOnChanges=["place", "*"],
        deletedWith="urn:pulumi:dev::churn::t:i:T::b",
        customTimeouts=resource_pb2.RegisterResourceRequest.CustomTimeouts(delete="5m"),
        aliases=[{"spec": {"type": "t:old:T"}}, {"urn": "urn:pulumi:dev::churn::t:i:T::z"}],
    )
    goal = read_goal(request, PROGRAM)
    assert goal.resource.urn == "urn:pulumi:dev::churn::c:i:C$t:i:T::a"
    assert goal.resource.custom_timeouts == {"delete": 300}
    assert goal.resource.deleted_with == "urn:pulumi:dev::churn::t:i:T::b"
    assert goal.resource.replace_on_changes == ("place", "*")
    assert (goal.version, goal.ignore_changes, goal.delete_before_replace) == ("1.2.3", ("tags.x",), None)
    assert goal.aliases == (
        "urn:pulumi:dev::churn::c:i:C$t:old:T::a",
        "urn:pulumi:dev::churn::t:i:T::z",
    )


@pytest.mark.parametrize("option", ["ignoreChanges", "replaceOnChanges"])
def test_a_path_that_is_none_is_refused(option: str) -> None:
    request = resource_pb2.RegisterResourceRequest(type="t:i:T", name="a")
    getattr(request, option).append("tags[")
    with pytest.raises(EngineError, match=r"'tags\[' is not a path to a property"):
        read_goal(request, PROGRAM)
