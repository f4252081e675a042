"""What a process has counted of each version's requests, in the shape that Triton's statistics have."""

from __future__ import annotations

import time
from _thread import allocate_lock  # threading would cost 4 ms of each cold start

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any


class Count:
    """How often something happened, and for how long in all (nanoseconds)."""

    __slots__ = ("count", "ns")

    def __init__(self) -> None:
        self.count = 0
        self.ns = 0

    def to_json(self) -> dict[str, int]:
        """Return it as Triton has it."""
        return {"count": self.count, "ns": self.ns}


class VersionStatistics:
    """One version's counts."""

    __slots__ = ("fail", "inferences", "last_ms", "success")

    def __init__(self) -> None:
        self.success = Count()
        self.fail = Count()
        self.inferences = 0
        """Rows answered."""
        self.last_ms = 0
        """When the last one was answered, milliseconds since 1970."""


class Statistics:
    """The counts of one process since it began."""

    def __init__(self, versions: list[str]) -> None:
        self.versions = {id_: VersionStatistics() for id_ in versions}
        self._lock = allocate_lock()

    def succeeded(self, version: str, rows: int, duration_s: float) -> None:
        """Count an answer."""
        counts = self.versions[version]
        with self._lock:
            counts.success.count += 1
            counts.success.ns += int(duration_s * 1e9)
            counts.inferences += rows
            counts.last_ms = int(time.time() * 1000)

    def failed(self, version: str, duration_s: float) -> None:
        """Count a prediction that failed."""
        counts = self.versions[version]
        with self._lock:
            counts.fail.count += 1
            counts.fail.ns += int(duration_s * 1e9)

    def to_json(self, model: str, versions: list[str]) -> dict[str, Any]:
        """Return the statistics extension's answer (github.com/triton-inference-server, extension_statistics)."""
        return {"model_stats": [self._of(model, id_) for id_ in versions]}

    def _of(self, model: str, id_: str) -> dict[str, Any]:
        counts = self.versions[id_]
        success = counts.success.to_json()
        none = Count().to_json()
        return {
            "name": model,
            "version": id_,
            "last_inference": counts.last_ms,
            "inference_count": counts.inferences,
            "execution_count": counts.success.count,
            "inference_stats": {
                "success": success,
                "fail": counts.fail.to_json(),
                "queue": none,
                "compute_input": none,
                "compute_infer": success,
                "compute_output": none,
                "cache_hit": none,
                "cache_miss": none,
            },
            "batch_stats": [],
            "memory_usage": [],
        }
