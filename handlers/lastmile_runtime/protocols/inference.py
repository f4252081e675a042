"""An inference of the Open Inference Protocol: from the request's body to the answer's, with its receipt."""

from __future__ import annotations

import json
import threading
import time

from lastmile_runtime import router, signature, tensors
from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response, json_response

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lastmile_runtime.models import Models
    from lastmile_runtime.tensors import Tensor

PIN_HEADER = "x-model-version"


class Inference:
    """Chooses the version, predicts, and says in the headers what answered."""

    def __init__(
        self, models: Models, routing: dict[str, Any], digest: str, model: str, draw: Callable[[], int]
    ) -> None:
        self._models = models
        self._routing = routing
        self._digest = digest
        self._model = model
        self._draw = draw
        self._cold = threading.Lock()
        """Taken by the first answer of the process, for good."""

    def answer(self, request: Request, version: str | None) -> Response:
        """Answer an inference request; `version` is the path's, which goes before the header's.

        Raises RequestError: 400 for the body, 404 for the pin, 500 when the model fails.
        """
        document = _parse(request)
        pin = version or request.headers.get(PIN_HEADER)
        choice = router.choose(self._routing, pin, self._sticky_key(request), self._draw())
        inputs, wanted = _inputs(document), _wanted(document)
        signature.check_inputs(inputs, self._models.versions[choice.version])
        signature.check_outputs(wanted, self._models.versions[choice.version])
        load_s = self._models.load(choice.version)
        started = time.perf_counter()
        outputs = _select(self._models.predict(choice.version, inputs), wanted)
        predict_s = time.perf_counter() - started
        return self._respond(document, choice, outputs, load_s, predict_s)

    def _respond(
        self,
        document: dict[str, Any],
        choice: router.Choice,
        outputs: list[Tensor],
        load_s: float,
        predict_s: float,
    ) -> Response:
        answer = {"model_name": self._model, "model_version": choice.version}
        if "id" in document:
            answer["id"] = document["id"]
        value = {**answer, "outputs": [tensor.to_json() for tensor in outputs]}
        cold = self._cold.acquire(blocking=False)
        headers = {
            "x-model-version": choice.version,
            "x-model-digest": self._digest,
            "x-model-route": choice.route(),
            "server-timing": _timing(load_s, predict_s, cold=cold),
        }
        facts = {"version": choice.version, "route": choice.route(), "coldstart": cold}
        try:
            return json_response(value, headers=headers, facts=facts)
        except ValueError:
            return json_response(tensors.finite_json(value), headers=headers, facts=facts)

    def _sticky_key(self, request: Request) -> str | None:
        sticky = self._routing.get("sticky")
        return request.headers.get(sticky["header"].lower()) if sticky else None


def _timing(load_s: float, predict_s: float, *, cold: bool) -> str:
    metrics = ["faas.coldstart"] if cold else []
    if load_s:
        metrics.append(f"load;dur={load_s * 1000:.1f}")
    return ", ".join([*metrics, f"predict;dur={predict_s * 1000:.2f}"])


def _parse(request: Request) -> dict[str, Any]:
    if "inference-header-content-length" in request.headers:
        raise RequestError(
            400, "the body holds binary tensors, which are not accepted here; send their data as JSON."
        )
    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"the body is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise RequestError(400, "the body must be a JSON object with inputs.")
    if not isinstance(document.get("id", ""), str):
        raise RequestError(400, f"id is {document['id']!r}, but must be a text.")
    return document


def _inputs(document: dict[str, Any]) -> list[Tensor]:
    entries = document.get("inputs")
    if not isinstance(entries, list) or not entries:
        raise RequestError(400, "inputs must be a list of at least one tensor.")
    inputs = [tensors.read(entry) for entry in entries]
    _require_once("input", [tensor.name for tensor in inputs])
    return inputs


def _wanted(document: dict[str, Any]) -> list[str]:
    """Return the outputs that the request asks for, none for all.

    Where it asks for them as binary, it gets JSON, which the clients that prefer binary read as well.
    """
    entries = document.get("outputs") or []
    if not isinstance(entries, list):
        raise RequestError(400, "outputs must be a list.")
    names = []
    for entry in entries:
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            raise RequestError(400, "each of outputs must be an object with a name.")
        names.append(name)
    _require_once("output", names)
    return names


def _require_once(what: str, names: list[str]) -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise RequestError(400, f"{what} {name!r} is there twice.")
        seen.add(name)


def _select(outputs: list[Tensor], wanted: list[str]) -> list[Tensor]:
    if not wanted:
        return outputs
    by_name = {tensor.name: tensor for tensor in outputs}
    for name in wanted:
        if name not in by_name:
            raise RequestError(400, f"output {name!r} is unknown; the outputs are {', '.join(by_name)}.")
    return [by_name[name] for name in wanted]
