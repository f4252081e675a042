"""Vertex AI's online predictions: `/v1/projects/{p}/locations/{l}/endpoints/{e}:predict`, and its custom containers' route.

cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/predict and /rawPredict. Any endpoint's
id is taken: in the service it is a number that the service chose. Errors carry Google's own member `error` beside the
problem's (cloud.google.com/apis/design/errors), where its clients look for the message.
"""

from __future__ import annotations

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response
from lastmile_runtime.protocols import predictions
from lastmile_runtime.protocols.bodies import require_method
from lastmile_runtime.protocols.kserve_v1 import inputs_of

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from lastmile_runtime.service import Prediction, Service

CONTAINER_PATH = "/v1/vertex:predict"
"""What AIP_PREDICT_ROUTE stands for: the service asks a container there, and wraps its answer itself."""
_STATUSES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def answer(service: Service, request: Request) -> Response:
    """Answer a prediction as the service does. Raises RequestError."""
    try:
        return _answer(service, request)
    except RequestError as error:
        status = _STATUSES.get(error.status, "INVALID_ARGUMENT" if error.status < 500 else "INTERNAL")
        told = {"code": error.status, "message": error.message, "status": status}
        error.members = {"error": told, **error.members}
        raise


def _answer(service: Service, request: Request) -> Response:
    method = request.path.replace("%3A", ":").replace("%3a", ":").rpartition(":")[2]
    if method not in ("predict", "rawPredict"):
        told = (
            f"{request.path} is not a path of Vertex AI's predictions; they end in :predict or :rawPredict."
        )
        raise RequestError(404, told)
    require_method(request, "POST")
    prediction = service.predict(request, inputs_of(service, request))
    value = {"predictions": predictions.rows_of(prediction)}
    if request.path == CONTAINER_PATH:
        return predictions.respond(value, prediction)
    resource = f"{request.path.removeprefix('/v1/').partition('/endpoints/')[0]}/models/{service.model}"
    if method == "rawPredict":
        return predictions.respond(value, prediction, _raw_headers(prediction, resource))
    deployed = {
        "deployedModelId": prediction.version,
        "model": resource,
        "modelDisplayName": service.model,
        "modelVersionId": prediction.version,
    }
    return predictions.respond({**value, **deployed}, prediction)


def _raw_headers(prediction: Prediction, resource: str) -> dict[str, str]:
    """Return what tells the client who answered, where the body is the model's own."""
    return {
        "x-vertex-ai-deployed-model-id": prediction.version,
        "x-vertex-ai-model": resource,
        "x-vertex-ai-model-version-id": prediction.version,
    }
