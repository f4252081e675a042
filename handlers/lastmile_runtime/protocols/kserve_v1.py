"""KServe's protocol, version 1 (that of TensorFlow Serving), and Vertex AI's paths, which begin alike.

kserve.github.io/website, V1 protocol. Errors carry its servers' member `error` beside the problem's.
"""

from __future__ import annotations

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response, json_response
from lastmile_runtime.protocols import predictions, rows
from lastmile_runtime.protocols.bodies import media_type, object_of, require_method, require_parameters

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from lastmile_runtime.service import Service
    from lastmile_runtime.tensors import Tensor


def answer(service: Service, request: Request) -> Response:
    """Answer a request whose path begins with `/v1`. Raises RequestError."""
    match _parts(request.path):
        case ["vertex:predict"] | ["projects", _, "locations", _, "endpoints", _]:
            from lastmile_runtime.protocols import vertex

            return vertex.answer(service, request)
        case parts:
            try:
                return _answer(service, request, parts)
            except RequestError as error:
                error.members = {"error": error.message, **error.members}
                raise


def inputs_of(service: Service, request: Request) -> list[Tensor]:
    """Return the inputs of a body with `instances`, or with `inputs`: rows, or columns by name.

    Raises RequestError (400, 415).
    """
    media_type(request, ("application/json",))
    document = object_of(request, "instances")
    if ("instances" in document) == ("inputs" in document):
        raise RequestError(400, "the body must have either instances or inputs.")
    require_parameters(document, "parameters")
    version = service.versions[service.champion()]
    if "inputs" in document:
        return rows.from_inputs(document["inputs"], version)
    return rows.from_instances(document["instances"], version)


def _answer(service: Service, request: Request, parts: list[str]) -> Response:
    match parts:
        case ["models"]:
            require_method(request, "GET")
            return json_response({"models": [service.model]})
        case ["models", name] if name.endswith(":predict"):
            require_method(request, "POST")
            _require_model(service, name.removesuffix(":predict"))
            prediction = service.predict(request, inputs_of(service, request))
            return predictions.respond({"predictions": predictions.rows_of(prediction)}, prediction)
        case ["models", name] if ":" not in name:
            require_method(request, "GET")
            return _ready(service, name)
    raise RequestError(404, f"{request.path} is not a path of KServe's protocol version 1, nor of Vertex AI.")


def _ready(service: Service, name: str) -> Response:
    """A model is ready when its champion is loaded, so this loads it."""
    _require_model(service, name)
    try:
        service.load(service.champion())
    except RequestError as error:
        raise RequestError(503, error.message) from error.__cause__
    return json_response({"name": name, "ready": True})


def _require_model(service: Service, name: str) -> None:
    if name != service.model:
        raise RequestError(404, f"model {name!r} is not served here; the model is {service.model!r}.")


def _parts(path: str) -> list[str]:
    """Return what follows `/v1`; some clients write the colon before `predict` as %3A."""
    if "%" in path:
        from urllib.parse import unquote

        path = unquote(path)
    return [part for part in path.split("/")[2:] if part]
