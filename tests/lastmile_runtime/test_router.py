from __future__ import annotations

import itertools
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.router import (
    BUCKETS,
    BUCKETS_PER_WEIGHT,
    WHOLE,
    Choice,
    Routing,
    allocate,
    check,
    choose,
    owner,
    resolve,
    sticky_bucket,
)

CHI_SQUARE_99_9_PERCENT_99_DEGREES = 148.2


def document(salt: str = "salt", **weights: int) -> dict[str, Any]:
    return {"champion": "v1", "weights": weights, "shadows": [], "sticky": None, "salt": salt}


def routed(salt: str = "salt", **weights: int) -> Routing:
    return Routing(document(salt, **weights), ["v1", "v2", "v3"])


TWO = document(v1=9000, v2=1000)
THREE = document(v1=5000, v2=2000, v3=3000)
BOTH = routed(v1=9000, v2=1000)


def told(choice: Choice) -> tuple[str, str, int | None]:
    return choice.version, choice.rule, choice.bucket


def test_a_pin_goes_before_everything() -> None:
    assert told(choose(BOTH, "v2", "user", 50_000)) == ("v2", "pin", None)


def test_the_only_version_needs_no_bucket() -> None:
    assert told(choose(routed(v1=10_000), None, "user", 5)) == ("v1", "only", None)
    assert told(choose(routed(v1=10_000, v2=0), None, None, 5)) == ("v1", "only", None)


def test_a_sticky_key_decides_before_the_draw() -> None:
    bucket = sticky_bucket("salt", "user")
    assert told(choose(BOTH, None, "user", 0)) == ("v1", "sticky", bucket)


@pytest.mark.parametrize(("draw", "version"), [(0, "v2"), (9_999, "v2"), (10_000, "v1"), (99_999, "v1")])
def test_a_draw_decides_otherwise(draw: int, version: str) -> None:
    assert told(choose(BOTH, None, None, draw)) == (version, "weight", draw)


def test_a_challenger_may_have_everything() -> None:
    everything = routed(v1=0, v2=10_000)
    assert {owner(everything, bucket) for bucket in (0, 99_999)} == {"v2"}


def test_the_route_is_told_as_its_header_has_it() -> None:
    assert Choice("v1", "weight", 12_345).route() == "rule=weight; bucket=12345"
    assert Choice("v1", "only").route() == "rule=only"


@pytest.mark.parametrize(
    ("routing", "name", "version"),
    [
        (BOTH, "champion", "v1"),
        (BOTH, "challenger", "v2"),
        (BOTH, "v1", "v1"),
        (routed(v1=5000, v2=2000, v3=3000), "challenger", "v3"),
        (routed(v1=4000, v3=3000, v2=3000), "challenger", "v3"),
        (routed(v1=9000, v3=0, v2=1000), "challenger", "v2"),
        (routed(v1=10_000, v2=0), "v2", "v2"),
    ],
)
def test_ids_and_aliases_name_versions(routing: Routing, name: str, version: str) -> None:
    assert resolve(routing, name) == version


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("v9", "version 'v9' is not deployed; the versions are v1, v2, v3."),
        ("shadow", "there is no shadow: the routing document names none."),
        ("challenger", "there is no challenger: no version beside the champion 'v1' has a weight."),
    ],
)
def test_a_name_that_means_no_version_is_refused(name: str, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        choose(routed(v1=10_000, v2=0), name, None, 0)
    assert (refused.value.status, refused.value.message) == (404, message)


@given(st.text(), st.text())
def test_a_key_always_has_the_same_bucket(salt: str, key: str) -> None:
    bucket = sticky_bucket(salt, key)
    assert 0 <= bucket < BUCKETS
    assert bucket == sticky_bucket(salt, key)


def test_keys_are_spread_uniformly() -> None:
    draws = random.Random(4)
    keys = [f"user-{draws.getrandbits(48)}" for _ in range(50_000)]
    counts = Counter(sticky_bucket("salt", key) * 100 // BUCKETS for key in keys)
    expected = len(keys) / 100
    chi_square = sum((counts[cell] - expected) ** 2 / expected for cell in range(100))
    assert chi_square < CHI_SQUARE_99_9_PERCENT_99_DEGREES


def test_buckets_under_two_salts_are_independent() -> None:
    keys = [f"user-{number}" for number in range(50_000)]
    cells = Counter(
        (sticky_bucket("a", k) * 10 // BUCKETS, sticky_bucket("b", k) * 10 // BUCKETS) for k in keys
    )
    expected = len(keys) / 100
    chi_square = sum((cells[i, j] - expected) ** 2 / expected for i in range(10) for j in range(10))
    assert chi_square < CHI_SQUARE_99_9_PERCENT_99_DEGREES


@given(st.integers(0, WHOLE), st.integers(0, WHOLE), st.integers(0, BUCKETS - 1))
def test_raising_a_challenger_moves_callers_only_to_it(one: int, other: int, bucket: int) -> None:
    low, high = sorted((one, other))
    before = owner(routed(v1=WHOLE - low, v2=low), bucket)
    after = owner(routed(v1=WHOLE - high, v2=high), bucket)
    assert (before, after) in {("v1", "v1"), ("v1", "v2"), ("v2", "v2")}


VERSIONS = ("v1", "v2", "v3", "v4")


@st.composite
def weights(draw: st.DrawFn) -> dict[str, int]:
    """Weights of four versions that sum to the whole; some are 0."""
    cuts = sorted(draw(st.lists(st.integers(0, WHOLE), min_size=3, max_size=3)))
    edges = [0, *cuts, WHOLE]
    return {version: edges[i + 1] - edges[i] for i, version in enumerate(VERSIONS)}


def shared(weights: dict[str, int]) -> dict[str, Any]:
    return {**document(), "weights": weights}


def owners(ramp: list[dict[str, int]]) -> list[list[str]]:
    """Carry weights out one after the other; return after each whom every 97th bucket belongs to."""
    buckets: dict[str, list[list[int]]] = {}
    found = []
    for step in ramp:
        buckets = allocate(buckets, step, "v1")
        routing = Routing({**shared(step), "buckets": buckets}, VERSIONS)
        found.append([owner(routing, bucket) for bucket in range(0, BUCKETS, 97)])
    return found


@given(st.lists(weights(), min_size=2, max_size=5))
def test_whoever_need_not_move_does_not(ramp: list[dict[str, int]]) -> None:
    for (earlier, later), (before, after) in zip(pairs(ramp), pairs(owners(ramp)), strict=True):
        for left, right in zip(before, after, strict=True):
            if left != right:
                assert left == "v1" or later[left] < earlier[left]
                assert right == "v1" or later[right] > earlier[right]


@given(st.lists(weights(), min_size=1, max_size=5))
def test_after_every_change_each_version_has_its_share_exactly(ramp: list[dict[str, int]]) -> None:
    buckets: dict[str, list[list[int]]] = {}
    for step in ramp:
        buckets = allocate(buckets, step, "v1")
        shares = {version: sum(end - start for start, end in ranges) for version, ranges in buckets.items()}
        assert shares == {v: w * BUCKETS_PER_WEIGHT for v, w in step.items() if v != "v1" and w}
        check({**shared(step), "buckets": buckets}, VERSIONS)


@given(weights(), st.integers(0, WHOLE), st.integers(0, BUCKETS - 1))
def test_raising_one_challenger_moves_callers_from_the_champion_to_it_alone(
    start: dict[str, int], more: int, bucket: int
) -> None:
    more = min(more, start["v1"])
    raised = {**start, "v1": start["v1"] - more, "v2": start["v2"] + more}
    buckets = allocate({}, start, "v1")
    before = owner(Routing({**shared(start), "buckets": buckets}, VERSIONS), bucket)
    later = allocate(buckets, raised, "v1")
    after = owner(Routing({**shared(raised), "buckets": later}, VERSIONS), bucket)
    assert before == after or (before, after) == ("v1", "v2")


def pairs(items: list[Any]) -> list[tuple[Any, Any]]:
    return list(itertools.pairwise(items))


def test_shares_of_drawn_buckets_are_within_binomial_bounds() -> None:
    draws = random.Random(5)
    routing = routed(v1=7000, v2=2500, v3=500)
    counts = Counter(choose(routing, None, None, draws.randrange(BUCKETS)).version for _ in range(40_000))
    for version, share in (("v1", 0.7), ("v2", 0.25), ("v3", 0.05)):
        assert abs(counts[version] - 40_000 * share) < 4 * (40_000 * share * (1 - share)) ** 0.5


@given(st.integers(0, WHOLE), st.integers(0, WHOLE))
def test_each_version_owns_exactly_its_share(one: int, other: int) -> None:
    low, high = sorted((one, other))
    routing = routed(v1=low, v2=high - low, v3=WHOLE - high)
    starts = [0, (high - low) * 10, (WHOLE - low) * 10]
    for start, version, weight in zip(
        starts, ("v2", "v3", "v1"), (high - low, WHOLE - high, low), strict=True
    ):
        if weight:
            assert {owner(routing, start), owner(routing, start + weight * 10 - 1)} == {version}


@pytest.mark.parametrize(
    ("routing", "message"),
    [
        ({}, "routing.weights is None, but must give each version hundredths of a percent."),
        (
            document(v1=-1),
            "routing.weights is {'v1': -1}, but must give each version hundredths of a percent.",
        ),
        (document(v1=9000), "routing.weights sum to 9000, but must sum to 10000."),
        (document(v1=9000, v9=1000), "routing names the version 'v9', but the bundle holds v1, v2."),
        (
            {"champion": None, "weights": {"v2": 10_000}},
            "routing names the version None, but the bundle holds v1, v2.",
        ),
        (
            {**TWO, "salt": None},
            "routing.salt is None, but must be a text where versions share the requests.",
        ),
        ([], "the routing document is [], but must be an object."),
        (
            {**TWO, "sticky": {"header": "a", "cookie": "b"}},
            "routing.sticky is {'header': 'a', 'cookie': 'b'}, but must have one of header, cookie, input.",
        ),
        (
            {**TWO, "shadows": [{"version": "v9", "percent": 1}]},
            "routing names the version 'v9', but the bundle holds v1, v2.",
        ),
        (
            {**TWO, "shadows": [{"version": "v2", "percent": 10_001}]},
            "routing.shadows has the percent 10001, but must be 0 to 10000.",
        ),
        ({**TWO, "shadows": ["v2"]}, "routing.shadows has 'v2', but needs version and percent (hundredths)."),
        (
            {**TWO, "rules": [{"input": "x"}]},
            "routing.rules has {'input': 'x'}, but needs input, in (a list of values) and version.",
        ),
        ({**TWO, "max_age_s": "5"}, "routing.max_age_s is '5', but must be a number of seconds."),
        (
            {**TWO, "buckets": {"v2": [[0, 9_999]]}},
            "routing.buckets is {'v2': [[0, 9999]]}, but must share 100000 buckets as the weights say.",
        ),
        (
            {**TWO, "buckets": {"v2": [[0, 6_000], [5_000, 9_000]]}},
            "routing.buckets is {'v2': [[0, 6000], [5000, 9000]]}, but must share 100000 buckets as the weights say.",
        ),
        ({**TWO, "buckets": {"v2": 5}}, "routing.buckets is {'v2': 5}, but must give each version ranges."),
    ],
)
def test_a_document_that_does_not_fit_the_bundle_is_refused(routing: dict[str, Any], message: str) -> None:
    with pytest.raises(BundleError) as refused:
        check(routing, ["v1", "v2"])
    assert str(refused.value) == message


def test_a_document_that_fits_is_accepted() -> None:
    check(TWO, ["v1", "v2"])
    check({"champion": "v1", "weights": {"v1": 10_000}}, ["v1"])
