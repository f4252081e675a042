"""How many requests a route lets through: a token bucket, and the headers that tell a client about it."""

from __future__ import annotations

import time
from collections.abc import Callable


class TokenBucket:
    """A sustained rate with room for a burst."""

    def __init__(self, rate_per_s: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate_per_s
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock()

    def take(self) -> float:
        """Take a token; return 0, or the seconds until there is one."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers): the burst and what is left."""
        window_s = max(1, round(self._burst / self._rate))
        policy = f'"default";q={self._burst};w={window_s}'
        left = f'"default";r={int(self._tokens)}'
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]
