"""A budget's period: a calendar month, UTC. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, order=True)
class Period:
    """A month."""

    year: int
    month: int

    @classmethod
    def of(cls, at: datetime) -> Period:
        """Return the month of a moment."""
        here = at.astimezone(UTC)
        return cls(here.year, here.month)

    @classmethod
    def read(cls, text: str) -> Period:
        """Return the month that is written `2026-11`. Raises ValueError."""
        first = date.fromisoformat(f"{text}-01")
        return cls(first.year, first.month)

    @property
    def start(self) -> date:
        """The first day."""
        return date(self.year, self.month, 1)

    @property
    def end(self) -> date:
        """The day after the last."""
        return date(self.year + self.month // 12, self.month % 12 + 1, 1)

    def passed_since(self, day: date, now: datetime) -> timedelta:
        """Return how much of the month has passed since a day of it began."""
        begin = datetime.combine(max(day, self.start), time.min, UTC)
        until = min(now, datetime.combine(self.end, time.min, UTC))
        return max(timedelta(0), until - begin)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
