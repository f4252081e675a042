"""The Open Inference Protocol, version 2 (github.com/kserve/open-inference-protocol, inference_rest)."""

from __future__ import annotations

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response, json_response
from lastmile_runtime.protocols.inference import infer

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.service import Service

SERVER = {
    "name": "lastmile",
    "version": "0.1.0",
    "extensions": ["binary_tensor_data", "statistics", "model_repository"],
}


def answer(service: Service, request: Request) -> Response:
    """Answer a request whose path begins with `/v2`. Raises RequestError."""
    if request.method == "POST" and request.path == service.infer_path:
        return infer(service, request, None)
    match [_unquote(part) for part in request.path.split("/")[2:] if part]:
        case ["models", "stats"]:
            return _get(request, service.statistics.to_json(service.model, list(service.versions)))
        case ["models", model, *rest]:
            return _of_model(service, request, model, rest)
        case parts:
            return _of_server(service, request, parts)


def _of_server(service: Service, request: Request, parts: list[str]) -> Response:
    match parts:
        case []:
            return _get(request, SERVER)
        case ["health", "live"]:
            return _get(request, {"live": True})
        case ["health", "ready"]:
            return _ready(service, request, service.champion(), {"ready": True, "live": True})
        case ["models"]:
            return _get(request, {"models": [service.model]})
        case ["repository", "index"]:
            return _index(service, request)
    raise _not_a_path(request)


def _of_model(service: Service, request: Request, model: str, rest: list[str]) -> Response:
    if model != service.model:
        raise RequestError(404, f"model {model!r} is not served here; the model is {service.model!r}.")
    version = None
    if len(rest) > 1 and rest[0] == "versions":
        version = service.resolve(rest[1])
        rest = rest[2:]
    match rest:
        case []:
            return _get(request, _metadata(service, version))
        case ["ready"]:
            named = {"name": model, "version": version} if version else {"name": model}
            return _ready(service, request, version or service.champion(), {**named, "ready": True})
        case ["stats"]:
            versions = [version] if version else list(service.versions)
            return _get(request, service.statistics.to_json(model, versions))
        case ["infer"]:
            _require(request, "POST")
            return infer(service, request, version)
    raise _not_a_path(request)


def _get(request: Request, value: dict[str, Any]) -> Response:
    _require(request, "GET")
    return json_response(value)


def _ready(service: Service, request: Request, version: str, ready: dict[str, Any]) -> Response:
    """A version is ready when it is loaded, so this loads it."""
    _require(request, "GET")
    try:
        service.load(version)
    except RequestError as error:
        raise RequestError(503, error.message) from error.__cause__
    return json_response(ready)


def _index(service: Service, request: Request) -> Response:
    """Triton's repository index: a version that loads on its first request is as good as ready."""
    _require(request, "POST")
    failures = service.failures
    states = {True: "UNAVAILABLE", False: "READY"}
    entries = [
        {
            "name": service.model,
            "version": id_,
            "state": states[id_ in failures],
            "reason": failures.get(id_, ""),
        }
        for id_ in service.versions
    ]
    return json_response(entries)


def _metadata(service: Service, version: str | None) -> dict[str, Any]:
    described = service.versions[version or service.champion()]
    return {
        "name": service.model,
        "versions": [version] if version else list(service.versions),
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
