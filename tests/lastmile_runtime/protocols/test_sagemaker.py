"""SageMaker's runtime: what boto3 sends, and what it reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.protocols.mlflow import FORMS
from tests.lastmile_runtime.bundles import MODEL
from tests.lastmile_runtime.protocols.served import FAILING, ROWS, Served, problem

INVOKE = f"/endpoints/{MODEL}/invocations"
JSON, CSV = "application/json", "text/csv"


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "answered", "kind"),
    [
        (ROWS, JSON, None, b'{"predictions":[3.0,7.5]}', JSON),
        ({"instances": ROWS}, JSON, "*/*", b'{"predictions":[3.0,7.5]}', JSON),
        ({"inputs": {"a": [1, 3], "b": [2, 4.5]}}, JSON, JSON, b'{"predictions":[3.0,7.5]}', JSON),
        ("1,2\n3,4.5", CSV, CSV, b"3.0\n7.5\n", "text/csv; charset=utf-8"),
        ("1,2\n3,4.5", "text/csv; header=absent", None, b'{"predictions":[3.0,7.5]}', JSON),
        (ROWS, JSON, "application/x-npy, Text/CSV;q=0.5", b"3.0\n7.5\n", "text/csv; charset=utf-8"),
    ],
)
def test_an_invocation(
    served: Served, body: Any, content_type: str, accept: str | None, answered: bytes, kind: str
) -> None:
    accepted = {"accept": accept} if accept else {}
    response = served.post(INVOKE, body, content_type=content_type, **accepted)
    assert (response.status, response.body, response.headers["content-type"]) == (200, answered, kind)
    assert response.headers["x-amzn-invoked-production-variant"] == "v1"
    assert "x-amzn-sagemaker-inference-id" not in response.headers


def test_a_variant_is_a_pin_and_an_inference_id_is_kept(served: Served) -> None:
    headers = {"x_amzn_sagemaker_target_variant": "v2", "x_amzn_sagemaker_inference_id": "claim-17"}
    response = served.post(INVOKE, ROWS, **headers, x_model_version="v1")
    assert json.loads(response.body) == {"predictions": [-3.0, -7.5]}
    assert response.headers["x-amzn-invoked-production-variant"] == "v2"
    assert response.headers["x-model-route"] == "rule=pin"
    assert response.headers["x-amzn-sagemaker-inference-id"] == response.facts["inference_id"] == "claim-17"


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "message"),
    [
        (INVOKE, 5, {}, 400, f"the body must be a list of rows, or an object with one of {', '.join(FORMS)}."),
        (INVOKE, [[1, 2, 3]], {}, 400, "row 0 has 3 values, but there are 2: 'a', 'b'."),
        (INVOKE, ROWS, {"x_amzn_sagemaker_target_variant": "v9"}, 404,
         "version 'v9' is not deployed; the versions are v1, v2."),
        (INVOKE, ROWS, {"x_amzn_sagemaker_inference_id": "x" * 65}, 400,
         "x-amzn-sagemaker-inference-id has 65 characters; it must have 1 to 64, printable."),
        ("/endpoints/other/invocations", ROWS, {}, 404,
         f"endpoint 'other' is not served here; the endpoint is {MODEL!r}."),
        (f"/endpoints/{MODEL}/async-invocations", ROWS, {}, 404,
         f"/endpoints/{MODEL}/async-invocations is not a path of SageMaker's runtime."),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_a_validation_error(
    served: Served, path: str, body: Any, headers: dict[str, str], status: int, message: str
) -> None:
    response = served.post(path, body, **headers)
    assert problem(response) == (status, message)
    assert response.headers["x-amzn-errortype"] == "ValidationError"
    assert json.loads(response.body)["message"] == message


def test_an_invocation_is_posted(served: Served) -> None:
    response = served.ask("GET", INVOKE)
    assert problem(response) == (405, f"{INVOKE} takes POST, not GET.")
    assert response.headers["allow"] == "POST"


def test_a_model_that_fails_is_a_model_error_as_botocores_model_has_it(tmp_path: Path) -> None:
    response = Served(tmp_path, FAILING).post(INVOKE, ROWS)
    message = "version 'v1' failed on this request: ZeroDivisionError: broken"
    assert problem(response) == (424, message)
    assert response.headers["x-amzn-errortype"] == "ModelError"
    document = json.loads(response.body)
    assert (document["OriginalStatusCode"], document["OriginalMessage"]) == (500, message)
