"""The decision what to do about a resource that is there."""

from __future__ import annotations

import pytest
from pulumi.runtime.proto import provider_pb2 as wire

from lastmile_sls.engine.embedded.goal import Goal, Step, decide
from lastmile_sls.engine.embedded.state import Resource
from lastmile_sls.engine.properties import Properties

SOME, NONE, SILENT = (
    wire.DiffResponse.DIFF_SOME,
    wire.DiffResponse.DIFF_NONE,
    wire.DiffResponse.DIFF_UNKNOWN,
)


def thing(inputs: Properties, *replace_on: str) -> Resource:
    return Resource("urn:pulumi:s::p::t:i:T::a", True, "t:i:T", inputs=inputs, replace_on_changes=replace_on)


@pytest.mark.parametrize(
    ("diff", "new", "replace_on", "step"),
    [
        (wire.DiffResponse(changes=NONE), {"a": 1}, (), Step("same")),
        (wire.DiffResponse(changes=SOME, diffs=["a"]), {"a": 2}, (), Step("update", ("a",))),
        (wire.DiffResponse(changes=SILENT), {"a": 1}, (), Step("same")),
        (wire.DiffResponse(changes=SILENT), {"a": 2}, (), Step("update")),
        (
            wire.DiffResponse(changes=SOME, replaces=["a"], deleteBeforeReplace=True),
            {"a": 2},
            (),
            Step("replace", ("a",), delete_first=True),
        ),
        (wire.DiffResponse(changes=SOME, diffs=["a"]), {"a": 2}, ("a",), Step("replace", ("a",))),
        (wire.DiffResponse(changes=SOME, diffs=["b"]), {"a": 1, "b": 1}, ("a",), Step("update", ("b",))),
        (wire.DiffResponse(changes=NONE), {"a": 2}, ("a",), Step("same")),
        (wire.DiffResponse(changes=SOME, diffs=["a"]), {"a": {"b": 1}}, ("a.b",), Step("replace", ("a.b",))),
        (wire.DiffResponse(changes=SOME, diffs=["a"]), {"a": {"c": 1}}, ("a.b",), Step("update", ("a",))),
        (
            wire.DiffResponse(changes=SOME, replaces=["a"]),
            {"a": 2, "b": 1},
            ("*",),
            Step("replace", ("a", "*")),
        ),
    ],
)
def test_the_step(diff: wire.DiffResponse, new: Properties, replace_on: tuple[str, ...], step: Step) -> None:
    wanted = thing(new, *replace_on)
    assert decide(Goal(wanted), wanted, thing({"a": 1}), diff, interrupted=False) == step


def test_an_interrupted_update_is_repeated() -> None:
    wanted = thing({"a": 1})
    step = decide(Goal(wanted), wanted, wanted, wire.DiffResponse(changes=NONE), interrupted=True)
    assert step == Step("update", ("an interrupted update",))


@pytest.mark.parametrize(("asked", "first"), [(True, True), (False, False), (None, True)])
def test_the_program_says_which_comes_first(asked: bool | None, first: bool) -> None:
    wanted = thing({"a": 2})
    diff = wire.DiffResponse(changes=SOME, replaces=["a"], deleteBeforeReplace=True)
    goal = Goal(wanted, delete_before_replace=asked)
    assert decide(goal, wanted, thing({"a": 1}), diff, interrupted=False).delete_first is first
