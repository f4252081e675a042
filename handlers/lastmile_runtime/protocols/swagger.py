"""The endpoint as Azure Machine Learning's `/swagger.json` describes it: Swagger 2.0, or OpenAPI 3.0 if asked for."""

from __future__ import annotations

from lastmile_runtime.errors import RequestError

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.manifest import TensorSpec, Version
    from lastmile_runtime.service import Service

_KINDS = {"BOOL": "boolean", "BYTES": "string", "FP16": "number", "FP32": "number", "FP64": "number"}


def describe(service: Service, query: str) -> dict[str, Any]:
    """Return the description in the version that `?version=` asks for: 2 (the default) or 3.

    Raises RequestError (404) for another one.
    """
    given = dict(pair.partition("=")[::2] for pair in query.split("&"))
    asked = given.get("version", "2")
    version = service.versions[service.champion()]
    info = {"title": service.model, "version": version.id}
    match asked.removesuffix(".0"):
        case "2":
            return _swagger(info, version)
        case "3":
            return _openapi(info, version)
    raise RequestError(404, f"version is {asked!r}, but must be 2 or 3.")


def _swagger(info: dict[str, str], version: Version) -> dict[str, Any]:
    kind = "application/json"
    payload = {
        "name": "payload",
        "in": "body",
        "required": True,
        "schema": _reference("definitions", "ServiceInput"),
    }
    responses = {
        "200": {"description": "The predictions.", "schema": _reference("definitions", "ServiceOutput")},
        "default": {"description": "What is wrong.", "schema": _reference("definitions", "ErrorResponse")},
    }
    operation = {"operationId": "RunMLService", "parameters": [payload], "responses": responses}
    return {
        "swagger": "2.0",
        "info": info,
        "consumes": [kind],
        "produces": [kind],
        "paths": {"/score": {"post": operation}},
        "definitions": _schemas(version),
    }


def _openapi(info: dict[str, str], version: Version) -> dict[str, Any]:
    def content(name: str, kind: str = "application/json") -> dict[str, Any]:
        return {kind: {"schema": _reference("components/schemas", name)}}

    problem = content("ErrorResponse", "application/problem+json")
    responses = {
        "200": {"description": "The predictions.", "content": content("ServiceOutput")},
        "default": {"description": "What is wrong.", "content": problem},
    }
    body = {"required": True, "content": content("ServiceInput")}
    operation = {"operationId": "RunMLService", "requestBody": body, "responses": responses}
    return {
        "openapi": "3.0.3",
        "info": info,
        "paths": {"/score": {"post": operation}},
        "components": {"schemas": _schemas(version)},
    }


def _reference(place: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/{place}/{name}"}


def _schemas(version: Version) -> dict[str, Any]:
    rows = {"type": "array", "minItems": 1, "items": _row(version)}
    return {
        "ServiceInput": {"type": "object", "required": ["data"], "properties": {"data": rows}},
        "ServiceOutput": {"type": "array", "items": {}},
        "ErrorResponse": {"type": "object", "properties": {"message": {"type": "string"}}},
    }


def _row(version: Version) -> dict[str, Any]:
    """Return the schema of one row: values by name."""
    named = {spec.name: _values(spec) for spec in version.inputs}
    numbers = {name: {"type": "number"} for name in version.columns if name not in named}
    columns = {name: named.get(name) or numbers[name] for name in version.columns}
    properties = columns or named
    return {"type": "object", "properties": properties} if properties else {}


def _values(spec: TensorSpec) -> dict[str, Any]:
    """Return the schema of one row's part of an input: its first axis is the rows'."""
    schema: dict[str, Any] = {"type": _KINDS.get(spec.datatype, "integer")}
    for _ in spec.shape[1:]:
        schema = {"type": "array", "items": schema}
    return schema
