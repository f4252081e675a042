from __future__ import annotations

import json
from pathlib import Path

import pytest

from lastmile_runtime.application import Application, draw
from lastmile_runtime.errors import BundleError
from lastmile_runtime.http import MAX_BODY_BYTES
from lastmile_runtime.manifest import Bundle
from lastmile_runtime.router import BUCKETS
from lastmile_runtime.routing import FixedRouting
from tests.lastmile_runtime.bundles import Client, matrix, python_bundle, routing

BROKEN = "class Model:\n    def predict(self, inputs):\n        return inputs['nothing']\n"


def failing_draw() -> int:
    raise ZeroDivisionError


def test_a_path_outside_of_the_protocols_is_a_problem(tmp_path: Path) -> None:
    response = Client(tmp_path, python_bundle(tmp_path)).get("/predict")
    assert response.status == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert json.loads(response.body)["detail"] == (
        "/predict is not a path of this endpoint; /docs lists them."
    )


def test_a_body_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    response = Client(tmp_path, python_bundle(tmp_path)).infer(b"x" * (MAX_BODY_BYTES + 1))
    assert response.status == 413
    assert json.loads(response.body) == {"error": "the body has 33554433 bytes, but may have 33554432."}


def test_the_log_says_where_a_model_failed_and_the_answer_only_why(tmp_path: Path) -> None:
    response = Client(tmp_path, python_bundle(tmp_path, BROKEN)).infer({"inputs": [matrix([[1, 2]])]})
    message = "version 'v1' failed on this request: KeyError: 'nothing'"
    assert (response.status, json.loads(response.body)) == (500, {"error": message})
    assert response.facts["error"] == message
    assert response.facts["stack"][-1] == "KeyError: 'nothing'"
    assert any(
        f'File "{tmp_path}/models/v1/model.py", line 3, in predict' in line
        for line in response.facts["stack"]
    )


def test_a_bug_is_an_answer_without_its_details(tmp_path: Path) -> None:
    client = Client(tmp_path, python_bundle(tmp_path))
    bundle = Bundle(str(tmp_path), python_bundle(tmp_path, ids=("v1", "v2")))
    document = routing(v1=9000, v2=1000)
    client.application = Application(bundle, FixedRouting(document, ["v1", "v2"]), failing_draw)
    response = client.infer({"inputs": [matrix([[1, 2]])]})
    assert (response.status, json.loads(response.body)) == (
        500,
        {"error": "the runtime failed; the function's log says why."},
    )
    assert response.facts["stack"][-1] == "ZeroDivisionError"


def test_a_routing_document_for_another_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"^routing names the version 'v2', but the bundle holds v1\.$"):
        Client(tmp_path, python_bundle(tmp_path), routing(v1=9000, v2=1000))


def test_draws_are_buckets() -> None:
    draws = {draw() for _ in range(100)}
    assert len(draws) > 50
    assert all(0 <= bucket < BUCKETS for bucket in draws)


def test_half_a_character_in_a_models_error_is_told_as_an_escape(tmp_path: Path) -> None:
    source = "class Model:\n    def predict(self, inputs):\n        raise ValueError(chr(0xD800))\n"
    response = Client(tmp_path, python_bundle(tmp_path, source)).infer({"inputs": [matrix([[1, 2]])]})
    message = "version 'v1' failed on this request: ValueError: \\ud800"
    assert (response.status, json.loads(response.body)) == (500, {"error": message})
