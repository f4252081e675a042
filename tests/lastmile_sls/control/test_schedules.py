from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lastmile_sls.control.schedules import next_run
from lastmile_sls.plan.cron import expression
from lastmile_sls.spec.cron import parse

NOW = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)  # a Sunday


@pytest.mark.parametrize(
    ("cron", "due"),
    [
        ("0 2 * * *", "2026-11-30T02:00:00Z"),
        ("*/20 * * * *", "2026-11-29T12:40:00Z"),
        ("15 6 * * MON-FRI", "2026-11-30T06:15:00Z"),
        ("0 0 1 1 *", "2027-01-01T00:00:00Z"),
        ("0 12 * * 0", "2026-12-06T12:00:00Z"),
    ],
)
def test_what_clouds_keep_is_read_as_it_was_meant(cron: str, due: str) -> None:
    for cloud in ("aws", "azure"):
        assert next_run(expression(cloud, parse(cron)), NOW) == due


def test_what_somebody_else_wrote_is_left_alone() -> None:
    for other in (None, "", "rate(5 minutes)", "0 2 * * *", "cron(0 2 L * ? *)", "0 */5 * * * x"):
        assert next_run(other, NOW) is None
