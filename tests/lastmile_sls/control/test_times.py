from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lastmile_sls.control.times import read, span, told, told_ms
from lastmile_sls.errors import LastmileError

MOMENT = datetime(2026, 11, 29, 12, 0, 1, 123000, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-29T12:00:01.123Z",
        "2026-11-29T12:00:01.123000Z",
        "2026-11-29T12:00:01.123000999Z",
        "2026-11-29T13:00:01.123+01:00",
        "2026-11-29T12:00:01.123+0000",
        "2026-11-29T12:00:01.123",
    ],
)
def test_times_of_every_cloud_are_read(text: str) -> None:
    assert read(text) == MOMENT


def test_times_are_told_in_utc() -> None:
    assert (told(MOMENT), told(None), told_ms(MOMENT)) == (
        "2026-11-29T12:00:01Z",
        None,
        "2026-11-29T12:00:01.123Z",
    )
    with pytest.raises(ValueError):
        read("yesterday")


def test_spans() -> None:
    spans = [span(text) for text in ("90s", "10m", "2h", "1d")]
    assert spans == [timedelta(seconds=n) for n in (90, 600, 7200, 86_400)]
    for text in ("", "m", "0m", "-1m", "1.5h", "10", "10 m", "1w"):
        with pytest.raises(LastmileError) as caught:
            span(text)
        assert caught.value.message == (
            f"--since is {text!r}, but must be a time span such as 90s, 10m, 2h or 1d."
        )
