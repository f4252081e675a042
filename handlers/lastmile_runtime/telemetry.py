"""One structured event per request, under OpenTelemetry's FaaS names, written in the platform's own form."""

from __future__ import annotations

import time
from _thread import allocate_lock  # threading would cost 4 ms of each cold start

from lastmile_runtime import jsons

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lastmile_runtime.http import Request, Response

    Form = Callable[[dict[str, Any]], dict[str, Any]]


class Log:
    """Writes one JSON line per event."""

    def __init__(
        self,
        function: str,
        write: Callable[[str], Any],
        form: Form | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Write to `write`.

        Args:
            function: The function's name.
            write: Takes a line with its end.
            form: Turns an event into the platform's own form; None writes it as it is.
            clock: Seconds since 1970.
        """
        self._function = function
        self._write = write
        self._form = form
        self._clock = clock
        self._lock = allocate_lock()
        self._second = (-1, "")
        """The last second that was written, and how."""

    def request(self, request: Request | None, response: Response, duration_s: float) -> None:
        """Say what was answered; `request` is None when its head could not be read."""
        status = response.status
        event: dict[str, Any] = {
            "time": self._now(),
            "level": "error" if status >= 500 else "info",
            "function": self._function,
        }
        if request is not None:
            event["method"], event["path"] = request.method, request.path
        event["status"], event["duration_ms"] = status, round(duration_s * 1000, 2)
        if request is not None:
            headers = request.headers
            if "x-request-id" in headers:
                event["request_id"] = headers["x-request-id"]
            if "traceparent" in headers:
                event["traceparent"] = headers["traceparent"]
        event.update(response.facts)
        self.tell(event)

    def warning(self, message: str) -> None:
        """Say what went wrong outside of an answer."""
        self.event("warning", {"error": message})

    def event(self, level: str, facts: dict[str, Any]) -> None:
        """Write an event; `level` is info, warning or error."""
        self.tell({"time": self._now(), "level": level, "function": self._function, **facts})

    def _now(self) -> str:
        now = self._clock()
        second, text = self._second
        if int(now) != second:
            second = int(now)
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = (second, text)
        return f"{text}.{int(now * 1000) % 1000:03d}Z"

    def tell(self, event: dict[str, Any]) -> None:
        """Write an event that has its time, level and function."""
        line = jsons.dumps(
            self._form(event) if self._form else event, separators=(", ", ": "), allow_nan=True
        )
        try:
            with self._lock:
                self._write(line + "\n")
        except OSError:
            # Nobody reads the log any more: the host is gone, and the watch on it ends this process.
            return
