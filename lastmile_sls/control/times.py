"""Times as they are told: UTC, whole milliseconds or seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lastmile_sls.errors import LastmileError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def told(at: datetime | None) -> str | None:
    """Return a time to the second, `2026-11-29T21:00:00Z`."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def told_ms(at: datetime) -> str:
    """Return a time to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(text: str) -> datetime:
    """Return the time that a cloud wrote by RFC 3339, with up to nine digits of a second. Raises ValueError."""
    whole, dot, rest = text.strip().replace("Z", "+00:00").partition(".")
    if dot:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        whole += f".{rest[:digits][:6]:0<6}{rest[digits:]}"
    found = datetime.fromisoformat(whole)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def span(text: str) -> timedelta:
    """Return a time span such as 90s, 10m, 2h or 1d. Raises LastmileError."""
    unit = _UNITS.get(text[-1:])
    if unit is None or not (text[:-1].isascii() and text[:-1].isdigit()) or int(text[:-1]) == 0:
        raise LastmileError(f"--since is {text!r}, but must be a time span such as 90s, 10m, 2h or 1d.")
    return timedelta(seconds=int(text[:-1]) * unit)
