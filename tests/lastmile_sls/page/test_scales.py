"""Round values on an axis, and where they stand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from lastmile_sls.page.scales import Value, compact, dates, linear, logarithmic, thinned


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([Decimal("21.7")], ["0", "5", "10", "15", "20", "25"]),
        ([Decimal("0.0031"), 0], ["0", "0.001", "0.002", "0.003", "0.004"]),
        ([-3, 8], ["-5.0", "-2.5", "0.0", "2.5", "5.0", "7.5", "10.0"]),
        ([], ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        ([100], ["0", "20", "40", "60", "80", "100"]),
        ([1_234_567], ["0", "250000", "500000", "750000", "1000000", "1250000"]),
    ],
)
def test_a_linear_axis_holds_0_and_ends_at_round_values(values: list[Decimal], ticks: list[str]) -> None:
    scale, found = linear(values, 300, 20, 5)
    assert found == [Decimal(tick) for tick in ticks]
    assert (scale.at(found[0]), scale.at(found[-1])) == (300, 20)


def test_a_logarithmic_axis_has_whole_powers_of_ten() -> None:
    scale, ticks = logarithmic([Decimal("0.2"), Decimal(90_000)], 0, 600, 4)
    assert ticks == [Decimal("0.1"), Decimal(10), Decimal(1000), Decimal(100_000)]
    assert [round(scale.at(tick)) for tick in ticks] == [0, 200, 400, 600]
    assert logarithmic([10], 0, 1, 4)[1] == [10, 100]
    with pytest.raises(ValueError, match=r"0\.0 has no place on a logarithmic axis, which is above 0"):
        logarithmic([0], 0, 600, 4)
    with pytest.raises(ValueError, match=r"-1\.0 has no place on a logarithmic axis, which is above 0"):
        scale.at(-1)


def test_days_stand_evenly_apart() -> None:
    scale, ticks = dates([date(2026, 10, 1), date(2026, 10, 31)], 0, 300, 5)
    assert ticks == [date(2026, 10, n) for n in (1, 8, 15, 22, 29)]
    assert scale.at(date(2026, 10, 16)) == 150
    assert dates([date(2026, 10, 1)], 0, 300, 5)[1] == [date(2026, 10, 1), date(2026, 10, 2)]


def test_values_beside_an_axis_are_short() -> None:
    told: list[Value] = [0, 5, Decimal("2.50"), Decimal("0.0020"), 40_000, 1_500_000, Decimal("1E+10"), -2000]
    assert [compact(value) for value in told] == ["0", "5", "2.5", "0.002", "40k", "1.5M", "10G", "-2k"]
    assert compact(date(2026, 10, 3)) == "3 Oct"
    assert list(thinned(7, 3)) == [0, 3, 6]
    assert list(thinned(2, 0)) == [0, 1][:1]
