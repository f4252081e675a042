"""MLflow's scoring server: `/invocations`, and the health paths that it shares with SageMaker's containers.

mlflow.org/docs/latest/ml/deployment/deploy-model-locally, and mlflow.pyfunc.scoring_server 3.17. Errors carry its
members `error_code` and `message` beside the problem's.
"""

from __future__ import annotations

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response
from lastmile_runtime.protocols import predictions, rows
from lastmile_runtime.protocols.bodies import form_of, media_type, object_of, require_method, text_of

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.manifest import Version
    from lastmile_runtime.service import Service
    from lastmile_runtime.tensors import Tensor

MEDIA_TYPES = ("application/json", "text/csv")
FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_CODES = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "RESOURCE_DOES_NOT_EXIST"}


def answer(service: Service, request: Request) -> Response:
    """Answer `/invocations`, `/ping`, `/health` or `/version`. Raises RequestError."""
    try:
        return _answer(service, request)
    except RequestError as error:
        code = _CODES.get(error.status, "BAD_REQUEST" if error.status < 500 else "INTERNAL_ERROR")
        error.members = {"error_code": code, "message": error.message, **error.members}
        raise


def read_form(document: dict[str, Any], version: Version) -> list[Tensor]:
    """Return the inputs of a document with exactly one of the forms, and `params` if it wants.

    Other members are not read, as MLflow does not read them. Raises RequestError (400).
    """
    form = form_of(document, FORMS)
    value = document[form]
    match form:
        case "dataframe_split":
            return rows.from_split(value, version)
        case "dataframe_records":
            return rows.from_records(value, version)
        case "instances":
            return rows.from_instances(value, version)
    return rows.from_inputs(value, version)


def _answer(service: Service, request: Request) -> Response:
    match request.path:
        case "/invocations":
            require_method(request, "POST")
            return _invoke(service, request)
        case "/ping" | "/health":
            require_method(request, "GET")
            return _ping(service)
        case "/version":
            from lastmile_runtime.protocols.open_inference import SERVER

            require_method(request, "GET")
            return Response(200, {"content-type": "application/json"}, str(SERVER["version"]).encode())
    raise RequestError(404, f"{request.path} is not a path of this endpoint; /docs lists them.")


def _invoke(service: Service, request: Request) -> Response:
    inputs = _inputs(service, request)
    if any(name.startswith("x-amzn-sagemaker-") for name in request.headers):
        from lastmile_runtime.protocols import sagemaker

        prediction = sagemaker.predict(service, request, inputs)
    else:
        prediction = service.predict(request, inputs)
    return predictions.respond({"predictions": predictions.rows_of(prediction)}, prediction)


def _inputs(service: Service, request: Request) -> list[Tensor]:
    """Return the inputs of a body in one of the forms, or of CSV with a header."""
    version = service.versions[service.champion()]
    if media_type(request, MEDIA_TYPES) == "text/csv":
        return rows.from_csv(text_of(request), version, header=True)
    return read_form(object_of(request, f"one of {', '.join(FORMS)}"), version)


def _ping(service: Service) -> Response:
    """A server is well when its champion is loaded, so this loads it."""
    try:
        service.load(service.champion())
    except RequestError as error:
        raise RequestError(503, error.message) from error.__cause__
    return Response(200, {"content-type": "application/json"}, b"\n")
