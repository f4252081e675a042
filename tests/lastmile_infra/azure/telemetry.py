"""What the runtime really writes on Azure, as it is in the workspace's tables: from the adapter and the log itself."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import azure.functions as func
from azure.functions import queue

from lastmile_runtime.adapters.azure import Functions
from lastmile_runtime.adapters.azure_later import Later
from lastmile_runtime.forms import cloud_logging
from lastmile_runtime.forms.application_insights import LOGGER, Traces
from lastmile_runtime.http import Request, Response
from lastmile_runtime.telemetry import Log

NOW = datetime(2026, 11, 29, 10, 0, tzinfo=UTC)
_CONTEXT: Any = SimpleNamespace(invocation_id="invocation-1")
_ATTEMPTS = 3


@dataclass(frozen=True)
class Answered:
    """A request as it went."""

    status: int = 200
    version: str = "v1"
    duration_ms: float = 10.0


@dataclass(frozen=True)
class Worked:
    """A message of the queue as it went."""

    waited_s: float
    fails: bool = False


class _Answering:
    """An application that answers as it is told."""

    service = SimpleNamespace(model="churn")
    cors = None

    def __init__(self, event: Answered | Worked) -> None:
        self._event = event

    def serves(self, path: str) -> bool:
        return True

    def handle(self, request: Request) -> Response:
        assert isinstance(self._event, Answered)
        return Response(self._event.status, {}, b"", {"version": self._event.version})

    def work(self, message: bytes, *, attempt: int, last: bool) -> None:
        assert isinstance(self._event, Worked)
        if self._event.fails:
            raise RuntimeError("no")


def traces(function: str, *told: Answered | Worked) -> list[str]:
    """Return what the function of an app of that name logs: `AppTraces.Message`."""
    with _carried() as lines:
        for event in told:
            application: Any = _Answering(event)
            functions = Functions(application, Traces(function), Later(Traces(function)), _ATTEMPTS, 0.0)
            if isinstance(event, Answered):
                functions.serve(func.HttpRequest("POST", "https://a.example/v2", body=b""), _CONTEXT)
            else:
                _work(functions, event)
    return [_at(line, event) for line, event in zip(lines, told, strict=True)]


def console(*told: Answered) -> list[str]:
    """Return what a container app's function writes to its console: `ContainerAppConsoleLogs.Log`."""
    lines: list[str] = []
    log = Log("predict", lines.append, cloud_logging.form)
    for event in told:
        facts = {"version": event.version}
        log.request(Request("POST", "/v2"), Response(event.status, {}, b"", facts), event.duration_ms / 1000)
    return [line.rstrip("\n") for line in lines]


def set_aside(dead_letters: str) -> str:
    """Return what the host logs when it sets a message aside
    (github.com/Azure/azure-sdk-for-net, QueueProcessor.CopyMessageToPoisonQueueAsync, at 041cac99, read 2026-11-29)."""
    return f"Message has reached MaxDequeueCount of {_ATTEMPTS}. Moving message to queue '{dead_letters}'."


def _work(functions: Functions, event: Worked) -> None:
    made: Any = queue.QueueMessage
    sent_at = datetime.now(UTC) - timedelta(seconds=event.waited_s)
    message = made(id="m1", body=b"{}", dequeue_count=1, insertion_time=sent_at)
    try:
        functions.work(message, _CONTEXT)
    except RuntimeError:
        assert event.fails


def _at(line: str, event: Answered | Worked) -> str:
    """Return an event with the duration that it is to have: how long something takes here is no test's to say."""
    if not isinstance(event, Answered):
        return line
    written = json.loads(line)
    assert written["duration_ms"] >= 0
    return json.dumps({**written, "duration_ms": event.duration_ms})


@contextmanager
def _carried() -> Iterator[list[str]]:
    lines: list[str] = []

    class Carrying(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler = Carrying()
    logging.getLogger(LOGGER).addHandler(handler)
    try:
        yield lines
    finally:
        logging.getLogger(LOGGER).removeHandler(handler)
