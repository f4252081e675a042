from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.router import BUCKETS, WHOLE, Choice, check, choose, owner, resolve, sticky_bucket

CHI_SQUARE_99_9_PERCENT_99_DEGREES = 148.2


def document(salt: str = "salt", **weights: int) -> dict[str, Any]:
    return {"champion": "v1", "weights": weights, "shadows": [], "sticky": None, "salt": salt}


TWO = document(v1=9000, v2=1000)
THREE = document(v1=5000, v2=2000, v3=3000)


def told(choice: Choice) -> tuple[str, str, int | None]:
    return choice.version, choice.rule, choice.bucket


def test_a_pin_goes_before_everything() -> None:
    assert told(choose(TWO, "v2", "user", 50_000)) == ("v2", "pin", None)


def test_the_only_version_needs_no_bucket() -> None:
    assert told(choose(document(v1=10_000), None, "user", 5)) == ("v1", "only", None)
    assert told(choose(document(v1=10_000, v2=0), None, None, 5)) == ("v1", "only", None)


def test_a_sticky_key_decides_before_the_draw() -> None:
    bucket = sticky_bucket("salt", "user")
    assert told(choose(TWO, None, "user", 0)) == ("v1", "sticky", bucket)


@pytest.mark.parametrize(("draw", "version"), [(0, "v2"), (9_999, "v2"), (10_000, "v1"), (99_999, "v1")])
def test_a_draw_decides_otherwise(draw: int, version: str) -> None:
    assert told(choose(TWO, None, None, draw)) == (version, "weight", draw)


def test_a_challenger_may_have_everything() -> None:
    everything = document(v1=0, v2=10_000)
    assert {owner(everything, bucket) for bucket in (0, 99_999)} == {"v2"}


def test_the_route_is_told_as_its_header_has_it() -> None:
    assert Choice("v1", "weight", 12_345).route() == "rule=weight; bucket=12345"
    assert Choice("v1", "only").route() == "rule=only"


@pytest.mark.parametrize(
    ("routing", "name", "version"),
    [
        (TWO, "champion", "v1"),
        (TWO, "challenger", "v2"),
        (TWO, "v1", "v1"),
        (THREE, "challenger", "v3"),
        (document(v1=4000, v3=3000, v2=3000), "challenger", "v3"),
        (document(v1=9000, v3=0, v2=1000), "challenger", "v2"),
        (document(v1=10_000, v2=0), "v2", "v2"),
    ],
)
def test_ids_and_aliases_name_versions(routing: dict[str, Any], name: str, version: str) -> None:
    assert resolve(routing, name) == version


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("v9", "version 'v9' is not deployed; the versions are v1, v2."),
        ("shadow", "version 'shadow' is not deployed; the versions are v1, v2."),
        ("challenger", "there is no challenger: no version beside the champion 'v1' has a weight."),
    ],
)
def test_a_name_that_means_no_version_is_refused(name: str, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        choose(document(v1=10_000, v2=0), name, None, 0)
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
    before = owner(document(v1=WHOLE - low, v2=low), bucket)
    after = owner(document(v1=WHOLE - high, v2=high), bucket)
    assert (before, after) in {("v1", "v1"), ("v1", "v2"), ("v2", "v2")}


@given(st.integers(0, 5000), st.integers(0, 2500), st.integers(0, 2500), st.integers(0, BUCKETS - 1))
def test_raising_the_last_of_several_challengers_too(first: int, low: int, more: int, bucket: int) -> None:
    before = owner(document(v1=WHOLE - first - low, v2=first, v3=low), bucket)
    after = owner(document(v1=WHOLE - first - low - more, v2=first, v3=low + more), bucket)
    assert before == after or (before, after) == ("v1", "v3")


@given(st.integers(0, WHOLE), st.integers(0, WHOLE))
def test_each_version_owns_exactly_its_share(one: int, other: int) -> None:
    low, high = sorted((one, other))
    routing = document(v1=low, v2=high - low, v3=WHOLE - high)
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
    ],
)
def test_a_document_that_does_not_fit_the_bundle_is_refused(routing: dict[str, Any], message: str) -> None:
    with pytest.raises(BundleError) as refused:
        check(routing, ["v1", "v2"])
    assert str(refused.value) == message


def test_a_document_that_fits_is_accepted() -> None:
    check(TWO, ["v1", "v2"])
    check({"champion": "v1", "weights": {"v1": 10_000}}, ["v1"])
