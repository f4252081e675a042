"""Shadows: versions that see a share of the requests, are compared with what was answered, and never answer."""

from __future__ import annotations

import os
import threading
import time
from math import isclose

from lastmile_runtime import jsons, signature, tensors
from lastmile_runtime.errors import RequestError
from lastmile_runtime.stores import NotFound, StoreError
from lastmile_runtime.stores.deadline import within

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lastmile_runtime.http import Request
    from lastmile_runtime.queues import Queue
    from lastmile_runtime.service import Prediction, Service
    from lastmile_runtime.stores import Store
    from lastmile_runtime.telemetry import Log
    from lastmile_runtime.tensors import Tensor

_MOST_AT_ONCE = 4
_SEND_DEADLINE_S = 0.5
_PUT_DEADLINE_S = 1.0
"""What a request waits for the store when a shadow is to see more than a message can carry."""
_FOLDER = "shadows"
_TOLERANCE = 1e-6


class Shadows:
    """Runs shadows after the answer where the process keeps running, else sends them to the queue."""

    def __init__(self, log: Log, queue: Queue | None, store: Store | None = None) -> None:
        """Take the queue of a process that may be frozen after its answer; None for one that keeps running.

        The store is for what is too large for a message of the queue.
        """
        self._log = log
        self._queue = queue
        self._store = store
        self._places = threading.Semaphore(_MOST_AT_ONCE)
        self.service: Service | None = None

    def mirror(self, request: Request, version: str, inputs: list[Tensor], prediction: Prediction) -> None:
        """Arrange for a shadow to see a request. Never raises: what cannot be arranged is told in the log."""
        if self._queue is None:
            earlier = request.afterwards
            request.afterwards = lambda: self._after(earlier, version, inputs, prediction)
            return
        message: dict[str, Any] = {"kind": "shadow", "version": version, "answered_by": prediction.version}
        message["inputs"] = [tensor.to_json() for tensor in inputs]
        message["outputs"] = [tensor.to_json() for tensor in prediction.outputs]
        try:
            # Not every queue takes every character.
            content = jsons.dumps(tensors.finite(message), ensure_ascii=True).encode()
            if len(content) > self._queue.most_bytes:
                content = self._put(content, self._queue.most_bytes)
            self._queue.send(content, _SEND_DEADLINE_S)
        except (OSError, StoreError, ValueError, TypeError) as error:
            self._log.warning(
                f"the shadow {version!r} did not see a request, which the queue refused: {error}"
            )

    def _put(self, content: bytes, most: int) -> bytes:
        """Keep a message that is too long in the store, and return one that says where. Raises OSError or StoreError."""
        store = self._store
        if store is None:
            raise OSError(
                f"the message has {len(content)} bytes, but may have {most}, and there is no store."
            )
        at = f"{_FOLDER}/{os.urandom(16).hex()}.json"
        within(lambda: store.put(at, content), _PUT_DEADLINE_S)
        return jsons.dumps({"kind": "shadow", "at": at}).encode()

    def run(self, message: dict[str, Any], service: Service) -> None:
        """Predict with the shadow that a message of the queue names, or that one in the store does, which is then deleted.

        Raises StoreError.
        """
        at = message.get("at")
        if at is None:
            self._run(message, service)
            return
        if self._store is None:
            raise StoreError(f"{at} cannot be read: LASTMILE_JOBS_URL is not set any more.")
        try:
            found = self._store.get(at)
        except NotFound:
            return  # it was done before, or has expired
        assert found is not None
        self._run(jsons.loads(found.content), service)
        self._store.delete(at)

    def _run(self, message: dict[str, Any], service: Service) -> None:
        inputs, outputs = (
            [tensors.read(entry) for entry in message[tensor]] for tensor in ("inputs", "outputs")
        )
        self._compare(service, message["version"], inputs, message["answered_by"], outputs)

    def _after(
        self,
        earlier: Callable[[], None] | None,
        version: str,
        inputs: list[Tensor],
        prediction: Prediction,
    ) -> None:
        if earlier:
            earlier()
        if not self._places.acquire(blocking=False):
            self._log.warning(f"the shadow {version!r} did not see a request: {_MOST_AT_ONCE} are under way.")
            return
        try:
            if self.service:
                self._compare(self.service, version, inputs, prediction.version, prediction.outputs)
        finally:
            self._places.release()

    def _compare(
        self,
        service: Service,
        version: str,
        inputs: list[Tensor],
        answered_by: str,
        outputs: list[Tensor],
    ) -> None:
        facts: dict[str, Any] = {"event": "shadow", "version": version, "answered_by": answered_by}
        started = time.perf_counter()
        try:
            ours = _predict(service, version, inputs)
        except RequestError as error:
            self._log.event("warning", {**facts, "error": f"the shadow failed: {error}"})
            return
        facts["duration_ms"] = round((time.perf_counter() - started) * 1000, 2)
        self._log.event("info", {**facts, **_difference(outputs, ours)})


def _predict(service: Service, version: str, inputs: list[Tensor]) -> list[Tensor]:
    if version not in service.versions:
        raise RequestError(404, f"there is no version {version!r}.")
    signature.check_inputs(inputs, service.versions[version])
    return service.shadow(version, inputs)


def _difference(theirs: list[Tensor], ours: list[Tensor]) -> dict[str, Any]:
    """Return whether two versions agree: in every output that both have, and by how much the numbers differ.

    Numbers agree within a millionth, because a model that was compiled, or computes in single precision, is as good.
    """
    found = {tensor.name: tensor.data for tensor in ours}
    pairs = [(tensor.data, found[tensor.name]) for tensor in theirs if tensor.name in found]
    largest, agree = 0.0, bool(pairs)
    for left_data, right_data in pairs:
        agree = agree and len(left_data) == len(right_data)
        for left, right in zip(left_data, right_data, strict=False):
            if left == right or (left != left and right != right):  # noqa: PLR0124 - only a NaN differs from itself
                continue
            if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
                agree = False
                continue
            largest = max(largest, abs(left - right))
            agree = agree and isclose(left, right, rel_tol=_TOLERANCE)
    return {"agree": agree, "largest_difference": tensors.finite(largest)}
