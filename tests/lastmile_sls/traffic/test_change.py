"""What each change makes of a routing document."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_runtime.errors import BundleError
from lastmile_runtime.router import WHOLE, Routing, owner
from lastmile_sls.errors import LastmileError
from lastmile_sls.traffic.change import (
    check,
    hundredths,
    percent,
    promote,
    set_shadow,
    set_throttle,
    set_weights,
    told,
    told_route,
    used_versions,
)

VERSIONS = ["v1", "v2", "v3"]
START: dict[str, Any] = {
    "champion": "v1",
    "weights": {"v1": 9000, "v2": 1000},
    "shadows": [],
    "sticky": None,
    "rules": [],
    "salt": "s",
}


def test_the_champion_has_what_the_others_leave() -> None:
    after = set_weights(START, {"v3": 500}, VERSIONS)
    assert after["weights"] == {"v1": 8500, "v2": 1000, "v3": 500}
    assert after["buckets"] == {"v2": [[0, 10_000]], "v3": [[10_000, 15_000]]}
    check(after, VERSIONS)


def test_a_version_that_is_no_longer_deployed_is_left_out() -> None:
    before = {**START, "weights": {"v1": 10_000, "v0": 0}}
    assert set_weights(before, {"v2": 1}, VERSIONS)["weights"] == {"v1": 9999, "v2": 1, "v3": 0}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"v9": 1}, "version 'v9' is not deployed; the versions are v1, v2, v3."),
        (
            {"v1": 5000, "v2": 4000},
            "the weights sum to 90 %, but must sum to 100 %: v1 50 %, v2 40 %, v3 0 %.",
        ),
        (
            {"v2": 6000, "v3": 5001},
            "the challengers' weights sum to 110.01 %, but must sum to 100 % at most: v2 60 %, v3 50.01 %.",
        ),
    ],
)
def test_weights_refused(weights: dict[str, int], message: str) -> None:
    with pytest.raises(LastmileError) as refused:
        set_weights(START, weights, VERSIONS)
    assert refused.value.message == message


@given(st.lists(st.tuples(st.sampled_from(["v2", "v3"]), st.integers(0, WHOLE // 2)), max_size=6))
def test_a_change_of_one_weight_moves_callers_between_it_and_the_champion_alone(
    steps: list[tuple[str, int]],
) -> None:
    document = START
    for version, weight in steps:
        changed = set_weights(document, {version: weight}, VERSIONS)
        before, after = Routing(document, VERSIONS), Routing(changed, VERSIONS)
        for bucket in range(0, 100_000, 331):
            pair = (owner(before, bucket), owner(after, bucket))
            assert pair[0] == pair[1] or pair in {("v1", version), (version, "v1")}
        document = changed


def test_a_shadow_comes_changes_and_goes() -> None:
    half = set_shadow(START, "v2", 5000, VERSIONS)
    assert half["shadows"] == [{"version": "v2", "percent": 5000}]
    whole = set_shadow(half, "v2", WHOLE, VERSIONS)
    assert whole["shadows"] == [{"version": "v2", "percent": WHOLE}]
    assert set_shadow(whole, "v2", 0, VERSIONS)["shadows"] == []
    check(whole, VERSIONS)


def test_the_promoted_version_has_everything_and_is_no_shadow_any_more() -> None:
    after = promote(set_shadow(START, "v2", 5000, VERSIONS), "v2", VERSIONS)
    assert (after["champion"], after["weights"]) == ("v2", {"v1": 0, "v2": WHOLE, "v3": 0})
    assert (after["shadows"], after["buckets"]) == ([], {})
    assert Routing(after, VERSIONS).only


def test_promoting_the_champion_changes_nothing() -> None:
    with pytest.raises(LastmileError, match=r"^v1 is the champion already, and has all of the traffic\.$"):
        promote({**START, "weights": {"v1": WHOLE}}, "v1", VERSIONS)


def test_versions_are_used_by_weights_shadows_and_rules() -> None:
    rules = [{"input": "x", "in": [1], "version": "v4"}]
    shadows = [{"version": "v3", "percent": 1}]
    assert used_versions({**START, "shadows": shadows, "rules": rules}) == {"v1", "v2", "v3", "v4"}
    assert used_versions({**START, "weights": {"v1": WHOLE, "v2": 0}}) == {"v1"}


@pytest.mark.parametrize(("text", "value"), [("10", 1000), ("0.01", 1), ("12.5%", 1250), ("100", WHOLE)])
def test_percentages_are_read(text: str, value: int) -> None:
    assert hundredths(text) == value


@pytest.mark.parametrize("text", ["-1", "100.01", "0.001", "nan", "inf"])
def test_percentages_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be 0 to 100, with two decimals at most\.$"):
        hundredths(text)


def test_what_is_no_percentage_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^'ten' is not a percentage\.$"):
        hundredths("ten")


@given(st.integers(0, WHOLE))
def test_a_percentage_is_told_as_it_is_read(value: int) -> None:
    assert hundredths(percent(value)) == value


def test_weights_in_words() -> None:
    assert told({"v1": 1, "v2": 9990, "v3": 9}) == "v2 99.9 %, v3 0.09 %, v1 0.01 %"


def test_a_route_in_words_has_its_shadows() -> None:
    assert told_route(START) == "v1 90 %, v2 10 %"
    assert told_route(set_shadow(START, "v3", 5050, VERSIONS)) == "v1 90 %, v2 10 %; shadows v3 50.5 %"


def test_a_throttle_comes_is_told_and_goes() -> None:
    slow = set_throttle(START, 2.5)
    assert slow["throttle"] == {"requests_per_s": 2.5}
    assert told_route(set_shadow(slow, "v3", 5050, VERSIONS)) == (
        "v1 90 %, v2 10 %; shadows v3 50.5 %; throttled to 2.5 requests/s of each instance"
    )
    check(slow, VERSIONS)
    assert set_throttle(slow, None) == START
    with pytest.raises(BundleError, match=r"^routing\.throttle is \{'requests_per_s': 0\}, but must have"):
        check(set_throttle(START, 0), VERSIONS)
