"""Money is added and split without a loss."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_sls.costs.report.amounts import Amounts, exactly, split, split_amounts, total

MONEY = st.decimals(min_value=-(10**18), max_value=10**18, places=18)
WEIGHTS = st.lists(st.decimals(min_value=0, max_value=10**9, places=6), min_size=1, max_size=9)


@given(MONEY, WEIGHTS)
def test_parts_add_up_to_the_whole(amount: Decimal, weights: list[Decimal]) -> None:
    with exactly():
        if not any(weights):
            with pytest.raises(ValueError, match="an amount is split by weights of 0 or more"):
                split(amount, weights)
            return
        parts = split(amount, weights)
        assert sum(parts) == amount
        assert all(not part for part, weight in zip(parts, weights, strict=True) if not weight)


def test_what_is_left_over_goes_to_the_greatest_weight() -> None:
    with exactly():
        assert split(Decimal("0.01"), [Decimal(1)] * 3) == [
            Decimal("0.003333333333333334"),
            Decimal("0.003333333333333333"),
            Decimal("0.003333333333333333"),
        ]
        assert split(Decimal(-1), [Decimal(1), Decimal(2)]) == [
            Decimal("-0.333333333333333333"),
            Decimal("-0.666666666666666667"),
        ]


def test_the_four_are_split_alike() -> None:
    with exactly():
        whole = Amounts(Decimal(3), Decimal(0), Decimal(6), Decimal("4.5"))
        parts = split_amounts(whole, {"v1": Decimal(2), "v2": Decimal(1)})
        assert parts["v2"] == Amounts(Decimal(1), Decimal(0), Decimal(2), Decimal("1.5"))
        assert total(parts.values()) == whole


def test_a_sum_keeps_every_digit() -> None:
    with exactly():
        large = Amounts(Decimal(99999999999999999999), *[Decimal(0)] * 3)
        small = Amounts(Decimal("0.000000000000000001"), *[Decimal(0)] * 3)
        assert (large + small).effective == Decimal("99999999999999999999.000000000000000001")
