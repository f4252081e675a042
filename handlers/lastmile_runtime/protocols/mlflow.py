"""MLflow's scoring server: `/invocations`, and the health paths that it shares with SageMaker's containers.

mlflow.org/docs/latest/ml/deployment/deploy-model-locally
"""

from __future__ import annotations

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response, json_response
from lastmile_runtime.protocols import rows
from lastmile_runtime.protocols.bodies import media_type, object_of, require_method, text_of

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.manifest import Version
    from lastmile_runtime.service import Service
    from lastmile_runtime.tensors import Tensor

MEDIA_TYPES = ("application/json", "text/csv")
FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")


def answer(service: Service, request: Request) -> Response:
    """Answer `/invocations`, `/ping`, `/health` or `/version`. Raises RequestError."""
    if request.path == "/invocations":
        require_method(request, "POST")
        prediction = service.predict(request, inputs_of(service, request))
        value = {"predictions": rows.to_predictions(prediction)}
        return json_response(value, headers=prediction.headers, facts=prediction.facts)
    require_method(request, "GET")
    if request.path not in ("/ping", "/health", "/version"):
        raise RequestError(404, f"{request.path} is not a path of this endpoint; /docs lists them.")
    if request.path == "/version":
        return Response(200, {"content-type": "text/plain; charset=utf-8"}, b"lastmile 0.1.0\n")
    try:
        service.load(service.champion())
    except RequestError as error:
        raise RequestError(503, error.message) from error.__cause__
    return Response(200, {"content-type": "application/json"}, b"\n")


def inputs_of(service: Service, request: Request) -> list[Tensor]:
    """Return the inputs of a body in one of MLflow's forms, or of CSV with a header. Raises RequestError (400, 415)."""
    version = service.versions[service.champion()]
    if media_type(request, MEDIA_TYPES) == "text/csv":
        return rows.from_csv(text_of(request), version, header=True)
    return read_form(object_of(request, f"one of {', '.join(FORMS)}"), version)


def read_form(document: dict[str, Any], version: Version) -> list[Tensor]:
    """Return the inputs of a document with exactly one of the forms, and `params` if it wants. Raises RequestError (400)."""
    forms = [name for name in document if name != "params"]
    if len(forms) != 1 or forms[0] not in FORMS:
        told = ", ".join(map(repr, forms)) or "none"
        raise RequestError(400, f"the body must have exactly one of {', '.join(FORMS)}; it has {told}.")
    if document.get("params"):
        raise RequestError(400, "params is not empty, but the model takes none.")
    value = document[forms[0]]
    match forms[0]:
        case "dataframe_split":
            if not isinstance(value, dict) or not {"columns", "data"} <= value.keys():
                raise RequestError(400, "dataframe_split must be an object with columns and data.")
            return rows.from_split(value["columns"], value["data"], version)
        case "dataframe_records":
            return rows.from_records(value, version)
        case "instances":
            return rows.from_instances(value, version)
    return rows.from_inputs(value, version)
