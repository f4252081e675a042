"""What is counted of a deployment, from the events that its functions log: under OpenTelemetry's FaaS names."""

from __future__ import annotations

import bisect
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lastmile_sls.local.queue import Counts

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Those of OpenTelemetry's duration metrics (semantic conventions, faas.invoke_duration), and two below."""
_OTHER = "other"
_TRIGGERS = ("http", "pubsub")

Labels = tuple[str, ...]


@dataclass(frozen=True)
class FunctionState:
    """What runs of a function now."""

    instances: Mapping[str, int]
    """By state."""
    in_flight: int
    memory_bytes: float
    restarts: int


@dataclass(frozen=True)
class State:
    """A deployment at the moment it is looked at."""

    functions: Mapping[str, FunctionState]
    queues: Mapping[str, tuple[Counts, float]]
    """The counts, and the age of the oldest message that is not set aside, seconds."""


class Histogram:
    """Durations by labels."""

    def __init__(self) -> None:
        self.counts: dict[Labels, list[int]] = {}
        """How many fell between a bound and the one before it; the last beyond all bounds."""
        self.sums: Counter[Labels] = Counter()

    def observe(self, labels: Labels, milliseconds: object) -> None:
        """Add a duration; what is no number is left out."""
        if not isinstance(milliseconds, (int, float)) or milliseconds < 0:
            return
        seconds = milliseconds / 1000
        counts = self.counts.setdefault(labels, [0] * (len(BUCKETS_S) + 1))
        counts[bisect.bisect_left(BUCKETS_S, seconds)] += 1
        self.sums[labels] += seconds  # type: ignore[assignment] # a Counter of floats is a Counter all the same


class Metrics:
    """Counts since the host began. No label takes a value that a caller or a model's output could invent."""

    def __init__(self) -> None:
        self.invocations: Counter[Labels] = Counter()
        """By function, trigger, version, status, and whether the process was cold."""
        self.durations = Histogram()
        """Of whole invocations, by function, trigger and version."""
        self.predictions = Histogram()
        """Of the model alone, by function and version."""
        self.loads = Histogram()
        """Of models into memory, by function and version."""
        self.stand_ins: Counter[Labels] = Counter()
        """Answers of the champion for a challenger that failed, by function and challenger."""
        self.shadows: Counter[Labels] = Counter()
        """Comparisons by function, shadow, the version that answered, and `agree`, `differ` or `error`."""
        self.refusals: Counter[Labels] = Counter()
        """Requests that no function answered, by the status that the gateway answered instead."""
        self._versions: dict[str, frozenset[str]] = {}

    def know(self, function: str, versions: Iterable[str]) -> None:
        """Take the versions that a function serves: the values that its version label may have."""
        self._versions[function] = frozenset(versions)

    def refused(self, status: int) -> None:
        """Count a request that the function did not answer."""
        self.refusals[(str(int(status)),)] += 1

    def observe(self, function: str, line: str) -> None:
        """Take a line of a function's output; one that is not an event of the runtime's says nothing."""
        if not is_event(line):
            return
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(event, dict) or event.get("function") != function:
            return
        if event.get("event") == "shadow":
            self._observe_shadow(function, event)
        elif isinstance(event.get("status"), int):
            self._observe_invocation(function, event)

    def _observe_invocation(self, function: str, event: dict[str, Any]) -> None:
        version = self._version(function, event.get("version"))
        trigger = event.get("faas.trigger", "http")
        trigger = trigger if trigger in _TRIGGERS else _OTHER
        status = _status(event.get("job_status", event["status"]))
        cold = "true" if event.get("faas.coldstart") is True else "false"
        self.invocations[function, trigger, version, status, cold] += 1
        self.durations.observe((function, trigger, version), event.get("duration_ms"))
        if version:
            self.predictions.observe((function, version), event.get("predict_ms"))
            self.loads.observe((function, version), event.get("load_ms"))
        failed = str(event.get("route", "")).partition("; failed=")[2]
        if failed:
            self.stand_ins[function, self._version(function, failed)] += 1

    def _observe_shadow(self, function: str, event: dict[str, Any]) -> None:
        result = "error" if "error" in event else "agree" if event.get("agree") is True else "differ"
        shadow, other = (self._version(function, event.get(name)) for name in ("version", "answered_by"))
        self.shadows[function, shadow, other, result] += 1

    def _version(self, function: str, given: object) -> str:
        if given is None:
            return ""
        return given if isinstance(given, str) and given in self._versions.get(function, ()) else _OTHER


def is_event(line: str) -> bool:
    """Tell whether a line of a function's output looks like an event of the runtime's (`lastmile_runtime.telemetry`)."""
    return line.startswith('{"time": ')


def _status(given: object) -> str:
    return str(given) if isinstance(given, int) and 100 <= given <= 599 else _OTHER
