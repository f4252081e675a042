"""KServe's protocol, version 1: exact bodies in, exact bodies out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lastmile_runtime.bundles import MODEL
from tests.lastmile_runtime.protocols.served import ROWS, Served, problem

PREDICT = f"/v1/models/{MODEL}:predict"


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/models", b'{"models":["breast-cancer"]}'),
        ("/v1/models/breast-cancer", b'{"name":"breast-cancer","ready":true}'),
        ("/v1/models/breast%2Dcancer", b'{"name":"breast-cancer","ready":true}'),
    ],
)
def test_models_are_listed_and_ready(served: Served, path: str, body: bytes) -> None:
    response = served.ask("GET", path)
    assert (response.status, response.headers["content-type"]) == (200, "application/json")
    assert response.body == body


@pytest.mark.parametrize("path", [PREDICT, PREDICT.replace(":", "%3A")])
@pytest.mark.parametrize(
    "body",
    [
        {"instances": ROWS},
        {"instances": [{"a": 1, "b": 2}, {"b": 4.5, "a": 3}], "parameters": {"top_k": 3}},
        {"inputs": ROWS, "parameters": None},
        {"inputs": {"input": ROWS}},
    ],
)
def test_a_prediction(served: Served, path: str, body: Any) -> None:
    response = served.post(path, body, content_type="application/json")
    assert (response.status, response.body) == (200, b'{"predictions":[3.0,7.5]}')
    assert (response.headers["x-model-version"], response.headers["x-model-route"]) == ("v1", "rule=only")


def test_a_header_pins_a_version(served: Served) -> None:
    response = served.post(PREDICT, {"instances": ROWS}, x_model_version="v2")
    assert (response.status, json.loads(response.body)) == (200, {"predictions": [-3.0, -7.5]})
    assert response.headers["x-model-route"] == "rule=pin"


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "message"),
    [
        (PREDICT, {}, {}, 400, "the body must have either instances or inputs."),
        (
            PREDICT,
            {"instances": ROWS, "inputs": ROWS},
            {},
            400,
            "the body must have either instances or inputs.",
        ),
        (PREDICT, [1], {}, 400, "the body must be a JSON object with instances."),
        (PREDICT, {"instances": ROWS, "parameters": 1}, {}, 400, "parameters must be an object."),
        (PREDICT, {"instances": [[1]]}, {}, 400, "row 0 has 1 values, but there are 2: 'a', 'b'."),
        (
            PREDICT,
            "1,2",
            {"content_type": "text/csv"},
            415,
            "the content-type is text/csv, but must be one of application/json.",
        ),
        (
            PREDICT,
            {"instances": ROWS},
            {"x_model_version": "v9"},
            404,
            "version 'v9' is not deployed; the versions are v1, v2.",
        ),
        (
            "/v1/models/other:predict",
            {"instances": ROWS},
            {},
            404,
            "model 'other' is not served here; the model is 'breast-cancer'.",
        ),
        (
            f"/v1/models/{MODEL}:explain",
            {},
            {},
            404,
            f"/v1/models/{MODEL}:explain is not a path of KServe's protocol version 1, nor of Vertex AI.",
        ),
        (f"/v1/models/{MODEL}", {}, {}, 405, f"/v1/models/{MODEL} takes GET, not POST."),
    ],
)
def test_what_breaks_a_rule_is_a_problem_with_kserves_own_member(
    served: Served, path: str, body: Any, headers: dict[str, str], status: int, message: str
) -> None:
    response = served.post(path, body, **headers)
    assert problem(response) == (status, message)
    assert json.loads(response.body)["error"] == message


def test_a_prediction_is_posted(served: Served) -> None:
    response = served.ask("GET", PREDICT)
    assert problem(response) == (405, f"{PREDICT} takes POST, not GET.")
    assert response.headers["allow"] == "POST"


def test_a_model_that_does_not_load_is_not_ready(tmp_path: Path) -> None:
    served = Served(tmp_path, "raise ImportError('no such library')\n")
    message = "version 'v1' cannot be loaded: ImportError: no such library"
    assert problem(served.ask("GET", f"/v1/models/{MODEL}")) == (503, message)
