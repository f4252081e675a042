"""Amounts, shares and days in words."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from lastmile_sls.costs.report.words import count, days, exact, money, percent, rounding, signed, small


def test_amounts_are_told_to_the_cent_and_never_as_nothing() -> None:
    told = ["1234567.005", "0.004", "-0.004", "0", "-12.345", "0.015", "0.005"]
    assert [money(Decimal(one)) for one in told] == [
        *("1\u00a0234\u00a0567.00", "<0.01", ">-0.01", "0.00", "-12.34", "0.02", "0.00"),
    ]
    assert [small(Decimal(one)) for one in ("0", "0.00387149", "12.345678", "1234.5", "-0.5")] == [
        *("0.00", "0.003871", "12.35", "1\u00a0234.50", "-0.5000"),
    ]


def test_shares_and_changes() -> None:
    assert [percent(Decimal(one)) for one in ("0.0421", "0.0001", "0", "1")] == [
        "4.2 %",
        "<0.1 %",
        "0.0 %",
        "100.0 %",
    ]
    assert [signed(Decimal(one)) for one in ("3.14159", "-0.25", "1234")] == [
        "+3.1 %",
        "-0.2 %",
        "+1\u00a0234.0 %",
    ]


def test_documents_keep_every_digit_without_exponents() -> None:
    told = ["1.500000000000000000", "1E+3", "-0.00", "0.000000000000000001", "100"]
    assert [exact(Decimal(one)) for one in told] == ["1.5", "1000", "0", "0.000000000000000001", "100"]


def test_what_rounding_leaves() -> None:
    parts = [Decimal("0.333"), Decimal("0.333"), Decimal("0.334")]
    assert rounding(parts, sum(parts, Decimal(0))) == Decimal("0.01")


def test_days_and_counts() -> None:
    first = date(2026, 10, 1)
    assert days(first, first) == "1 October 2026"
    assert days(first, date(2026, 10, 31)) == "1 to 31 October 2026"
    assert days(date(2026, 9, 3), first) == "3 September to 1 October 2026"
    assert days(date(2025, 12, 31), first) == "31 December 2025 to 1 October 2026"
    assert [count(n, "file") for n in (1, 2000)] == ["1 file", "2\u00a0000 files"]
