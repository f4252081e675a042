"""How often each version was asked on each day, and for how long it worked: rows that `lastmile usage` writes.

JSON lines or CSV, with `day,model,environment,version,requests,duration_ms`. `requests` is a whole number, `duration_ms`
the mean of a request, in milliseconds; it may be empty. Rows of the same version and day are added up.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from lastmile_sls.errors import LastmileError

FIELDS = ("day", "model", "environment", "version", "requests", "duration_ms")
_NEEDED = FIELDS[:5]
_WRITE = "Write such a file with: lastmile usage -o usage.csv"


@dataclass(frozen=True)
class Usage:
    """A version's day."""

    day: date
    model: str
    environment: str
    version: str
    requests: int
    duration_ms: Decimal | None
    """The mean of a request; None where nobody measured it."""

    @property
    def work_ms(self) -> Decimal | None:
        """Return what all requests took together."""
        return None if self.duration_ms is None else self.duration_ms * self.requests


def read_usage(paths: Iterable[Path]) -> tuple[Usage, ...]:
    """Return the rows of the files, by day and version. Raises LastmileError with the line that has no such form."""
    return added(row for path in paths for row in _rows(path))


def added(rows: Iterable[Usage]) -> tuple[Usage, ...]:
    """Return rows with those of the same version and day made one: requests added, durations as their mean."""
    found: dict[tuple[date, str, str, str], Usage] = {}
    for row in rows:
        key = (row.day, row.model, row.environment, row.version)
        found[key] = _sum(found[key], row) if key in found else row
    return tuple(found[key] for key in sorted(found))


def _sum(one: Usage, other: Usage) -> Usage:
    requests = one.requests + other.requests
    works = (one.work_ms, other.work_ms)
    known = works[0] is not None and works[1] is not None and requests > 0
    mean = (
        (works[0] + works[1]) / requests if known and works[0] is not None and works[1] is not None else None
    )
    return Usage(one.day, one.model, one.environment, one.version, requests, mean)


def _rows(path: Path) -> Iterator[Usage]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise LastmileError(f"{path} cannot be read: {reason}.", _WRITE) from error
    entries = _json_lines(path, text) if text.lstrip().startswith("{") else _csv_lines(path, text)
    for number, entry in entries:
        yield _usage(f"{path}, line {number}", entry)


def _json_lines(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line, parse_float=Decimal)
        except ValueError as error:
            raise LastmileError(f"{path}, line {number} is no JSON: {error}.", _WRITE) from error
        if not isinstance(entry, dict):
            raise LastmileError(f"{path}, line {number} is no JSON object.", _WRITE)
        yield number, entry


def _csv_lines(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(text.splitlines())
    missing = [field for field in _NEEDED if field not in (reader.fieldnames or ())]
    if missing:
        has = ", ".join(reader.fieldnames or ()) or "none"
        raise LastmileError(f"{path} has no column {', '.join(missing)}; it has {has}.", _WRITE)
    for entry in reader:
        yield reader.line_num, entry


def _usage(where: str, entry: Mapping[str, Any]) -> Usage:
    for field in _NEEDED:
        if entry.get(field) in (None, ""):
            raise LastmileError(f"{where} has no {field}.", _WRITE)
    duration = entry.get("duration_ms")
    return Usage(
        day=_day(where, entry["day"]),
        model=str(entry["model"]),
        environment=str(entry["environment"]),
        version=str(entry["version"]),
        requests=_requests(where, entry["requests"]),
        duration_ms=None if duration in (None, "") else _duration(where, duration),
    )


def _day(where: str, value: Any) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise LastmileError(f"{where}: day is {value!r}, but a day is written 2026-10-31.", _WRITE) from error


def _requests(where: str, value: Any) -> int:
    found = _number(where, "requests", value)
    if found != found.to_integral_value():
        raise LastmileError(
            f"{where}: requests is {value!r}, but requests are counted in whole numbers.", _WRITE
        )
    return int(found)


def _duration(where: str, value: Any) -> Decimal:
    return _number(where, "duration_ms", value)


def _number(where: str, field: str, value: Any) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if isinstance(value, bool) or not found.is_finite() or found < 0:
        raise LastmileError(f"{where}: {field} is {value!r}, but it is a number of 0 or more.", _WRITE)
    return found
