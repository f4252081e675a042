"""Cron's five fields. Pure.

What a field means is POSIX's (pubs.opengroup.org/onlinepubs/9799919799/utilities/crontab.html), with steps, and names of
months and days, as every cron has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LONGEST_WAIT_DAYS = 8 * 366


class CronError(ValueError):
    """What is no cron expression; the message goes on after the field's name."""


@dataclass(frozen=True)
class _Field:
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()

    def number(self, text: str, part: str) -> int:
        """Return the number that a text means. Raises CronError."""
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.least
        if not (text.isascii() and text.isdigit() and self.least <= int(text) <= self.most):
            raise CronError(
                f"has {part!r} for the {self.name}, but it must be {self.least} to {self.most}{self._or_names}"
            )
        return int(text)

    @property
    def _or_names(self) -> str:
        return f" or {self.names[0]} to {self.names[-1]}" if self.names else ""


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, WEEKDAYS),
)


@dataclass(frozen=True)
class Cron:
    """When something happens: every minute that is in each field; None: the field is `*`.

    With both days restricted, a day that is in either of them is meant, as in POSIX.
    """

    minutes: tuple[int, ...] | None
    hours: tuple[int, ...] | None
    days: tuple[int, ...] | None
    months: tuple[int, ...] | None
    weekdays: tuple[int, ...] | None
    """0 is Sunday."""


def parse(cron: str) -> Cron:
    """Return what an expression means. Raises CronError, which names the part, for what is none."""
    parts = cron.split()
    if len(parts) != len(_FIELDS):
        raise CronError(
            f"is {cron!r}, which has {len(parts)} fields, but cron's are five: minute hour day month weekday"
        )
    minutes, hours, days, months, weekdays = map(_values, _FIELDS, parts)
    both_sundays = tuple(sorted({day % 7 for day in weekdays})) if weekdays is not None else None
    return Cron(minutes, hours, days, months, both_sundays)


def next_after(cron: Cron, moment: datetime) -> datetime | None:
    """Return the first minute after a moment in which it happens, of the same time zone; None when it never does.

    No date is further off than eight years: 29 February, across a year such as 2100 that has none.
    """
    first = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    hours, minutes = cron.hours or range(24), cron.minutes or range(60)
    for days in range(_LONGEST_WAIT_DAYS):
        day = first + timedelta(days=days)
        if not is_on(cron, day):
            continue
        earliest = (first.hour, first.minute) if days == 0 else (0, 0)
        for hour in hours:
            for minute in minutes:
                if (hour, minute) >= earliest:
                    return day.replace(hour=hour, minute=minute)
    return None


def is_on(cron: Cron, day: datetime) -> bool:
    """Tell whether it happens on a day."""
    if cron.months is not None and day.month not in cron.months:
        return False
    by_day = cron.days is None or day.day in cron.days
    by_weekday = cron.weekdays is None or day.isoweekday() % 7 in cron.weekdays
    if cron.days is None or cron.weekdays is None:
        return by_day and by_weekday
    return by_day or by_weekday


def _values(field: _Field, part: str) -> tuple[int, ...] | None:
    if part == "*":
        return None
    found: set[int] = set()
    for item in part.split(","):
        whole, _, step = item.partition("/")
        low, dash, high = whole.partition("-")
        if whole == "*":
            first, last = field.least, field.most - (field.most == 7)
        else:
            first = field.number(low, part)
            last = field.number(high, part) if dash else (field.most if step else first)
        if "/" in item and not (step.isascii() and step.isdigit() and int(step) > 0):
            raise CronError(f"has {part!r} for the {field.name}, but a step must be a number of at least 1")
        if last < first:
            raise CronError(f"has {part!r} for the {field.name}, which ends before it begins")
        found.update(range(first, last + 1, int(step or 1)))
    return tuple(sorted(found))
