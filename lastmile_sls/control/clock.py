"""A cloud's clock, as far as its answers tell it: this machine's own may be wrong by minutes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_WORTH_MENDING = timedelta(seconds=5)
"""A Date header has whole seconds, and is on its way for a while."""


def utc_now() -> datetime:
    """Return this machine's time."""
    return datetime.now(UTC)


class CloudClock:
    """The time in a cloud."""

    def __init__(self, here: Callable[[], datetime] = utc_now) -> None:
        self._here = here
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """Return the time there."""
        return self._here() + self._ahead

    def note(self, date: str | None) -> bool:
        """Learn from an answer's Date header; return whether the clock was mended by it."""
        try:
            ahead = parsedate_to_datetime(date or "") - self._here()
        except ValueError:
            return False
        if abs(ahead - self._ahead) <= _WORTH_MENDING:
            return False
        self._ahead = ahead
        return True
