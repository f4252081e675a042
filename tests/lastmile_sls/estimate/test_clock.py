"""How often clocks strike."""

from __future__ import annotations

from decimal import Decimal
from math import isclose

import pytest

from lastmile_sls.estimate.clock import runs_in_a_month


@pytest.mark.parametrize(
    ("cron", "runs"),
    [
        ("* * * * *", Decimal(730 * 60)),
        ("0 */6 * * *", Decimal(730) / 6),
        ("30 2 * * *", Decimal(730) / 24),
        ("0 9 * * 1-5", Decimal(730) / 24 * 5 / 7),
        ("0 0 1 * *", Decimal(730) / 24 * 12 / Decimal("365.25")),
        ("0 0 29 2 *", Decimal(730) / 24 / Decimal(1461)),
    ],
)
def test_runs_are_counted_over_all_years(cron: str, runs: Decimal) -> None:
    assert isclose(runs_in_a_month(cron), runs)
