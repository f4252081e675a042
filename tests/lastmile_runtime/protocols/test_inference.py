from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lastmile_runtime.router import sticky_bucket
from tests.lastmile_runtime.bundles import DOUBLER, Client, matrix, python_bundle, routing

BODY = {"id": "42", "inputs": [matrix([[1, 2], [3, 4.5]])]}
UNFINITE = """
class Model:
    def predict(self, inputs):
        return {"doubled": [[float("nan"), float("inf")]]}
"""


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path, python_bundle(tmp_path))


def two(folder: Path, draw: int = 0) -> Client:
    document = {**routing(v1=9000, v2=1000), "sticky": {"header": "X-User-Id"}}
    return Client(folder, python_bundle(folder, ids=("v1", "v2")), document, draw)


def test_an_inference_is_answered_with_its_receipt(tmp_path: Path) -> None:
    digest = python_bundle(tmp_path)
    client = Client(tmp_path, digest)
    response = client.infer(BODY)
    assert (response.status, json.loads(response.body)) == (
        200,
        {
            "model_name": "breast-cancer",
            "model_version": "v1",
            "id": "42",
            "outputs": [{"name": "doubled", "shape": [2, 2], "datatype": "FP64", "data": [2, 4, 6, 9.0]}],
        },
    )
    timing = response.headers.pop("server-timing")
    assert re.fullmatch(r"faas\.coldstart, load;dur=\d+\.\d, predict;dur=\d+\.\d\d", timing)
    assert response.headers == {
        "content-type": "application/json",
        "x-model-version": "v1",
        "x-model-digest": digest,
        "x-model-route": "rule=only",
    }
    assert response.facts.pop("load_ms") > 0
    assert response.facts.pop("predict_ms") > 0
    assert response.facts == {"version": "v1", "route": "rule=only", "faas.coldstart": True}


def test_only_the_first_answer_is_a_cold_start(client: Client) -> None:
    client.infer(BODY)
    response = client.infer(BODY)
    assert re.fullmatch(r"predict;dur=\d+\.\d\d", response.headers["server-timing"])
    assert response.facts["faas.coldstart"] is False


def test_a_request_without_an_id_is_answered_without_one(client: Client) -> None:
    answer = json.loads(client.infer({"inputs": BODY["inputs"]}).body)
    assert list(answer) == ["model_name", "model_version", "outputs"]


@pytest.mark.parametrize(("draw", "version"), [(9_999, "v2"), (10_000, "v1")])
def test_the_draw_chooses_the_version(tmp_path: Path, draw: int, version: str) -> None:
    response = two(tmp_path, draw).infer(BODY)
    assert response.headers["x-model-version"] == version
    assert response.headers["x-model-route"] == f"rule=weight; bucket={draw}"
    assert json.loads(response.body)["model_version"] == version


def test_the_sticky_header_chooses_the_version(tmp_path: Path) -> None:
    response = two(tmp_path).infer(BODY, headers={"x-user-id": "ada"})
    assert response.headers["x-model-route"] == f"rule=sticky; bucket={sticky_bucket('salt', 'ada')}"


@pytest.mark.parametrize("name", ["v2", "challenger"])
def test_a_header_pins_a_version(tmp_path: Path, name: str) -> None:
    response = two(tmp_path, 99_999).infer(BODY, headers={"x-model-version": name, "x-user-id": "ada"})
    assert (response.headers["x-model-version"], response.headers["x-model-route"]) == ("v2", "rule=pin")


def test_an_unknown_pin_is_not_found(client: Client) -> None:
    response = client.infer(BODY, headers={"x-model-version": "v9"})
    message = "version 'v9' is not deployed; the versions are v1."
    assert (response.status, json.loads(response.body)) == (404, {"error": message})


def test_outputs_are_those_asked_for(tmp_path: Path) -> None:
    source = DOUBLER.replace('{"doubled":', '{"other": [1], "doubled":')
    client = Client(tmp_path, python_bundle(tmp_path, source))
    response = client.infer({**BODY, "outputs": [{"name": "doubled"}]})
    assert [output["name"] for output in json.loads(response.body)["outputs"]] == ["doubled"]


def test_numbers_that_json_lacks_leave_the_answer_valid(tmp_path: Path) -> None:
    response = Client(tmp_path, python_bundle(tmp_path, UNFINITE)).infer(BODY)
    (output,) = json.loads(response.body)["outputs"]
    assert output["data"] == [None, "Infinity"]
    np.testing.assert_array_equal(np.array(output["data"], dtype=np.float64), [np.nan, np.inf])


X = matrix([[1, 2]])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b"{",
            "the body is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1).",
        ),
        (b"", "the body is not JSON: Expecting value: line 1 column 1 (char 0)."),
        (b"[1]", "the body must be a JSON object with inputs."),
        ({"id": 5, "inputs": [X]}, "id is 5, but must be a text."),
        ({}, "inputs must be a list of at least one tensor."),
        ({"inputs": []}, "inputs must be a list of at least one tensor."),
        ({"inputs": [X, X]}, "input 'x' is there twice."),
        ({"inputs": [{**X, "name": "y"}]}, "input 'y' is unknown; the inputs are x."),
        ({"inputs": [X], "outputs": 5}, "outputs must be a list."),
        ({"inputs": [X], "outputs": ""}, "outputs must be a list."),
        ({"inputs": [X], "outputs": None}, "outputs must be a list."),
        ({"inputs": [X], "outputs": [{}]}, "each of outputs must be an object with a name."),
        ({"inputs": [X], "outputs": [{"name": "y"}]}, "output 'y' is unknown; the outputs are doubled."),
        ({"inputs": [X], "outputs": [{"name": "y"}] * 2}, "output 'y' is there twice."),
    ],
)
def test_a_body_that_breaks_a_rule_is_refused(client: Client, body: Any, message: str) -> None:
    response = client.infer(body)
    assert (response.status, json.loads(response.body)) == (400, {"error": message})


@pytest.mark.parametrize("body", [b"\xff", b'{"inputs": ' + b"[" * 100_000])
def test_a_body_that_no_reader_takes_is_refused(client: Client, body: bytes) -> None:
    response = client.infer(body)
    assert response.status == 400
    assert json.loads(response.body)["error"].startswith("the body is not JSON: ")


def test_an_output_that_the_model_did_not_give_is_refused(tmp_path: Path) -> None:
    client = Client(tmp_path, python_bundle(tmp_path, DOUBLER.replace('"doubled"', '"tripled"')))
    response = client.infer({**BODY, "outputs": [{"name": "doubled"}]})
    message = "output 'doubled' is unknown; the outputs are tripled."
    assert (response.status, json.loads(response.body)) == (400, {"error": message})
