"""MLflow's scoring server: every form of a body, and what it answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lastmile_runtime.protocols.served import ROWS, Served, problem

FORMS = "dataframe_split, dataframe_records, instances, inputs"


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (
            {"dataframe_split": {"columns": ["b", "a"], "index": [0, 1], "data": [[2, 1], [4.5, 3]]}},
            "application/json",
        ),
        ({"dataframe_split": {"data": ROWS}, "client_request_id": "17"}, "application/json; charset=utf-8"),
        ({"dataframe_records": [{"a": 1, "b": 2}, {"a": 3, "b": 4.5}]}, "application/json"),
        ({"instances": ROWS, "params": {}}, "application/json"),
        ({"inputs": ROWS, "params": {"temperature": 0.5}}, "application/json"),
        ({"inputs": {"a": [1, 3], "b": [2, 4.5]}}, "application/json"),
        ("a,b\n1,2\n3,4.5\n", "text/csv"),
        ("\ufeffb,a\r\n2,1\r\n4.5,3\r\n", 'text/csv; charset="UTF-8"'),
    ],
)
def test_a_body_in_each_form_is_answered(served: Served, body: Any, content_type: str) -> None:
    response = served.post("/invocations", body, content_type=content_type)
    assert (response.status, response.body) == (200, b'{"predictions":[3.0,7.5]}')
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        ({}, "application/json", 400, f"the body must have exactly one of {FORMS}; it has none of them."),
        (
            {"instances": ROWS, "inputs": ROWS},
            "application/json",
            400,
            f"the body must have exactly one of {FORMS}; it has instances, inputs.",
        ),
        ([ROWS], "application/json", 400, f"the body must be a JSON object with one of {FORMS}."),
        ({"inputs": ROWS, "params": 5}, "application/json", 400, "params must be an object."),
        (
            {"inputs": ROWS},
            "application/json; charset=utf-16",
            415,
            "the charset is utf-16, but must be utf-8.",
        ),
        (
            b"PAR1",
            "application/vnd.apache.parquet",
            415,
            "the content-type is application/vnd.apache.parquet, but must be one of application/json, text/csv.",
        ),
        ("a,b\n1", "text/csv", 400, "row 0 has 1 values, but there are 2: 'a', 'b'."),
    ],
)
def test_what_breaks_a_rule_is_a_problem_with_mlflows_own_members(
    served: Served, body: Any, content_type: str, status: int, message: str
) -> None:
    response = served.post("/invocations", body, content_type=content_type)
    assert problem(response) == (status, message)
    document = json.loads(response.body)
    assert (document["error_code"], document["message"]) == ("BAD_REQUEST", message)


@pytest.mark.parametrize(("path", "body"), [("/ping", b"\n"), ("/health", b"\n"), ("/version", b"0.1.0")])
def test_a_server_is_well_and_says_its_version(served: Served, path: str, body: bytes) -> None:
    response = served.ask("GET", path)
    assert (response.status, response.body) == (200, body)
    assert problem(served.ask("POST", path)) == (405, f"{path} takes GET, not POST.")


def test_a_model_that_does_not_load_is_not_well(tmp_path: Path) -> None:
    served = Served(tmp_path, "raise ImportError('no such library')\n")
    response = served.ask("GET", "/ping")
    assert problem(response) == (503, "version 'v1' cannot be loaded: ImportError: no such library")
    assert json.loads(response.body)["error_code"] == "INTERNAL_ERROR"


def test_in_a_container_of_sagemaker_its_headers_count(served: Served) -> None:
    headers = {"x_amzn_sagemaker_target_variant": "v2", "x_amzn_sagemaker_inference_id": "claim-17"}
    response = served.post("/invocations", {"inputs": ROWS}, **headers)
    assert (response.status, json.loads(response.body)) == (200, {"predictions": [-3.0, -7.5]})
    assert response.headers["x-amzn-sagemaker-inference-id"] == "claim-17"
    assert response.facts["inference_id"] == "claim-17"


def test_a_path_below_a_path_is_not_found(served: Served) -> None:
    message = "/ping/more is not a path of this endpoint; /docs lists them."
    assert problem(served.ask("GET", "/ping/more")) == (404, message)
