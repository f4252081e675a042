"""The OpenAPI document: valid, complete, and its examples answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lastmile_runtime.application import PROTOCOLS, Application
from lastmile_runtime.http import Request
from lastmile_runtime.manifest import Bundle, TensorSpec, Version
from lastmile_runtime.openapi import describe, merge
from lastmile_runtime.routing import FixedRouting
from tests.lastmile_runtime.bundles import MODEL, python_version, routing, write_bundle

ECHO = """
class Model:
    def predict(self, inputs):
        count = len(next(iter(inputs.values())))
        return {"predict": [index + 0.5 for index in range(count)], "label": ["yes"] * count}
"""
TABLE = [TensorSpec("age", "INT64", [-1]), TensorSpec("plan", "BYTES", [-1])]
CONTRACT = {
    "inputs": [
        {"name": "age", "datatype": "INT64", "minimum": 18, "maximum": 99, "out_of_range": "reject"},
        {"name": "plan", "datatype": "BYTES", "categories": ["basic"], "unknown": "reject"},
    ]
}


def echo(id_: str, inputs: list[TensorSpec]) -> Version:
    outputs = [TensorSpec("predict", "FP64", [-1]), TensorSpec("label", "BYTES", [-1])]
    return Version(id_, "python", f"models/{id_}/model.py", "Model", inputs=inputs, outputs=outputs)


def application(folder: Path, versions: list[Version], contract: dict[str, Any] | None) -> Application:
    digest = write_bundle(folder, versions, {version.artifact: ECHO for version in versions}, contract)
    bundle = Bundle(str(folder), digest)
    return Application(bundle, FixedRouting(routing(), [version.id for version in versions]))


def document_of(app: Application, *, auth: str = "key", jobs: bool = False) -> dict[str, Any]:
    manifest = app.bundle.manifest
    return describe(MODEL, manifest.versions, "v1", auth=auth, jobs=jobs, contract=manifest.contract)


def checked(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    jsonschema.validate(
        value,
        {**schema, "components": document["components"]},
        cls=jsonschema.Draft202012Validator,
    )


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, item[method])
        for path, item in document["paths"].items()
        for method in ("get", "post")
        if method in item
    ]


@pytest.mark.parametrize(
    ("inputs", "contract"),
    [
        ([TensorSpec("x", "FP64", [-1, 2])], None),
        (TABLE, CONTRACT),
        ([TensorSpec("a", "FP32", [-1, 2]), TensorSpec("b", "BOOL", [-1])], None),
    ],
    ids=["matrix", "table with a contract", "several"],
)
def test_every_example_fits_its_schema_and_is_answered_as_described(
    tmp_path: Path, inputs: list[TensorSpec], contract: dict[str, Any] | None
) -> None:
    app = application(tmp_path, [echo("v1", inputs), echo("v2", inputs)], contract)
    document = document_of(app)
    asked = []
    for path, method, operation in operations(document):
        target = path.replace("{version}", "v2")
        for name in ("project", "location", "endpoint"):
            target = target.replace(f"{{{name}}}", "x")
        contents = operation.get("requestBody", {}).get("content", {})
        bodies = {media: one["example"] for media, one in contents.items() if "example" in one}
        for media, example in (bodies or {"": None}).items():
            body = example if media == "text/csv" else json.dumps(example) if media else ""
            if media:
                checked(document, contents[media]["schema"], example)
            headers = {"content-type": media} if media else {}
            answer = app.handle(Request(method.upper(), target, headers, body.encode()))
            assert answer.status == 200, (path, media, answer.body)
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            if schema:
                checked(document, schema, json.loads(answer.body))
            asked.append(f"{method} {target} {media}".strip())
    csv = 2 if len(inputs[0].shape) == 1 else 0
    assert len(asked) == len(operations(document)) + csv


def test_every_path_is_the_applications_own_and_every_protocol_is_described(tmp_path: Path) -> None:
    app = application(tmp_path, [python_version()], None)
    document = document_of(app)
    assert all(app.serves(path) for path in document["paths"])
    assert {path.split("/")[1] for path in document["paths"]} == set(PROTOCOLS)


def test_a_model_that_declares_nothing_has_no_examples(tmp_path: Path) -> None:
    document = document_of(application(tmp_path, [echo("v1", [])], None))
    bodies = [
        one
        for _, _, operation in operations(document)
        for one in operation.get("requestBody", {}).get("content", {}).values()
    ]
    assert [body for body in bodies if body.get("example")] == []


@pytest.mark.parametrize("status", [400, 401, 404, 405, 413, 415, 422, 500, 503])
def test_a_refusal_is_described_in_its_protocols_form(tmp_path: Path, status: int) -> None:
    document = document_of(application(tmp_path, [python_version()], None))
    responses = document["components"]["responses"]
    assert responses[f"Error{status}"]["content"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/Error"}}
    }
    assert responses[f"Problem{status}"]["content"] == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    }
    invoke = document["paths"]["/invocations"]["post"]["responses"]
    assert invoke[str(status)] == {"$ref": f"#/components/responses/Problem{status}"}


def test_every_reference_leads_somewhere(tmp_path: Path) -> None:
    app = application(tmp_path, [echo("v1", TABLE)], CONTRACT)
    for jobs in (False, True):
        document = document_of(app, jobs=jobs)
        references = {one.split('"')[0] for one in json.dumps(document).split('"$ref": "')[1:]}
        for reference in references:
            found = document
            for part in reference.removeprefix("#/").split("/"):
                found = found[part]
        used = {one.rpartition("/")[2] for one in references if "/schemas/" in one}
        assert used | {"Csv"} >= set(document["components"]["schemas"]) - {"Tensor"}


def test_jobs_are_described_where_there_is_a_queue(tmp_path: Path) -> None:
    app = application(tmp_path, [python_version()], None)
    without, document = document_of(app), document_of(app, jobs=True)
    assert set(document["paths"]) - set(without["paths"]) == {"/jobs/{id}"}
    score = document["paths"]["/score"]["post"]
    assert score["responses"]["202"] == {"$ref": "#/components/responses/Accepted"}
    assert {"$ref": "#/components/parameters/prefer"} in score["parameters"]
    assert "202" not in without["paths"]["/score"]["post"]["responses"]


@pytest.mark.parametrize(
    ("auth", "schemes"),
    [
        ("key", {"key": {"type": "apiKey", "in": "header", "name": "x-api-key"}}),
        ("jwt", {"jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}),
        ("public", None),
    ],
)
def test_the_security_is_the_endpoints(tmp_path: Path, auth: str, schemes: dict[str, Any] | None) -> None:
    document = document_of(application(tmp_path, [python_version()], None), auth=auth)
    assert document["components"].get("securitySchemes") == schemes
    assert document.get("security") == ([{auth: []}] if schemes else None)


def test_of_versions_that_differ_each_is_described_the_champion_first(tmp_path: Path) -> None:
    other = echo("v0", [TensorSpec("y", "INT8", [-1])])
    document = document_of(application(tmp_path, [other, echo("v1", [TensorSpec("x", "FP64", [-1])])], None))
    forms = document["components"]["schemas"]["InferRequest"]["properties"]["inputs"]["anyOf"]
    assert [form["items"]["properties"]["name"]["const"] for form in forms] == ["x", "y"]
    version = document["paths"][f"/v2/models/{MODEL}/versions/{{version}}"]["parameters"][0]
    assert version["schema"] == {"enum": ["v1", "v0", "champion", "challenger", "shadow"]}


def test_the_users_paths_are_merged_and_keep_their_own_schemas(tmp_path: Path) -> None:
    document = document_of(application(tmp_path, [python_version()], None))
    theirs = {
        "openapi": "3.1.0",
        "paths": {
            "/hello": {"post": {"requestBody": {"schema": {"$ref": "#/components/schemas/Problem"}}}},
            "/safe": {"get": {"security": [{"token": []}]}},
            "/v2": {"get": {"summary": "hidden by ours"}},
        },
        "components": {
            "schemas": {"Problem": {"title": "theirs"}, "Other": {"$ref": "#/components/schemas/Problem"}},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    before = json.dumps([document, theirs])
    merged = merge(document, theirs)
    assert json.dumps([document, theirs]) == before
    assert merged["paths"]["/hello"]["post"]["requestBody"]["schema"] == {
        "$ref": "#/components/schemas/AppProblem"
    }
    assert merged["paths"]["/safe"]["get"]["security"] == [{"token": [], "key": []}]
    assert merged["paths"]["/v2"] == document["paths"]["/v2"]
    schemas = merged["components"]["schemas"]
    assert schemas["AppProblem"] == {"title": "theirs"}
    assert schemas["Other"] == {"$ref": "#/components/schemas/AppProblem"}
    assert schemas["Problem"] == document["components"]["schemas"]["Problem"]
    assert set(merged["components"]["securitySchemes"]) == {"key", "token"}
