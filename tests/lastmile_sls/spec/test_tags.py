from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_sls.errors import LastmileError
from lastmile_sls.spec.load import load
from lastmile_sls.spec.tags import decode, encode, tag_set
from tests.lastmile_sls.spec.specs import FULL, SMALL, write_spec

_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(_TEXT)
def test_every_value_can_be_read_back(value: str) -> None:
    encoded = encode(value)
    assert re.fullmatch("[a-z0-9_-]*", encoded)
    assert decode(encoded) == value


@given(_TEXT, _TEXT)
def test_two_values_never_become_one(one: str, other: str) -> None:
    assert (encode(one) == encode(other)) == (one == other)


def test_what_the_encoding_looks_like() -> None:
    assert encode("ada@example.com") == "ada_40example_2ecom"
    assert encode("R&D_é") == "_52_26_44_5f_c3_a9"


@pytest.mark.parametrize("value", ["A", "_", "_4", "_6a", "_ff", "_zz", "é"])
def test_what_was_not_encoded_is_not_decoded(value: str) -> None:
    with pytest.raises(ValueError, match=r"encoded tag value|codec can't decode"):
        decode(value)


def test_the_set_has_the_fixed_keys_and_the_users(tmp_path: Path) -> None:
    assert tag_set(load(write_spec(tmp_path, FULL))) == {
        "model": "churn",
        "environment": "prod",
        "owner": "ada_40example_2ecom",
        "cost-center": "4711",
        "managed-by": "lastmile",
        "team": "growth",
    }


def test_a_value_that_grows_too_long_is_refused_with_both_lengths(tmp_path: Path) -> None:
    path = write_spec(tmp_path, SMALL.replace("team-a", "A" * 22))
    with pytest.raises(LastmileError) as caught:
        load(path)
    assert caught.value.message == (
        f"{path}:2 owner is 'AAAAAAAAAAAAAAAAAAAAAA', which takes 66 characters as a tag, but clouds allow 63 "
        "(a capital or special character takes three). Shorten it."
    )


def test_more_tags_than_the_smallest_cloud_allows_are_refused(tmp_path: Path) -> None:
    many = "".join(f"  k{index}: x\n" for index in range(46))
    path = write_spec(tmp_path, f"{SMALL}tags:\n{many}")
    with pytest.raises(LastmileError) as caught:
        load(path)
    assert caught.value.message == (
        f"{path}:8 tags are 51 with the fixed ones, but AWS and Azure allow 50. Take some out."
    )
