from __future__ import annotations

import hashlib

import pytest

from lastmile_sls.plan.names import short, within


def hash_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("churn-dev", "churn-dev"),
        ("a" * 20, "a" * 20),
        ("a" * 21, f"{'a' * 11}-{hash_of('a' * 21)}"),
        ("aaaaaaaaaa-bbbbbbbbbbbb", f"aaaaaaaaaa-{hash_of('aaaaaaaaaa-bbbbbbbbbbbb')}"),
    ],
)
def test_what_is_too_long_is_cut_and_told_apart(name: str, expected: str) -> None:
    assert short(name, 20) == expected
    assert len(expected) <= 20


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a-b", f"a-b-{hash_of('a-b')}"),
        ("a-dev", f"a-dev-{hash_of('a-dev')}"),
        ("ab-dev", "ab-dev"),
        ("b" * 31, f"{'b' * 21}-{hash_of('b' * 31)}"),
    ],
)
def test_what_is_too_short_is_made_longer(name: str, expected: str) -> None:
    assert within(name, 6, 30) == expected
    assert 6 <= len(expected) <= 30
