"""The endpoint as an OpenAPI 3.1 document, made from the models' signatures: pure."""

from __future__ import annotations

from lastmile_runtime import schemas
from lastmile_runtime.openapi_paths import JSON, LATER, PROBLEM, RECEIPT, TAGS, Paths, ok
from lastmile_runtime.tensors import DATATYPES

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.manifest import Version
    from lastmile_runtime.schemas import Rules, Schema

_REFUSALS = {
    400: "The request cannot be read, or does not fit the model's signature.",
    401: "The key or token is missing or not valid.",
    404: "There is no such model, version or path.",
    405: "The path takes another method; the header allow names it.",
    409: "The first request with this idempotency-key is still in flight.",
    413: "The body is too large.",
    415: "The body's media type or charset is not taken.",
    422: "The values break the contract.",
    424: "The model failed (SageMaker's ModelError).",
    500: "The model failed.",
    503: "The model cannot be loaded, or a store does not answer.",
}
_TEXT: Schema = {"type": "string"}
_SHAPE: Schema = {"type": "array", "items": {"type": "integer", "minimum": 0}}
_DATATYPE: Schema = {"enum": list(DATATYPES)}
_SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}


def describe(
    model: str,
    versions: list[Version],
    champion: str,
    *,
    auth: str,
    jobs: bool,
    contract: dict[str, Any] | None = None,
) -> Schema:
    """Return the document.

    Args:
        model: The model's name.
        versions: What is served.
        champion: The version that answers by default; the examples are its own.
        auth: `key`, `jwt` or `public`.
        jobs: Whether requests may be answered later.
        contract: The manifest's: values that it refuses are not in the schemas, and not in the examples.
    """
    rules = {rule["name"]: rule for rule in contract["inputs"]} if contract else {}
    ordered = sorted(versions, key=lambda version: version.id != champion)
    document: Schema = {
        "openapi": "3.1.0",
        "info": {"title": model, "version": champion, "description": _introduction(versions, jobs=jobs)},
        "tags": [
            {"name": name, "description": told} for name, told in TAGS.items() if jobs or name != "Jobs"
        ],
        "paths": Paths(model, ordered, rules, jobs=jobs).all(),
        "components": _components(ordered, rules, jobs=jobs),
    }
    if auth in _SCHEMES:
        document["components"]["securitySchemes"] = {auth: _SCHEMES[auth]}
        document["security"] = [{auth: []}]
    return document


def merge(document: Schema, theirs: Schema) -> Schema:
    """Return the document with the paths of the user's own: where both have a path, it is this runtime's that answers.

    Their components keep their names, but for those that have one of ours, which get `App` before it.
    """
    ours = document["components"]
    names = {
        f"#/components/{kind}/{name}": f"App{name}"
        for kind, found in theirs.get("components", {}).items()
        for name in found
        if name in ours.get(kind, {})
    }
    theirs = _renamed(theirs, names)
    components = {kind: dict(found) for kind, found in ours.items()}
    for kind, found in theirs.get("components", {}).items():
        for name, value in found.items():
            components.setdefault(kind, {})[names.get(f"#/components/{kind}/{name}", name)] = value
    for operation in _operations(theirs):
        if "security" in operation:  # ours is asked for as well
            operation["security"] = [
                {**one, **other}
                for one in operation["security"] or [{}]
                for other in document.get("security", [{}])
            ]
    return {**document, "paths": {**theirs.get("paths", {}), **document["paths"]}, "components": components}


def _operations(document: Schema) -> list[Schema]:
    return [
        operation
        for item in document.get("paths", {}).values()
        for operation in item.values()
        if isinstance(operation, dict)
    ]


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """Return a copy of a document whose references follow new names."""
    if isinstance(value, list):
        return [_renamed(one, names) for one in value]
    if not isinstance(value, dict):
        return value
    found = {key: _renamed(one, names) for key, one in value.items()}
    reference = value.get("$ref")
    if isinstance(reference, str) and reference in names:
        found["$ref"] = reference.rpartition("/")[0] + "/" + names[reference]
    return found


def _introduction(versions: list[Version], *, jobs: bool) -> str:
    ids = ", ".join(version.id for version in versions)
    told = f"Versions: {ids}. The header x-model-version asks for one, or for champion, challenger or shadow."
    later = " With `prefer: respond-async` the answer comes later: see the path /jobs/{id}."
    return told + (later if jobs else "")


def _components(versions: list[Version], rules: Rules, *, jobs: bool) -> Schema:
    responses: Schema = {}
    for status, told in _REFUSALS.items():
        for form, media in (("Error", JSON), ("Problem", PROBLEM)):
            responses[f"{form}{status}"] = ok({media: form}, told)
    found: Schema = {
        "schemas": _schemas(versions, rules),
        "responses": responses,
        "headers": {
            name: {"description": told, "schema": {"type": "string"}} for name, told in RECEIPT.items()
        },
    }
    if jobs:
        accepted = ok({JSON: "Job"}, "It is answered later, at `location`.")
        accepted["headers"] = {"location": {"schema": {"type": "string"}}}
        found["responses"]["Accepted"] = accepted
        found["parameters"] = LATER
        job = _object("id", "status", id=_TEXT, status={"enum": ["queued", "running"]})
        found["schemas"]["Job"] = job
    return found


def _schemas(versions: list[Version], rules: Rules) -> Schema:
    return {**_requests(versions, rules), **_answers(versions)}


def _requests(versions: list[Version], rules: Rules) -> Schema:
    def each(make: Any) -> Schema:
        return schemas.any_of([make(version, rules) for version in versions])

    inputs, rows, records = (
        each(schemas.inputs_schema),
        each(schemas.rows_schema),
        each(schemas.records_schema),
    )
    columns = each(schemas.columns_schema)
    either = {"anyOf": [rows, columns]}
    names = schemas.any_of([{"enum": known} if known else _TEXT for known in map(schemas.names_of, versions)])
    split = _object(
        "data", columns={"type": ["array", "null"], "items": names, "uniqueItems": True}, data=rows
    )
    parameters, anything = {"type": ["object", "null"]}, {"type": "array"}
    tensor = _object(
        "name", "shape", "datatype", "data", name=_TEXT, shape=_SHAPE, datatype=_DATATYPE, data=anything
    )
    forms = {"dataframe_split": split, "dataframe_records": records, "instances": rows, "inputs": either}
    mlflow = [_object(name, **{name: form, "params": parameters}) for name, form in forms.items()]
    wanted = {"type": "array", "items": _object("name", name=_TEXT, parameters=parameters)}
    return {
        "Tensor": tensor,
        "InferRequest": _object("inputs", id=_TEXT, parameters=parameters, inputs=inputs, outputs=wanted),
        "Instances": {
            "anyOf": [
                _object("instances", instances=rows, parameters=parameters),
                _object("inputs", inputs=either, parameters=parameters),
            ]
        },
        "Rows": {"anyOf": mlflow},
        "SageMakerRequest": {"anyOf": [*mlflow, rows]},
        "ScoreRequest": {
            "anyOf": [
                _object(name, **{name: {"anyOf": [rows, split]}}) for name in ("data", "input_data", "Inputs")
            ]
        },
        "Csv": {"type": "string", "minLength": 1},
    }


def _answers(versions: list[Version]) -> Schema:
    known = list({spec.name: None for version in versions for spec in version.outputs})
    declared = known if all(version.outputs for version in versions) else []
    tensor = {
        "type": "array",
        "items": _object("name", "datatype", "shape", name=_TEXT, datatype=_TEXT, shape={}),
    }
    texts, anything, yes = {"type": "array", "items": _TEXT}, {"type": "array"}, {"const": True}
    predictions = _object("predictions", predictions=anything)
    answered = {"type": "array", "items": schemas.tensor_schema(declared)}
    return {
        "InferResponse": _object(
            "model_name",
            "model_version",
            "outputs",
            model_name=_TEXT,
            model_version=_TEXT,
            id=_TEXT,
            outputs=answered,
        ),
        "Predictions": predictions,
        "VertexPredictions": {
            **predictions,
            "required": ["predictions", "deployedModelId", "model", "modelDisplayName", "modelVersionId"],
        },
        "Scores": {"anyOf": [anything, _object("Results", Results=anything)]},
        "Server": _object("name", "version", "extensions", name=_TEXT, version=_TEXT, extensions=texts),
        "Live": _object("live", live=yes),
        "Ready": _object("ready", ready=yes, live=yes, name=_TEXT, version=_TEXT),
        "Models": _object("models", models=texts),
        "Metadata": _object(
            "name",
            "versions",
            "platform",
            "inputs",
            "outputs",
            name=_TEXT,
            versions=texts,
            platform=_TEXT,
            inputs=tensor,
            outputs=tensor,
        ),
        "Statistics": _object("model_stats", model_stats={"type": "array", "items": {"type": "object"}}),
        "Index": {
            "type": "array",
            "items": _object("name", "version", "state", name=_TEXT, version=_TEXT, state=_TEXT),
        },
        "Object": {"type": "object"},
        "Error": _object("error", error=_TEXT),
        "Problem": _object(
            "type",
            "title",
            "status",
            "detail",
            type=_TEXT,
            title=_TEXT,
            status={"type": "integer"},
            detail=_TEXT,
        ),
    }


def _object(*required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": list(required), "properties": properties}
