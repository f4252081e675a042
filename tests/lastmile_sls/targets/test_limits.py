"""The targets' limits, and what violates them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

import pytest

from lastmile_sls.plan.document import Target
from lastmile_sls.targets.limits import LIMITS, Measure, limit_of, violation
from tests.lastmile_sls.targets.test_fit import OF_BUILDS

UNVERIFIED: set[tuple[Target, Measure]] = {
    ("gcp", "memory beside nvidia-rtx-pro-6000"),
    ("gcp", "waiting at load_balancer"),
    ("azure", "requests in a window"),
}
"""Limits that were not read, or not all of what they say; one that was has no place here."""


def test_what_nobody_read_is_known() -> None:
    unread = {
        (target, limit.measure) for target, limits in LIMITS.items() for limit in limits if not limit.read
    }
    assert unread == UNVERIFIED
    for target, measure in UNVERIFIED:
        limit = limit_of(target, measure)
        assert limit is not None
        assert limit.stated == f"{limit.source}, unverified"


def test_every_target_is_there_and_each_number_has_its_page() -> None:
    assert set(LIMITS) == set(get_args(Target))
    for limits in LIMITS.values():
        assert len({limit.measure for limit in limits}) == len(limits)
        for limit in limits:
            assert limit.measure in get_args(Measure)
            assert limit.source.startswith("https://")
            assert limit.most > 0
            if limit.measure in OF_BUILDS:
                assert limit.beyond


@pytest.mark.parametrize(
    ("target", "measure", "most"),
    [
        ("aws", "unpacked size", 250),
        ("aws", "configured memory", 10_240),
        ("aws", "startup", 10),
        ("aws", "first answer", 30),
        ("gcp", "startup", 240),
        ("gcp", "configured memory", 32_768),
        ("azure", "configured memory", 4_096),
        ("azure", "first answer", 230),
    ],
)
def test_what_is_allowed_and_what_is_not(target: Target, measure: Measure, most: float) -> None:
    assert violation(target, measure, most) is None
    found = violation(target, measure, most * 1.5)
    assert found is not None
    assert (found.limit, found.value) == (limit_of(target, measure), most * 1.5)


def test_a_violation_names_limit_value_and_source() -> None:
    assert str(violation("aws", "unpacked size", 312.4)) == (
        "unpacked size is 312.4 MB, but may be 250 MB: beyond it, Lambda does not make the function "
        "(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."
    )


def test_what_a_target_does_not_state_is_not_limited() -> None:
    assert limit_of("gcp", "unpacked size") is None
    assert violation("gcp", "unpacked size", 1e9) is None
    assert violation("local", "startup", 1e9) is None


DOCUMENT = Path(__file__).parents[3] / "docs" / "targets.md"
BEGIN, END = "test_limits.py` -->\n", "<!-- end of limits -->"


def table() -> str:
    lines = ["| target | what | allowed | stated at | read |", "|---|---|---|---|---|"]
    lines += [
        f"| {target} | {limit.measure.replace('_', ' ')} | {limit.allowed} | {limit.source} | {limit.read or 'unverified'} |"
        for target, limits in LIMITS.items()
        for limit in limits
    ]
    return "\n".join(lines) + "\n"


def test_the_document_has_every_limit() -> None:
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    written, _, after = rest.partition(END)
    if os.environ.get("LASTMILE_GOLDEN") == "write":
        DOCUMENT.write_text(f"{before}{BEGIN}{table()}{END}{after}")
        return
    assert written == table()
