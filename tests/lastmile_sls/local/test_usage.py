"""Requests by day and version, from a function's logs, the rotated ones too."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from lastmile_sls.control.usage import Counted
from lastmile_sls.local import records
from lastmile_sls.local.home import Place
from lastmile_sls.local.logs import log_file
from lastmile_sls.local.records import Owner, Record
from lastmile_sls.local.usage import counted


def line(day: str, **facts: Any) -> str:
    event = {"time": f"{day}T10:00:00.000Z", "level": "info", "function": "predict", **facts}
    return f"{day}T10:00:00.000Z [12] {json.dumps(event)}\n"


def answered(day: str, version: str, duration_ms: float, **facts: Any) -> str:
    return line(day, status=200, version=version, duration_ms=duration_ms, **facts)


def test_what_a_version_answered_at_once_is_counted_by_day(tmp_path: Path) -> None:
    place = Place.of(tmp_path, "m-dev")
    for name, calls in (("predict", ["predict-v2"]), ("predict-v2", [])):
        owner = Owner("urn", "embedded")
        records.put(place, Record("function", name, {"calls": calls}, {}, owner, "2026-11-01T00:00:00Z"))
    place.logs.mkdir(parents=True)
    log = log_file(place, "predict")
    log.with_name("predict.log.2").write_text(answered("2026-10-31", "v1", 9))
    log.with_name("predict.log.1").write_text(
        answered("2026-11-01", "v1", 1) + answered("2026-11-01", "v1", 2)
    )
    log.write_text(
        answered("2026-11-01", "v1", 2, **{"faas.trigger": "http"})
        + answered("2026-11-01", "v2", 0.5)
        + answered("2026-11-01", "v1", 99, **{"faas.trigger": "pubsub"})
        + line("2026-11-01", status=429, duration_ms=0.1, error="throttled")
        + line("2026-11-01", event="shadow", version="v2", duration_ms=4)
        + "2026-11-01T10:00:00.000Z [12] a line of nobody's\nhalf a line"
        + '\n2026-11-01T10:00:00.000Z [12] {"time": "2026\n'
    )
    log_file(place, "predict-v2").write_text(answered("2026-11-01", "v2", 0.4))
    assert counted(place, date(2026, 11, 1)) == (
        Counted(date(2026, 11, 1), "v1", 3, Decimal("1.667")),
        Counted(date(2026, 11, 1), "v2", 1, Decimal("0.500")),
    )
    assert [one.requests for one in counted(place, date(2026, 10, 1))] == [1, 3, 1]
