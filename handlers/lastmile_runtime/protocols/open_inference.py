"""The Open Inference Protocol, version 2, over JSON (github.com/kserve/open-inference-protocol, inference_rest)."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lastmile_runtime import router, tensors
from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response, json_response
from lastmile_runtime.tensors import Tensor

if TYPE_CHECKING:
    from lastmile_runtime.manifest import Version
    from lastmile_runtime.models import Models

SERVER = {"name": "lastmile", "version": "0.1.0", "extensions": []}
PIN_HEADER = "x-model-version"


class OpenInference:
    """Answers every path below `/v2`; an error is `{"error": ...}`."""

    def __init__(
        self,
        models: Models,
        routing: dict[str, Any],
        digest: str,
        model: str,
        draw: Callable[[], int] = lambda: random.randrange(router.BUCKETS),  # noqa: S311 - a share, not a secret
    ) -> None:
        self._models = models
        self._routing = routing
        self._digest = digest
        self._model = model
        self._draw = draw

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        try:
            return self._answer(request)
        except RequestError as error:
            return json_response({"error": error.message}, error.status, facts={"error": error.message})

    def _answer(self, request: Request) -> Response:
        match [_unquote(part) for part in request.path.split("/")[2:] if part]:
            case []:
                return self._get(request, SERVER)
            case ["health", "live"]:
                return self._get(request, {"live": True})
            case ["health", "ready"]:
                return self._ready(request, self._routing["champion"], {"ready": True, "live": True})
            case ["models"]:
                return self._get(request, {"models": [self._model]})
            case ["repository", "index"]:
                return self._index(request)
            case ["models", model, *rest]:
                return self._model_path(request, model, rest)
        raise RequestError(404, f"{request.path} is not a path of the Open Inference Protocol.")

    def _model_path(self, request: Request, model: str, rest: list[str]) -> Response:
        if model != self._model:
            raise RequestError(404, f"model {model!r} is not served here; the model is {self._model!r}.")
        match rest:
            case ["versions", name, *rest]:
                pin: str | None = router.resolve(self._routing, name)
            case _:
                pin = None
        match rest:
            case []:
                return self._get(request, self._metadata(pin))
            case ["ready"]:
                version = pin or self._routing["champion"]
                return self._ready(request, version, {"name": model, "ready": True})
            case ["infer"]:
                _require(request, "POST")
                return self._infer(request, pin or request.headers.get(PIN_HEADER))
        raise RequestError(404, f"{request.path} is not a path of the Open Inference Protocol.")

    def _get(self, request: Request, value: Any) -> Response:
        _require(request, "GET")
        return json_response(value)

    def _ready(self, request: Request, version: str, answer: dict[str, Any]) -> Response:
        _require(request, "GET")
        try:
            self._models.load(version)
        except RequestError as error:
            raise RequestError(503, error.message) from error
        return json_response(answer)

    def _index(self, request: Request) -> Response:
        _require(request, "POST")
        return json_response(
            [
                {"name": self._model, "version": id_, "state": "READY", "reason": ""}
                for id_ in self._models.versions
            ]
        )

    def _metadata(self, pin: str | None) -> dict[str, Any]:
        version = self._models.versions[pin or self._routing["champion"]]
        return {
            "name": self._model,
            "versions": [pin] if pin else list(self._models.versions),
            "platform": f"lastmile_{version.predictor}",
            "inputs": [tensor.to_json() for tensor in version.inputs],
            "outputs": [tensor.to_json() for tensor in version.outputs],
        }

    def _infer(self, request: Request, pin: str | None) -> Response:
        document = _parse(request)
        inputs = _inputs(document)
        choice = router.choose(self._routing, pin, self._sticky_key(request), self._draw())
        version = self._models.versions[choice.version]
        wanted = _wanted(document, version)
        _check_names(inputs, version)
        loading = self._models.load(choice.version)
        started = time.perf_counter()
        outputs = self._models.predict(choice.version, inputs)
        predicting = time.perf_counter() - started
        coldstart = self._models.take_coldstart()
        facts = {"version": choice.version, "route": choice.rule, "coldstart": coldstart}
        headers = self._headers(choice, loading, predicting, coldstart=coldstart)
        answer: dict[str, Any] = {"model_name": self._model, "model_version": choice.version}
        if "id" in document:
            answer["id"] = document["id"]
        answer["outputs"] = [_output(tensor) for tensor in _select(outputs, wanted)]
        return json_response(answer, headers=headers, facts=facts)

    def _sticky_key(self, request: Request) -> str | None:
        sticky = self._routing.get("sticky")
        return request.headers.get(sticky["header"]) if sticky else None

    def _headers(
        self, choice: router.Choice, loading: float, predicting: float, *, coldstart: bool
    ) -> dict[str, str]:
        bucket = "" if choice.bucket is None else f"; bucket={choice.bucket}"
        timing = f"load;dur={loading * 1000:.1f}, " if loading else ""
        headers = {
            "x-model-version": choice.version,
            "x-model-digest": self._digest,
            "x-model-route": f"rule={choice.rule}{bucket}",
            "server-timing": f"{timing}predict;dur={predicting * 1000:.2f}",
        }
        return {**headers, "faas.coldstart": "true"} if coldstart else headers


def _require(request: Request, method: str) -> None:
    if request.method != method and not (method == "GET" and request.method == "HEAD"):
        raise RequestError(405, f"{request.path} takes {method}, not {request.method}.")


def _parse(request: Request) -> dict[str, Any]:
    if request.headers.get("inference-header-content-length"):
        raise RequestError(
            400, "binary tensors are not taken here; send JSON data (tritonclient: binary_data=False)."
        )
    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"the body is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise RequestError(400, "the body must be a JSON object with inputs.")
    return document


def _inputs(document: dict[str, Any]) -> list[Tensor]:
    entries = document.get("inputs")
    if not isinstance(entries, list) or not entries:
        raise RequestError(400, "inputs must be a list of at least one tensor.")
    inputs = [tensors.read(entry) for entry in entries]
    names = [tensor.name for tensor in inputs]
    for name in names:
        if names.count(name) > 1:
            raise RequestError(400, f"input {name!r} is there twice.")
    return inputs


def _wanted(document: dict[str, Any], version: Version) -> list[str] | None:
    """Return the outputs that the request asks for; None: all."""
    if not document.get("outputs"):
        return None
    known = [tensor.name for tensor in version.outputs]
    wanted = []
    for entry in document["outputs"]:
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or (known and name not in known):
            raise RequestError(400, f"output {name!r} is not one of the model's: {', '.join(known)}.")
        if (entry.get("parameters") or {}).get("binary_data"):
            raise RequestError(
                400, f"output {name!r} is asked for as binary, but this server answers in JSON only."
            )
        wanted.append(name)
    return wanted


def _check_names(inputs: list[Tensor], version: Version) -> None:
    """Check the inputs of a model that takes tensors; one that takes a table checks its columns itself."""
    if version.columns or not version.inputs:
        return
    known = [tensor.name for tensor in version.inputs]
    given = [tensor.name for tensor in inputs]
    if sorted(known) != sorted(given):
        raise RequestError(400, f"the inputs are {given}, but the model takes {known}.")


def _select(outputs: list[Tensor], wanted: list[str] | None) -> list[Tensor]:
    if wanted is None:
        return outputs
    by_name = {tensor.name: tensor for tensor in outputs}
    missing = [name for name in wanted if name not in by_name]
    if missing:
        raise RequestError(400, f"output {missing[0]!r} is not one of the model's: {', '.join(by_name)}.")
    return [by_name[name] for name in wanted]


def _output(tensor: Tensor) -> dict[str, Any]:
    return {"name": tensor.name, "shape": tensor.shape, "datatype": tensor.datatype, "data": tensor.data}


def _unquote(part: str) -> str:
    if "%" not in part:
        return part
    from urllib.parse import unquote

    return unquote(part)
