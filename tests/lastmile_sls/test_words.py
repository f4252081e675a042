"""Numbers as people read them."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.words import grouped, size


def test_bytes() -> None:
    assert [size(count) for count in (0, 999, 78_800, 2_500_000, 7 * 10**9, 10**13)] == [
        *("0 B", "999 B", "78.8 kB", "2.5 MB", "7 GB", "1e+04 GB"),
    ]


def test_groups_of_digits_stay_on_one_line() -> None:
    assert [grouped(999), grouped(-1_234_567)] == ["999", "-1\u00a0234\u00a0567"]
    assert grouped(Decimal("1234567.8"), ".2f") == "1\u00a0234\u00a0567.80"
