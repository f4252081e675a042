"""Amounts read well in a sentence, and no line breaks within one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lastmile_sls.compare.money import count, each, money, times


def test_amounts() -> None:
    assert money(Decimal("1234.5"), "USD") == "1\u00a0234.50\u00a0USD"
    assert money(Decimal(0), "EUR") == "0.00\u00a0EUR"
    assert count(10**10) == "10\u00a0000\u00a0000\u00a0000"
    assert [each(Decimal(value)) for value in ("0.01678", "0.0038912", "12.345")] == [
        "0.0168",
        "0.00389",
        "12.3",
    ]
    assert each(None) == ""


@pytest.mark.parametrize(
    ("more", "less", "told"),
    [
        ("6.07", "3.89", "56 % more"),
        ("16.78", "3.89", "4.3 times as much"),
        ("500", "1", "more than 100 times as much"),
        ("5", "0", "more than 100 times as much"),
        ("5", "5", "0 % more"),
    ],
)
def test_how_much_more(more: str, less: str, told: str) -> None:
    assert times(Decimal(more), Decimal(less)) == told
