"""A release keeps the one before it, and no other; what it says follows from the inputs and the state alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2 as wire

from lastmile_sls.delivery.release import Release
from lastmile_sls.engine.properties import UNKNOWN_SENTINEL, from_struct, to_struct
from lastmile_sls.errors import LastmileError
from lastmile_sls.provider.resource import State
from lastmile_sls.provider.service import LastmileProvider

URN = "urn:pulumi:dev::churn::lastmile:index:Release::churn-release"
A, B, C = (f"sha256:{letter * 64}" for letter in "abc")


def inputs(digest: str, **settings: str) -> dict[str, Any]:
    return {"digest": digest, "settings": settings}


def after(*updates: dict[str, Any]) -> str:
    """Return the releases after one deployment after the other, and see that each preview said the same."""
    release, first, state = Release(), updates[0], State("", {}, {})
    made = release.planned(first, {})
    assert release.create(URN, first) == ("churn-release", made)
    for given in updates[1:]:
        state = State("churn-release", first, {**first, **made})
        made = release.planned(given, state.outputs)
        assert release.update(URN, state, given) == made
        first = given
    releases: str = made["releases"]
    return releases


def test_the_first_release_is_alone() -> None:
    assert after(inputs(A, Y="2", X="1")) == f'{{"{A}":{{"X":"1","Y":"2"}}}}'


def test_the_one_before_is_kept() -> None:
    assert after(inputs(B, X="1"), inputs(A, X="2")) == f'{{"{A}":{{"X":"2"}},"{B}":{{"X":"1"}}}}'


def test_two_updates_forget_the_first() -> None:
    releases = json.loads(after(inputs(A, X="1"), inputs(B, X="2"), inputs(C, X="3")))
    assert releases == {B: {"X": "2"}, C: {"X": "3"}}


def test_other_settings_of_the_same_bundle_take_the_place_of_its_own() -> None:
    assert json.loads(after(inputs(A, X="1"), inputs(A, X="2"))) == {A: {"X": "2"}}
    changed = json.loads(after(inputs(A, X="1"), inputs(B, X="2"), inputs(B, X="3")))
    assert changed == {A: {"X": "1"}, B: {"X": "3"}}


def test_a_bundle_that_comes_back_has_its_new_settings() -> None:
    releases = json.loads(after(inputs(A, X="1"), inputs(B, X="2"), inputs(A, X="3")))
    assert releases == {A: {"X": "3"}, B: {"X": "2"}}


@pytest.mark.parametrize(
    "given",
    [
        {"digest": UNKNOWN_SENTINEL, "settings": {}},
        {"digest": A, "settings": UNKNOWN_SENTINEL},
        {"digest": A, "settings": {"X": UNKNOWN_SENTINEL}},
    ],
)
def test_what_is_not_known_yet_stays_so(given: dict[str, Any]) -> None:
    assert Release().planned(given, {}) == {"releases": UNKNOWN_SENTINEL}


def test_a_digest_and_texts_are_taken() -> None:
    release = Release()
    assert release.check({"digest": A, "settings": {"X": "1"}}) == []
    assert release.check({"digest": A, "settings": {"X": UNKNOWN_SENTINEL}}) == []
    assert release.check({}) == []
    assert release.check({"digest": "A", "settings": {"X": 1}}) == [
        ("digest", "digest is 'A', but must be sha256: and 64 hexadecimal digits."),
        ("settings", "settings must be texts by the variables' names."),
    ]


def test_a_release_is_in_the_state_alone() -> None:
    outputs = {**inputs(A), "releases": "{}"}
    assert Release().read(State("churn-release", {}, outputs)) == (inputs(A), outputs)
    Release().delete(State("churn-release", {}, outputs))
    with pytest.raises(LastmileError) as caught:
        Release().read(State("churn-release", {}, {}))
    assert caught.value.message == (
        "the release churn-release cannot be imported: nobody but a stack's state has it."
    )
    assert caught.value.hint == "Leave it out of the import: the next up makes it."


def test_the_provider_keeps_the_former_release_from_its_own_state(tmp_path: Path) -> None:
    """Through the protocol: a preview says what the update then makes, and the same inputs are no change."""
    provider = LastmileProvider("embedded", tmp_path, {})
    first, second = to_struct(inputs(A, X="1")), to_struct(inputs(B, X="2"))
    made = provider.Create(wire.CreateRequest(urn=URN, properties=first), None)
    told: dict[str, Any] = {"id": made.id, "urn": URN, "olds": made.properties, "old_inputs": first}
    updates = [wire.UpdateRequest(**told, news=second, preview=preview) for preview in (True, False)]
    planned, updated = (from_struct(provider.Update(update, None).properties) for update in updates)
    assert planned == updated
    assert json.loads(updated["releases"]) == {A: {"X": "1"}, B: {"X": "2"}}
    differing = provider.Diff(wire.DiffRequest(**told, news=second), None)
    assert (list(differing.diffs), list(differing.replaces)) == (["digest", "settings"], [])
    assert provider.Diff(wire.DiffRequest(**told, news=first), None).changes == wire.DiffResponse.DIFF_NONE
