"""SageMaker's runtime: `POST /endpoints/{name}/invocations` (botocore's service model `sagemaker-runtime`)."""

from __future__ import annotations

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response, json_response
from lastmile_runtime.protocols import rows
from lastmile_runtime.protocols.bodies import json_of, media_type, require_method, text_of
from lastmile_runtime.protocols.mlflow import FORMS, MEDIA_TYPES, read_form

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from lastmile_runtime.manifest import Version
    from lastmile_runtime.service import Service
    from lastmile_runtime.tensors import Tensor

_PREFIX = "x-amzn-sagemaker-"


def answer(service: Service, request: Request) -> Response:
    """Answer an invocation. Raises RequestError."""
    match request.path.split("/")[1:]:
        case ["endpoints", name, "invocations"] if name == service.model:
            require_method(request, "POST")
        case ["endpoints", name, "invocations"]:
            raise RequestError(
                404, f"endpoint {name!r} is not served here; the endpoint is {service.model!r}."
            )
        case _:
            raise RequestError(404, f"{request.path} is not a path of SageMaker's runtime.")
    pin = request.headers.get(f"{_PREFIX}target-variant")
    inputs = _inputs(request, service.versions[service.champion()])
    prediction = service.predict(request, inputs, pin=pin)
    headers = {**prediction.headers, "x-amzn-invoked-production-variant": prediction.version}
    facts = prediction.facts
    if inference_id := request.headers.get(f"{_PREFIX}inference-id"):
        facts["inference_id"] = inference_id
        headers[f"{_PREFIX}inference-id"] = inference_id
    if request.headers.get("accept", "").startswith("text/csv"):
        body = rows.to_csv(prediction).encode()
        return Response(200, {"content-type": "text/csv; charset=utf-8", **headers}, body, facts)
    return json_response({"predictions": rows.to_predictions(prediction)}, headers=headers, facts=facts)


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
