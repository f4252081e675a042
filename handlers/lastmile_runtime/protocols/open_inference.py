"""The Open Inference Protocol, version 2, over JSON (github.com/kserve/open-inference-protocol, inference_rest)."""

from __future__ import annotations

from lastmile_runtime import router
from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response, json_response
from lastmile_runtime.protocols.inference import Inference

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lastmile_runtime.models import Models

SERVER = {"name": "lastmile", "version": "0.1.0", "extensions": []}


class OpenInference:
    """Answers every path from `/v2` on; what it cannot answer is a RequestError."""

    def __init__(
        self, models: Models, routing: dict[str, Any], digest: str, model: str, draw: Callable[[], int]
    ) -> None:
        self._models = models
        self._routing = routing
        self._model = model
        self._inference = Inference(models, routing, digest, model, draw)

    def handle(self, request: Request) -> Response:
        """Answer a request. Raises RequestError."""
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
                return self._of_model(request, model, rest)
        raise _not_a_path(request)

    def _of_model(self, request: Request, model: str, rest: list[str]) -> Response:
        if model != self._model:
            raise RequestError(404, f"model {model!r} is not served here; the model is {self._model!r}.")
        version = None
        if len(rest) > 1 and rest[0] == "versions":
            version = router.resolve(self._routing, rest[1])
            rest = rest[2:]
        match rest:
            case []:
                return self._get(request, self._metadata(version))
            case ["ready"]:
                named = {"name": model, "version": version} if version else {"name": model}
                return self._ready(request, version or self._routing["champion"], {**named, "ready": True})
            case ["infer"]:
                _require(request, "POST")
                return self._inference.answer(request, version)
        raise _not_a_path(request)

    def _get(self, request: Request, value: dict[str, Any]) -> Response:
        _require(request, "GET")
        return json_response(value)

    def _ready(self, request: Request, version: str, answer: dict[str, Any]) -> Response:
        """A version is ready when it is loaded, so this loads it."""
        _require(request, "GET")
        try:
            self._models.load(version)
        except RequestError as error:
            raise RequestError(503, error.message) from error.__cause__
        return json_response(answer)

    def _index(self, request: Request) -> Response:
        """Triton's repository index: a version that loads on its first request is as good as ready."""
        _require(request, "POST")
        failures = self._models.failures
        states = {True: "UNAVAILABLE", False: "READY"}
        entries = [
            {
                "name": self._model,
                "version": id_,
                "state": states[id_ in failures],
                "reason": failures.get(id_, ""),
            }
            for id_ in self._models.versions
        ]
        return json_response(entries)

    def _metadata(self, version: str | None) -> dict[str, Any]:
        described = self._models.versions[version or self._routing["champion"]]
        return {
            "name": self._model,
            "versions": [version] if version else list(self._models.versions),
            "platform": f"lastmile_{described.predictor}",
            "inputs": [tensor.to_json() for tensor in described.inputs],
            "outputs": [tensor.to_json() for tensor in described.outputs],
        }


def _not_a_path(request: Request) -> RequestError:
    return RequestError(404, f"{request.path} is not a path of the Open Inference Protocol.")


def _require(request: Request, method: str) -> None:
    allowed = ("GET", "HEAD") if method == "GET" else (method,)
    if request.method not in allowed:
        message = f"{request.path} takes {method}, not {request.method}."
        raise RequestError(405, message, {"allow": ", ".join(allowed)})


def _unquote(part: str) -> str:
    if "%" not in part:
        return part
    from urllib.parse import unquote

    return unquote(part)
