"""One structured event per request, under OpenTelemetry's FaaS names, written in the platform's own form."""

from __future__ import annotations

import json
import threading
import time

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
        self._lock = threading.Lock()

    def request(self, request: Request | None, response: Response, duration_s: float) -> None:
        """Say what was answered; `request` is None when its head could not be read."""
        entry: dict[str, Any] = {"status": response.status, "duration_ms": round(duration_s * 1000, 2)}
        if request is not None:
            entry = {"method": request.method, "path": request.path, **entry}
            headers = request.headers
            for header, name in (("x-request-id", "request_id"), ("traceparent", "traceparent")):
                if header in headers:
                    entry[name] = headers[header]
        self.event("error" if response.status >= 500 else "info", {**entry, **response.facts})

    def warning(self, message: str) -> None:
        """Say what went wrong outside of an answer."""
        self.event("warning", {"error": message})

    def event(self, level: str, facts: dict[str, Any]) -> None:
        """Write an event; `level` is info, warning or error."""
        now = self._clock()
        stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now * 1000) % 1000:03d}Z"
        event = {"time": stamp, "level": level, "function": self._function, **facts}
        line = json.dumps(self._form(event) if self._form else event, ensure_ascii=False)
        try:
            with self._lock:
                self._write(line + "\n")
        except OSError:
            # Nobody reads the log any more: the host is gone, and the watch on it ends this process.
            return
