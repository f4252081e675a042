"""Crossings are exact to the request, whichever curve is the lowest between the months that are looked at."""

from __future__ import annotations

import itertools
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lastmile_sls.compare.curves import LEAST, MOST, Curve, Stretch, grid, stretches


def line(fixed: str | int, each: str | int | Decimal) -> Curve:
    return lambda requests: Decimal(fixed) + requests * Decimal(each)


def test_the_grid_is_even_on_a_logarithmic_axis() -> None:
    found = grid()
    assert (found[0], found[4], found[-1], len(found)) == (LEAST, 10_000, MOST, 29)
    assert found == sorted(set(found))
    assert all(1.7 < after / before < 1.8 for before, after in itertools.pairwise(found))


def test_two_lines_cross_at_the_very_request() -> None:
    # 10 + n x 0.0001 and n x 0.0003 are equal at 50 000; of equal ones the first counts
    dear_at_rest, dear_in_use = line(10, "0.0001"), line(0, "0.0003")
    assert stretches([dear_in_use, dear_at_rest], grid()) == [
        Stretch(LEAST, 50_000, 0),
        Stretch(50_001, MOST, 1),
    ]
    assert stretches([dear_at_rest, dear_in_use], grid()) == [
        Stretch(LEAST, 49_999, 1),
        Stretch(50_000, MOST, 0),
    ]


def test_a_third_one_between_two_months_of_the_grid() -> None:
    # lowest from 20 001 to 24 999 alone, between 17 783 and 31 623
    found = stretches([line(0, "0.0003"), line(2, "0.0002"), line("4.5", "0.0001")], [17_783, 31_623])
    assert found == [Stretch(17_783, 20_000, 0), Stretch(20_001, 25_000, 1), Stretch(25_001, 31_623, 2)]


def test_one_curve_alone_and_equal_ones() -> None:
    assert stretches([line(1, 1)], grid()) == [Stretch(LEAST, MOST, 0)]
    assert stretches([line(1, 1), line(1, 1)], grid()) == [Stretch(LEAST, MOST, 0)]


def test_a_step_of_tiers_is_found_too() -> None:
    def tiered(requests: int) -> Decimal:
        return Decimal(requests) + max(0, requests - 300_000_000) * Decimal("0.5")

    assert stretches([tiered, line(90_000_000, 1)], grid()) == [
        Stretch(LEAST, 480_000_000, 0),
        Stretch(480_000_001, MOST, 1),
    ]


LINES = st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**4)), min_size=1, max_size=4)


@given(LINES)
def test_of_lines_each_stretch_begins_and_ends_with_its_lowest(found: list[tuple[int, int]]) -> None:
    curves = [line(fixed, Decimal(each).scaleb(-6)) for fixed, each in found]
    stretched = stretches(curves, grid())
    assert (stretched[0].first, stretched[-1].last) == (LEAST, MOST)
    for before, after in itertools.pairwise(stretched):
        assert after.first == before.last + 1
        assert before.curve != after.curve
    for stretch in stretched:
        for requests in (stretch.first, stretch.last):
            lowest = min(curve(requests) for curve in curves)
            assert curves[stretch.curve](requests) == lowest
