"""Events as Application Insights reads them from a worker of Azure Functions: one JSON text in `traces.message`.

Of a log record the worker carries level, text, logger and invocation to the host, and nothing of its `extra`
(`on_logging` in github.com/Azure/azure-functions-python-worker, workers/proxy_worker/dispatcher.py; its issues 1327
and 1681), so there are no custom dimensions to fill. `traces | extend event = parse_json(message)` reads the fields.

The host drops what a worker logs outside of an invocation that is under way (`Log` in
github.com/Azure/azure-functions-host, GrpcWorkerChannel.cs); a worker's standard output it takes at any time, under
the category Host.Function.Console. So what is told between two invocations is written there.
"""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import contextmanager

from lastmile_runtime.telemetry import Log

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LOGGER = "lastmile"
"""The logger's name. One that begins with azure.functions would make the worker take events for its own."""
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_LONGEST_TEXT = 4000
_LONGEST_LINE = 400
_MOST_LINES = 40
"""A message may have 32 768 characters (github.com/Particular/NServiceBus.AzureFunctions.InProcess.ServiceBus, issue
474, met that), and JSON that was cut off there cannot be read."""


def form(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event without its time, which Application Insights has already, its texts short enough to arrive."""
    return {name: _cut(value) for name, value in event.items() if name != "time"}


def _cut(value: Any) -> Any:
    """Return a text's beginning, and of a stack's lines the last, which say what happened."""
    if isinstance(value, str):
        return value[:_LONGEST_TEXT]
    if isinstance(value, list):
        return [line[:_LONGEST_LINE] if isinstance(line, str) else line for line in value[-_MOST_LINES:]]
    return value


class Traces(Log):
    """Writes events through the worker's logging during an invocation, and to standard output at other times."""

    def __init__(self, function: str) -> None:
        """Write the events of a function."""
        super().__init__(function, self._put, form)
        self._logger = logging.getLogger(LOGGER)
        self._logger.setLevel(logging.INFO)
        self._here = threading.local()

    @contextmanager
    def invocation(self) -> Iterator[None]:
        """Tell that this thread answers an invocation, to which the worker then counts what it logs."""
        self._here.invoked = True
        try:
            yield
        finally:
            self._here.invoked = False

    def tell(self, event: dict[str, Any]) -> None:
        """Write an event as `telemetry.Log` made it."""
        self._here.level = _LEVELS[event["level"]]
        super().tell(event)

    def _put(self, line: str) -> None:
        if getattr(self._here, "invoked", False):
            self._logger.log(self._here.level, line.rstrip("\n"))
        else:
            sys.stdout.write(line)
            sys.stdout.flush()
