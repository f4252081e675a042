"""Azure Machine Learning's score path: its forms of a body, and its answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lastmile_runtime.protocols.served import FAILING, ROWS, Served, problem

NAMED = [{"a": 1, "b": 2}, {"a": 3, "b": 4.5}]


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


@pytest.mark.parametrize(
    "body",
    [
        {"data": ROWS},
        {"data": NAMED, "method": "predict"},
        {"input_data": {"columns": ["a", "b"], "index": [0, 1], "data": ROWS}, "params": {}},
        {"input_data": ROWS},
        {"input_data": {"a": [1, 3], "b": [2, 4.5]}},
    ],
)
def test_data_is_answered_with_a_list(served: Served, body: Any) -> None:
    response = served.post("/score", body, content_type="application/json")
    assert (response.status, response.body) == (200, b"[3.0,7.5]")
    assert response.headers["azureml-model-deployment"] == "v1"


@pytest.mark.parametrize(
    "inputs",
    [
        {"data": ROWS},
        {"data": NAMED},
        {"WebServiceInput0": NAMED},
        {"input": ROWS},
        {"a": [1, 3], "b": [2, 4.5]},
        {"columns": ["b", "a"], "data": [[2, 1], [4.5, 3]]},
    ],
)
def test_inputs_are_answered_with_results(served: Served, inputs: Any) -> None:
    response = served.post("/score", {"Inputs": inputs, "GlobalParameters": 0})
    assert (response.status, response.body) == (200, b'{"Results":[3.0,7.5]}')


def test_a_deployment_is_a_pin(served: Served) -> None:
    response = served.post("/score", {"data": ROWS}, azureml_model_deployment="v2")
    assert (response.status, response.body) == (200, b"[-3.0,-7.5]")
    assert response.headers["azureml-model-deployment"] == "v2"
    assert response.headers["x-model-route"] == "rule=pin"


@pytest.mark.parametrize(
    ("body", "headers", "status", "message"),
    [
        ({}, {}, 400, "the body must have exactly one of data, input_data, Inputs; it has none of them."),
        (
            {"data": ROWS, "Inputs": ROWS},
            {},
            400,
            "the body must have exactly one of data, input_data, Inputs; it has data, Inputs.",
        ),
        ([1], {}, 400, "the body must be a JSON object with one of data, input_data, Inputs."),
        ({"data": ROWS, "params": 5}, {}, 400, "params must be an object."),
        (
            {"data": {"data": 5}},
            {},
            400,
            "a data frame must be an object with columns and data, a list of at least one row.",
        ),
        (
            {"data": ROWS},
            {"content_type": "text/csv"},
            415,
            "the content-type is text/csv, but must be one of application/json.",
        ),
        (
            {"data": ROWS},
            {"azureml_model_deployment": "blue"},
            404,
            "version 'blue' is not deployed; the versions are v1, v2.",
        ),
    ],
)
def test_what_breaks_a_rule_is_a_problem_with_azures_own_member(
    served: Served, body: Any, headers: dict[str, str], status: int, message: str
) -> None:
    response = served.post("/score", body, **headers)
    assert problem(response) == (status, message)
    assert json.loads(response.body)["message"] == message


def test_a_model_that_fails_is_an_internal_error(tmp_path: Path) -> None:
    response = Served(tmp_path, FAILING).post("/score", {"data": ROWS})
    assert problem(response) == (500, "version 'v1' failed on this request: ZeroDivisionError: broken")


def test_methods_and_paths_are_checked(served: Served) -> None:
    assert problem(served.ask("GET", "/score")) == (405, "/score takes POST, not GET.")
    assert problem(served.post("/swagger.json", {})) == (405, "/swagger.json takes GET, not POST.")
    message = "/score/more is not a path of this endpoint; /docs lists them."
    assert problem(served.post("/score/more", {})) == (404, message)
