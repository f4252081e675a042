"""A schedule: what the host's clock sends to a queue, and a file that says when it last did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lastmile_sls.files import write_private
from lastmile_sls.local.home import Place
from lastmile_sls.local.records import Record
from lastmile_sls.local.resources.kind import Kind
from lastmile_sls.spec.cron import CronError, parse


@dataclass(frozen=True)
class Past:
    """What has been of a schedule."""

    cron: str
    """When it is, as it was then: what was due by another one is not made up for."""
    counted_to: str
    """Up to here nothing is due any more; ISO 8601, UTC."""
    sent_at: str | None = None
    """When a message was last sent, by the clock or by somebody who did not wait for it."""


class Schedule(Kind):
    """Outputs: `path`."""

    def check(self, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The expression must be one."""
        try:
            parse(str(inputs.get("cron", "* * * * *")))
        except CronError as error:
            return [("cron", f"cron {error}.")]
        return []

    def make(self, place: Place, record: Record) -> dict[str, Any]:
        """Begin to count, or go on from where it was, unless the expression is another one."""
        past = read_past(place, record.name)
        cron = str(record.inputs["cron"])
        if past is None or past.cron != cron:
            write_past(
                place, record.name, Past(cron, told(datetime.now(UTC)), past.sent_at if past else None)
            )
        return {"path": str(past_file(place, record.name))}

    def drifted(self, place: Place, record: Record) -> list[str]:
        """Return `path` when the file is gone."""
        return [] if past_file(place, record.name).exists() else ["path"]

    def remove(self, place: Place, record: Record) -> None:
        """Forget what has been."""
        past_file(place, record.name).unlink(missing_ok=True)


def past_file(place: Place, name: str) -> Path:
    """Return where a schedule's past is kept."""
    return place.root / "schedules" / f"{name}.json"


def read_past(place: Place, name: str) -> Past | None:
    """Return what has been of a schedule; None when nothing is known."""
    try:
        return Past(**json.loads(past_file(place, name).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_past(place: Place, name: str, past: Past) -> None:
    """Keep what has been of a schedule. Raises LastmileError when the disk is full."""
    write_private(past_file(place, name), json.dumps(asdict(past), indent=1).encode())


def told(moment: datetime) -> str:
    """Return a moment as it is kept and shown."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


KIND = Schedule()
