"""Shadows: versions that see a share of the requests, are compared with what was answered, and never answer."""

from __future__ import annotations

import json
import threading
import time

from lastmile_runtime import signature, tensors
from lastmile_runtime.errors import RequestError

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lastmile_runtime.http import Request
    from lastmile_runtime.queues import Queue
    from lastmile_runtime.service import Prediction, Service
    from lastmile_runtime.telemetry import Log
    from lastmile_runtime.tensors import Tensor

_MOST_AT_ONCE = 4
_SEND_DEADLINE_S = 0.5


class Shadows:
    """Runs shadows after the answer where the process keeps running, else sends them to the queue."""

    def __init__(self, log: Log, queue: Queue | None) -> None:
        """Take the queue of a process that may be frozen after its answer; None for one that keeps running."""
        self._log = log
        self._queue = queue
        self._places = threading.Semaphore(_MOST_AT_ONCE)
        self.service: Service | None = None

    def mirror(self, request: Request, version: str, inputs: list[Tensor], prediction: Prediction) -> None:
        """Arrange for a shadow to see a request. Never raises: what cannot be arranged is told in the log."""
        answered = {
            "version": prediction.version,
            "outputs": [tensor.to_json() for tensor in prediction.outputs],
        }
        if self._queue is None:
            earlier = request.afterwards
            request.afterwards = lambda: self._after(earlier, version, inputs, answered)
            return
        message: dict[str, Any] = {"kind": "shadow", "version": version, "answered": answered}
        message["inputs"] = [tensor.to_json() for tensor in inputs]
        try:
            self._queue.send(json.dumps(tensors.finite(message)).encode(), _SEND_DEADLINE_S)
        except (OSError, ValueError) as error:
            self._log.warning(
                f"the shadow {version!r} did not see a request, which the queue refused: {error}"
            )

    def run(self, message: dict[str, Any], service: Service) -> None:
        """Predict with the shadow that a message of the queue names."""
        inputs = [tensors.read(entry) for entry in message["inputs"]]
        self._compare(service, message["version"], inputs, message["answered"])

    def _after(
        self,
        earlier: Callable[[], None] | None,
        version: str,
        inputs: list[Tensor],
        answered: dict[str, Any],
    ) -> None:
        if earlier:
            earlier()
        if not self._places.acquire(blocking=False):
            self._log.warning(f"the shadow {version!r} did not see a request: {_MOST_AT_ONCE} are under way.")
            return
        try:
            if self.service:
                self._compare(self.service, version, inputs, answered)
        finally:
            self._places.release()

    def _compare(
        self, service: Service, version: str, inputs: list[Tensor], answered: dict[str, Any]
    ) -> None:
        facts: dict[str, Any] = {"event": "shadow", "version": version, "answered_by": answered["version"]}
        started = time.perf_counter()
        try:
            signature.check_inputs(inputs, service.versions[version])
            outputs = service.shadow(version, inputs)
        except (RequestError, KeyError) as error:
            self._log.event("warning", {**facts, "error": f"the shadow failed: {error}"})
            return
        facts["duration_ms"] = round((time.perf_counter() - started) * 1000, 2)
        ours = {tensor.name: tensor.data for tensor in outputs}
        theirs = {output["name"]: output["data"] for output in answered["outputs"]}
        self._log.event("info", {**facts, **_difference(theirs, ours)})


def _difference(theirs: dict[str, list[Any]], ours: dict[str, list[Any]]) -> dict[str, Any]:
    """Return whether two versions agree: in every output that both have, and by how much the numbers differ."""
    both = sorted(theirs.keys() & ours.keys())
    largest, agree = 0.0, bool(both)
    for name in both:
        if len(theirs[name]) != len(ours[name]):
            agree = False
            continue
        for left, right in zip(theirs[name], ours[name], strict=True):
            if left == right or (left in (None, "NaN") and right != right):  # noqa: PLR0124 - only a NaN differs from itself
                continue
            agree = False
            if isinstance(left, (int, float)) and isinstance(right, (int, float)):
                largest = max(largest, abs(left - right))
    return {"agree": agree, "largest_difference": largest}
