"""How deliveries wait: for as long as something may take, and no longer than until they are told to end."""

from __future__ import annotations

import threading
import time

from lastmile_sls.errors import LastmileError


class Patience:
    """Time, for whoever waits; one for all deliveries of a run."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def now(self) -> float:
        """Return seconds that only ever grow."""
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        """Wait. Raises LastmileError when everything is to end."""
        if self._ended.wait(seconds):
            raise LastmileError("stopped before the end.", "Run again; what has arrived is not sent again.")

    def end(self) -> None:
        """Let everybody who waits, or is about to, give up."""
        self._ended.set()


class Backoff:
    """Pauses that grow, until a deadline."""

    def __init__(
        self, patience: Patience, deadline_s: float, first_s: float = 1.0, longest_s: float = 15.0
    ) -> None:
        self._patience = patience
        self._ends_at = patience.now() + deadline_s
        self._next_s = first_s
        self._longest_s = longest_s

    def pause(self) -> bool:
        """Wait for a while; return False, without waiting, when the deadline would pass meanwhile."""
        if self._patience.now() + self._next_s > self._ends_at:
            return False
        self._patience.pause(self._next_s)
        self._next_s = min(2 * self._next_s, self._longest_s)
        return True
