"""What is left to do once a function of Azure's has returned: done in one thread, in order, and never piled up."""

from __future__ import annotations

import queue
import threading
import time

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable

    from lastmile_runtime.telemetry import Log

_MOST_WAITING = 64
_ANSWER_FIRST_S = 0.02
"""The worker sends an answer after the function has returned; meanwhile the interpreter's lock is to be free."""


class Later:
    """A thread that does what it is given."""

    def __init__(self, log: Log) -> None:
        """Tell the log of what was not done."""
        self._log = log
        self._waiting: queue.Queue[tuple[float, Callable[[], None]]] = queue.Queue(_MOST_WAITING)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, work: Callable[[], None]) -> None:
        """Have something done; it is dropped, and that told, when too much waits."""
        try:
            self._waiting.put_nowait((time.monotonic() + _ANSWER_FIRST_S, work))
        except queue.Full:
            self._log.warning(
                f"what was left to do after an answer was dropped: {_MOST_WAITING} wait already."
            )
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lastmile-later", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            due, work = self._waiting.get()
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                work()
            except Exception as error:  # noqa: BLE001 - the thread goes on
                self._log.warning(
                    f"what was left to do after an answer failed: {type(error).__name__}: {error}"
                )
