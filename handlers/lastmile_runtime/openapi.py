"""The endpoint as an OpenAPI 3.1 document, made from the models' signatures: pure."""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.manifest import TensorSpec, Version

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_ERROR = {"$ref": "#/components/schemas/Error"}
_REFUSALS = {
    400: "The body cannot be read.",
    401: "The key or token is missing or not valid.",
    404: "There is no such model or version.",
    405: "The path takes another method.",
    413: "The body is too large.",
    415: "The body's media type or charset is not taken.",
    422: "The values break the contract.",
    500: "The model failed.",
    503: "The model cannot be loaded, or a store does not answer.",
}


def describe(model: str, versions: list[Version], champion: str, *, auth: str, jobs: bool) -> dict[str, Any]:
    """Return the document.

    Args:
        model: The model's name.
        versions: What is served.
        champion: The version whose signature is shown; all versions take the same inputs.
        auth: `key`, `jwt` or `public`.
        jobs: Whether requests may be answered later.
    """
    version = next(v for v in versions if v.id == champion)
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": model, "version": champion, "description": _introduction(versions, jobs=jobs)},
        "paths": _paths(model, version, jobs=jobs),
        "components": {"schemas": _schemas(version)},
    }
    schemes = {
        "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
        "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    }
    if auth in schemes:
        document["components"]["securitySchemes"] = {auth: schemes[auth]}
        document["security"] = [{auth: []}]
    return document


def example_rows(version: Version) -> list[Any]:
    """Return one row as KServe, MLflow and the clouds' clients send it, that the model's signature takes."""
    if version.columns:
        kinds = {spec.name: spec.datatype for spec in version.inputs}
        if any(kinds.get(name) == "BYTES" for name in version.columns):
            return [{name: _value(kinds.get(name, "FP64")) for name in version.columns}]
        return [[0.0] * len(version.columns)]
    if len(version.inputs) == 1:
        return [_nested(version.inputs[0].datatype, _sizes(version.inputs[0])[1:])]
    return [{spec.name: _nested(spec.datatype, _sizes(spec)[1:]) for spec in version.inputs}]


def example_inputs(version: Version) -> list[dict[str, Any]]:
    """Return the inputs of an Open Inference request that the model's signature takes."""
    if version.columns and not any(spec.datatype == "BYTES" for spec in version.inputs):
        data = [0.0] * len(version.columns)
        return [{"name": "input", "shape": [1, len(data)], "datatype": "FP64", "data": data}]
    return [
        {
            "name": spec.name,
            "shape": _sizes(spec),
            "datatype": spec.datatype,
            "data": _nested(spec.datatype, _sizes(spec)),
        }
        for spec in version.inputs
    ]


def _sizes(spec: TensorSpec) -> list[int]:
    return [1 if size == -1 else size for size in spec.shape]


def _value(datatype: str) -> Any:
    if datatype == "BOOL":
        return False
    if datatype == "BYTES":
        return "text"
    return 0.0 if datatype.startswith("FP") else 0


def _nested(datatype: str, sizes: list[int]) -> Any:
    if not sizes:
        return _value(datatype)
    return [_nested(datatype, sizes[1:]) for _ in range(sizes[0])]


def _introduction(versions: list[Version], *, jobs: bool) -> str:
    ids = ", ".join(version.id for version in versions)
    told = f"Versions: {ids}. The header x-model-version asks for one, or for champion, challenger or shadow."
    later = " With `prefer: respond-async` the answer comes later: see the path /jobs/{id}."
    return told + (later if jobs else "")


def _paths(model: str, version: Version, *, jobs: bool) -> dict[str, Any]:
    infer, rows = {"inputs": example_inputs(version)}, example_rows(version)
    paths: dict[str, Any] = {
        "/v2": {"get": _read("The server", "Server")},
        "/v2/health/live": {"get": _read("Whether the process lives", "Health")},
        "/v2/health/ready": {"get": _read("Whether the champion is loaded", "Health")},
        "/v2/models": {"get": _read("The models", "Models")},
        f"/v2/models/{model}": {"get": _read("The model's signature", "Metadata")},
        f"/v2/models/{model}/ready": {"get": _read("Whether the model is ready", "Health")},
        f"/v2/models/{model}/stats": {"get": _read("What this process has counted", "Statistics")},
        f"/v2/models/{model}/infer": {
            "post": _ask("Open Inference Protocol v2", "InferRequest", infer, "InferResponse", jobs=jobs)
        },
        f"/v2/models/{model}/versions/{{version}}/infer": {
            "parameters": [_parameter("version", version.id)],
            "post": _ask("The same, of one version", "InferRequest", infer, "InferResponse", jobs=jobs),
        },
        "/v1/models": {"get": _read("The models, as KServe v1 has them", "Models", v2=False)},
        f"/v1/models/{model}": {"get": _read("Whether the model is ready", "Health", v2=False)},
        f"/v1/models/{model}:predict": {
            "post": _ask(
                "KServe v1, TensorFlow Serving",
                "Rows",
                {"instances": rows},
                "Predictions",
                jobs=jobs,
                v2=False,
            )
        },
        "/invocations": {
            "post": _ask("MLflow", "Rows", {"instances": rows}, "Predictions", jobs=jobs, v2=False)
        },
        f"/endpoints/{model}/invocations": {
            "post": _ask("SageMaker", "Rows", {"instances": rows}, "Predictions", jobs=jobs, v2=False)
        },
        "/score": {
            "post": _ask("Azure Machine Learning", "Data", {"data": rows}, "List", jobs=jobs, v2=False)
        },
    }
    if jobs:
        answer = _read("An answer that comes later: 202 until it is there", "Any", v2=False)
        answer["responses"]["202"] = _json("It is not there yet.", {"$ref": "#/components/schemas/Job"})
        paths["/jobs/{id}"] = {"parameters": [_parameter("id", "0" * 32)], "get": answer}
    return paths


def _parameter(name: str, example: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "example": example}


def _read(summary: str, schema: str, *, v2: bool = True) -> dict[str, Any]:
    return {"summary": summary, "responses": _responses(schema, (401, 404, 405, 500, 503), v2=v2)}


def _ask(
    summary: str, request: str, example: Any, response: str, *, jobs: bool, v2: bool = True
) -> dict[str, Any]:
    body = {"schema": {"$ref": f"#/components/schemas/{request}"}, "example": example}
    responses = _responses(response, tuple(_REFUSALS), v2=v2)
    if jobs:
        responses["202"] = _json("It is answered later, at `location`.", {"$ref": "#/components/schemas/Job"})
        responses["409"] = _json("The first request with this key is in flight.", _ERROR if v2 else _PROBLEM)
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": responses,
    }


def _responses(schema: str, refusals: tuple[int, ...], *, v2: bool) -> dict[str, Any]:
    found = {"200": _json("The answer.", {"$ref": f"#/components/schemas/{schema}"})}
    for status in refusals:
        media = "application/json" if v2 else "application/problem+json"
        found[str(status)] = _json(_REFUSALS[status], _ERROR if v2 else _PROBLEM, media)
    return found


def _json(description: str, schema: dict[str, Any], media: str = "application/json") -> dict[str, Any]:
    return {"description": description, "content": {media: {"schema": schema}}}


def _object(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def _schemas(version: Version) -> dict[str, Any]:
    text, number, rows = {"type": "string"}, {"type": "integer"}, {"type": "array", "minItems": 1}
    tensor = _object(
        "name",
        "shape",
        "datatype",
        "data",
        name=text,
        shape={"type": "array", "items": {"type": "integer", "minimum": 0}},
        datatype=text,
        data={"type": "array"},
    )
    tensors = {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Tensor"}}
    wanted = {"type": "array", "items": _object("name", name=text)}
    return {
        "Any": {},
        "List": {"type": "array"},
        "Tensor": tensor,
        "InferRequest": _object("inputs", id=text, inputs=tensors, outputs=wanted),
        "InferResponse": _object(
            "model_name", "outputs", model_name=text, model_version=text, id=text, outputs=tensors
        ),
        "Rows": _object("instances", instances=rows),
        "Data": _object("data", data=rows),
        "Predictions": _object("predictions", predictions={"type": "array"}),
        "Server": _object("name", name=text, version=text, extensions={"type": "array", "items": text}),
        "Models": _object("models", models={"type": "array", "items": text}),
        "Metadata": _object("name", name=text, versions={"type": "array", "items": text}, platform=text),
        "Statistics": _object("model_stats", model_stats={"type": "array"}),
        "Health": _object(),
        "Job": _object("id", "status", id=text, status=text),
        "Error": _object("error", error=text),
        "Problem": _object("title", "status", "detail", type=text, title=text, status=number, detail=text),
    }
