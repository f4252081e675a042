"""The description that Azure Machine Learning's clients read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lastmile_runtime.manifest import TensorSpec, Version
from tests.lastmile_runtime.bundles import DOUBLER, Client, routing, write_bundle
from tests.lastmile_runtime.protocols.served import ROWS, Served, problem


def schemas(served: Served, query: str) -> dict[str, Any]:
    response = served.ask("GET", "/swagger.json", query)
    assert response.status == 200
    document = json.loads(response.body)
    found: dict[str, Any] = document.get("definitions") or document["components"]["schemas"]
    return found


@pytest.mark.parametrize(
    ("query", "key", "value"),
    [
        ("", "swagger", "2.0"),
        ("version=2", "swagger", "2.0"),
        ("a=b&version=3", "openapi", "3.0.3"),
        ("version=3.0", "openapi", "3.0.3"),
    ],
)
def test_the_version_that_is_asked_for_describes_the_score_path(
    tmp_path: Path, query: str, key: str, value: str
) -> None:
    document = json.loads(Served(tmp_path).ask("GET", "/swagger.json", query).body)
    assert document[key] == value
    assert document["info"] == {"title": "breast-cancer", "version": "v1"}
    assert list(document["paths"]) == ["/score"]
    assert document["paths"]["/score"]["post"]["operationId"] == "RunMLService"
    assert "#/" in json.dumps(document)
    for reference in _references(document):
        place = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_another_version_is_not_found(tmp_path: Path) -> None:
    response = Served(tmp_path).ask("GET", "/swagger.json", "version=4")
    assert problem(response) == (404, "version is '4', but must be 2 or 3.")


def test_what_is_described_is_answered_as_described(tmp_path: Path) -> None:
    served = Served(tmp_path)
    found = schemas(served, "")
    body = {"data": [{"a": 1, "b": 2}]}
    jsonschema.validate(body, found["ServiceInput"])
    jsonschema.validate(json.loads(served.post("/score", body).body), found["ServiceOutput"])
    refused: list[dict[str, Any]] = [{}, {"data": []}, {"data": ROWS}, {"data": [{"a": "text", "b": 1}]}]
    for wrong in refused:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, found["ServiceInput"])


@pytest.mark.parametrize(
    ("inputs", "row"),
    [
        ([TensorSpec("x", "FP64", [-1, 2])], {"x": {"type": "array", "items": {"type": "number"}}}),
        (
            [TensorSpec("t", "BYTES", [-1]), TensorSpec("n", "INT64", [-1]), TensorSpec("b", "BOOL", [-1])],
            {"t": {"type": "string"}, "n": {"type": "integer"}, "b": {"type": "boolean"}},
        ),
    ],
)
def test_inputs_are_described_by_their_kinds(tmp_path: Path, inputs: list[TensorSpec], row: Any) -> None:
    version = Version("v1", "python", "models/v1/model.py", "Model", inputs=inputs)
    client = Client(tmp_path, write_bundle(tmp_path, [version], {version.artifact: DOUBLER}), routing())
    document = json.loads(client.get("/swagger.json").body)
    items = document["definitions"]["ServiceInput"]["properties"]["data"]["items"]
    assert items == {"type": "object", "properties": row}


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for entry in value for found in _references(entry)]
    if not isinstance(value, dict):
        return []
    here = [value["$ref"]] if "$ref" in value else []
    return here + [found for entry in value.values() for found in _references(entry)]
