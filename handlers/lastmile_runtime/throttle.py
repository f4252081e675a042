"""How many requests a process still answers while its deployment is throttled: a token bucket of a second's worth."""

from __future__ import annotations

import time
from _thread import allocate_lock  # threading would cost 4 ms of each cold start
from math import ceil

from lastmile_runtime.errors import BundleError, RequestError

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_LEAST, _MOST = 0.001, 1e6


class Throttle:
    """The member `throttle` of a routing document: `requests_per_s`, of each process.

    Processes do not know of each other, and a store that they would have to ask would cost more than many a prediction.
    """

    __slots__ = ("_at", "_clock", "_lock", "_most", "_tokens", "requests_per_s")

    def __init__(self, document: Mapping[str, Any], clock: Callable[[], float] = time.monotonic) -> None:
        """Read the member. Raises BundleError."""
        rate: Any = document.get("requests_per_s") if isinstance(document, dict) else None
        if type(rate) not in (int, float) or not _LEAST <= rate <= _MOST:
            raise BundleError(
                f"routing.throttle is {document!r}, but must have requests_per_s, {_LEAST:g} to {_MOST:g}."
            )
        self.requests_per_s: float = rate
        self._clock = clock
        self._lock = allocate_lock()
        self._most = max(1.0, rate)
        self._tokens = self._most
        self._at = clock()

    def admit(self) -> None:
        """Let a request through. Raises RequestError (429), with when to come again, for one too many."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._most, self._tokens + max(0.0, now - self._at) * self.requests_per_s)
            self._at = now
            if self._tokens >= 1:
                self._tokens -= 1
                return
            wait_s = ceil((1 - self._tokens) / self.requests_per_s)
        raise RequestError(
            429,
            f"this deployment is throttled to {self.requests_per_s:g} requests a second of each instance; "
            f"try again in {wait_s} s.",
            {"retry-after": str(wait_s)},
        )
