"""What the runtime writes in each cloud's form is read back as the same event, and shown in the same line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from lastmile_runtime.forms import application_insights, cloud_logging, emf
from lastmile_runtime.http import Request, Response
from lastmile_runtime.telemetry import Log
from lastmile_sls.control.events import document_of, line_of, read_event

AT = datetime(2026, 11, 29, 12, 0, 1, 123000, UTC)
Form = Callable[[dict[str, Any]], dict[str, Any]]


def written(form: Form | None) -> list[str]:
    lines: list[str] = []
    log = Log("churn-dev-predict", lines.append, form)
    request = Request("POST", "/v2/models/churn/infer", {"x-request-id": "r-2"}, b"")
    facts = {"version": "v2", "model": "churn", "error": "the model\nfailed"}
    log.request(request, Response(500, {}, b"", facts), 0.25)
    log.request(None, Response(400, {}, b"", {}), 0.001)
    log.warning("the store is slow.")
    log.event("info", {"batch": "in/a.csv", "rows": 500})
    return lines


@pytest.mark.parametrize("form", [None, emf.form, cloud_logging.form, application_insights.form])
def test_every_form_is_read_as_the_same_event(form: Form | None) -> None:
    found = [read_event(line, AT, "predict") for line in written(form)]
    assert [line_of(event) for event in found] == [
        (
            "2026-11-29T12:00:01.123Z  error    predict  500  250 ms  v2  POST /v2/models/churn/infer  request_id=r-2"
            "  the model failed"
        ),
        "2026-11-29T12:00:01.123Z  info     predict  400  1 ms",
        "2026-11-29T12:00:01.123Z  warning  predict  the store is slow.",
        '2026-11-29T12:00:01.123Z  info     predict  {"batch": "in/a.csv", "rows": 500}',
    ]
    assert len({event.id for event in found}) == 4


def test_lines_that_are_no_events_are_shown_as_they_are() -> None:
    for line, level in (
        ("plain\n", "info"),
        ("[ERROR] Runtime.ImportModuleError", "error"),
        ("Traceback (most recent call last):", "error"),
        ("{not JSON", "info"),
        ("[1, 2]", "info"),
    ):
        event = read_event(line, AT, "predict")
        assert (event.level, event.text, event.raw) == (level, line.strip(), line)
    assert read_event("said by the cloud", AT, "predict", level="WARNING").level == "warning"


def test_what_the_platform_notes_is_told_apart_and_is_an_error_when_nothing_was_answered() -> None:
    start = read_event(json.dumps({"type": "platform.start", "record": {"requestId": "a"}}), AT, "predict")
    assert (start.is_platform, start.level, start.text) == (True, "info", "platform.start")
    record = {"status": "error", "errorType": "Runtime.OutOfMemory"}
    died = read_event(json.dumps({"type": "platform.report", "record": record}), AT, "predict")
    assert (died.is_platform, died.level, died.text) == (
        False,
        "error",
        "platform.report error Runtime.OutOfMemory",
    )


def test_a_document_has_the_event_as_the_cloud_has_it() -> None:
    event = read_event('{"level": "info", "a": 1}', AT, "predict", id_="7")
    assert document_of(event) == {
        "id": "7",
        "time": "2026-11-29T12:00:01.123Z",
        "level": "info",
        "function": "predict",
        "event": {"level": "info", "a": 1},
    }
