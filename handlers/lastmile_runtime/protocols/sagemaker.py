"""SageMaker's runtime: `POST /endpoints/{name}/invocations` (botocore's service model `sagemaker-runtime`, 2017-05-13).

Errors carry what botocore reads them from: the header `x-amzn-errortype` and the member `message`. A model that fails
is a ModelError (424), as there, which botocore does not send again.
"""

from __future__ import annotations

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response
from lastmile_runtime.protocols import predictions, rows
from lastmile_runtime.protocols.bodies import json_of, media_type, require_method, text_of
from lastmile_runtime.protocols.mlflow import FORMS, MEDIA_TYPES, read_form

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from lastmile_runtime.manifest import Version
    from lastmile_runtime.service import Prediction, Service
    from lastmile_runtime.tensors import Tensor

_PREFIX = "x-amzn-sagemaker-"
_MAX_INFERENCE_ID = 64


def answer(service: Service, request: Request) -> Response:
    """Answer an invocation. Raises RequestError."""
    try:
        return _answer(service, request)
    except RequestError as error:
        raise _as_told_here(error) from error.__cause__


def predict(service: Service, request: Request, inputs: list[Tensor]) -> Prediction:
    """Return a prediction by the variant that the headers ask for; its receipt says which one answered.

    The inference id, what feedback will refer to, is given back and logged. Raises RequestError.
    """
    inference_id = _inference_id(request)
    prediction = service.predict(request, inputs, pin=request.headers.get(f"{_PREFIX}target-variant"))
    prediction.headers["x-amzn-invoked-production-variant"] = prediction.version
    if inference_id:
        prediction.headers[f"{_PREFIX}inference-id"] = inference_id
        prediction.facts["inference_id"] = inference_id
    return prediction


def _answer(service: Service, request: Request) -> Response:
    match request.path.split("/")[1:]:
        case ["endpoints", name, "invocations"]:
            require_method(request, "POST")
        case _:
            raise RequestError(404, f"{request.path} is not a path of SageMaker's runtime.")
    if name != service.model:
        told = f"endpoint {name!r} is not served here; the endpoint is {service.model!r}."
        raise RequestError(404, told)
    inputs = _inputs(request, service.versions[service.champion()])
    prediction = predict(service, request, inputs)
    if _accepts(request) == "text/csv":
        return predictions.respond_csv(prediction)
    return predictions.respond({"predictions": predictions.rows_of(prediction)}, prediction)


def _inputs(request: Request, version: Version) -> list[Tensor]:
    """Return the inputs of CSV without a header, of a bare list of rows, or of one of MLflow's forms."""
    if media_type(request, MEDIA_TYPES) == "text/csv":
        return rows.from_csv(text_of(request), version, header=False)
    document = json_of(request)
    if isinstance(document, list):
        return rows.from_instances(document, version)
    if isinstance(document, dict):
        return read_form(document, version)
    raise RequestError(400, f"the body must be a list of rows, or an object with one of {', '.join(FORMS)}.")


def _accepts(request: Request) -> str:
    """Return the first media type that is asked for and can be given; JSON where none can."""
    for part in request.headers.get("accept", "").lower().split(","):
        kind = part.partition(";")[0].strip()
        if kind in MEDIA_TYPES:
            return kind
    return MEDIA_TYPES[0]


def _inference_id(request: Request) -> str | None:
    value = request.headers.get(f"{_PREFIX}inference-id")
    if value is not None and not (0 < len(value) <= _MAX_INFERENCE_ID and value.isprintable()):
        told = f"{_PREFIX}inference-id has {len(value)} characters; it must have 1 to {_MAX_INFERENCE_ID}, printable."
        raise RequestError(400, told)
    return value


def _as_told_here(error: RequestError) -> RequestError:
    members = {"message": error.message, **error.members}
    match error.status:
        case 500:
            original = {"OriginalStatusCode": 500, "OriginalMessage": error.message}
            headers = {**error.headers, "x-amzn-errortype": "ModelError"}
            return RequestError(424, error.message, headers, {**members, **original})
        case status:
            code = "ServiceUnavailable" if status > 500 else "ValidationError"
            headers = {**error.headers, "x-amzn-errortype": code}
            return RequestError(status, error.message, headers, members)
