from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lastmile_sls.control.clock import CloudClock

HERE = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_a_wrong_clock_is_mended_and_a_right_one_left_alone() -> None:
    clock = CloudClock(lambda: HERE)
    assert clock.now() == HERE
    assert not clock.note("Sun, 29 Nov 2026 12:00:03 GMT")
    assert not clock.note(None)
    assert not clock.note("soon")
    assert clock.now() == HERE
    assert clock.note("Sun, 29 Nov 2026 13:00:00 GMT")
    assert clock.now() == HERE + timedelta(hours=1)
    assert not clock.note("Sun, 29 Nov 2026 13:00:02 GMT")
