"""Azure Machine Learning's online endpoints: `POST /score`, and `/swagger.json`, which its clients read.

learn.microsoft.com/azure/machine-learning/how-to-inference-server-http
"""

from __future__ import annotations

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response, json_response
from lastmile_runtime.protocols import rows
from lastmile_runtime.protocols.bodies import media_type, object_of, require_method

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.manifest import Version
    from lastmile_runtime.service import Service
    from lastmile_runtime.tensors import Tensor

_FORMS = ("data", "input_data", "Inputs")
_KINDS = {"BOOL": "boolean", "BYTES": "string", "FP16": "number", "FP32": "number", "FP64": "number"}


def answer(service: Service, request: Request) -> Response:
    """Answer `/score` or `/swagger.json`. Raises RequestError."""
    if request.path == "/swagger.json":
        require_method(request, "GET")
        return json_response(_swagger(service))
    if request.path != "/score":
        raise RequestError(404, f"{request.path} is not a path of this endpoint; /docs lists them.")
    require_method(request, "POST")
    media_type(request, ("application/json",))
    inputs = _inputs(object_of(request, f"one of {', '.join(_FORMS)}"), service.versions[service.champion()])
    prediction = service.predict(request, inputs, pin=request.headers.get("azureml-model-deployment"))
    headers = {**prediction.headers, "azureml-model-deployment": prediction.version}
    return json_response(rows.to_predictions(prediction), headers=headers, facts=prediction.facts)


def _inputs(document: dict[str, Any], version: Version) -> list[Tensor]:
    forms = [name for name in document if name not in ("params", "GlobalParameters")]
    if len(forms) != 1 or forms[0] not in _FORMS:
        told = ", ".join(map(repr, forms)) or "none"
        raise RequestError(400, f"the body must have exactly one of {', '.join(_FORMS)}; it has {told}.")
    value = document[forms[0]]
    if forms[0] == "Inputs" and isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    if isinstance(value, dict) and {"columns", "data"} <= value.keys():
        return rows.from_split(value["columns"], value["data"], version)
    if isinstance(value, dict):
        return rows.from_columns(value, version)
    return rows.from_instances(value, version)


def _swagger(service: Service) -> dict[str, Any]:
    """Return the endpoint as Swagger 2.0, the version that Azure's tools read."""
    version = service.versions[service.champion()]
    names = list(version.columns)
    items: dict[str, Any] = {"type": "object"}
    if names:
        items = {"type": "object", "properties": {name: {"type": "number"} for name in names}}
    elif version.inputs:
        kinds = {spec.name: {"type": _KINDS.get(spec.datatype, "integer")} for spec in version.inputs}
        items = {"type": "object", "properties": kinds}
    body = {"type": "object", "required": ["data"], "properties": {"data": {"type": "array", "items": items}}}
    responses = {
        "200": {"description": "A prediction for each row.", "schema": {"type": "array", "items": {}}}
    }
    score = {
        "operationId": "score",
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "parameters": [{"in": "body", "name": "body", "required": True, "schema": body}],
        "responses": responses,
    }
    return {
        "swagger": "2.0",
        "info": {"title": service.model, "version": service.champion()},
        "paths": {"/score": {"post": score}},
    }
