"""The OpenAPI document against the official schema, and Schemathesis' requests against the endpoint that it describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from lastmile_runtime.application import Application
from lastmile_runtime.asgi import get_asgi
from lastmile_runtime.auth import KeyAuth
from lastmile_runtime.jobs import Jobs
from lastmile_runtime.manifest import Bundle, TensorSpec, Version
from lastmile_runtime.routing import FixedRouting
from lastmile_runtime.stores import open_store
from lastmile_sls.local.resources.key import digest as key_digest
from tests.lastmile_runtime.bundles import routing, write_bundle

pytestmark = pytest.mark.conformance
schemathesis = pytest.importorskip("schemathesis")
checks = pytest.importorskip("schemathesis.checks")
generation = pytest.importorskip("schemathesis.generation")
validator = pytest.importorskip("openapi_spec_validator")

checks.load_all_checks()
KEY = {"x-api-key": "secret"}
SOURCE = """
class Model:
    def predict(self, inputs):
        count = len(next(iter(inputs.values())))
        return {"score": [0.5] * count, "label": ["yes"] * count}
"""
SIGNATURES = {
    "matrix": [TensorSpec("x", "FP64", [-1, 2])],
    "table": [
        TensorSpec("age", "INT64", [-1]),
        TensorSpec("plan", "BYTES", [-1]),
        TensorSpec("new", "BOOL", [-1]),
    ],
}
CONTRACT = {
    "inputs": [
        {"name": "age", "datatype": "INT64", "minimum": 18, "maximum": 99, "out_of_range": "reject"},
        {"name": "plan", "datatype": "BYTES", "categories": ["basic", "pro"], "unknown": "reject"},
    ]
}
NOT_JSON = {"/ping", "/health", "/version"}
"""MLflow's own server says application/json of what is none there, and its clients look at the status alone."""
LATER = {"prefer", "idempotency-key"}
"""What is answered later is not looked into before, and a key that was used with another body is refused."""
EXAMPLES = 15
POSITIVE, NEGATIVE = (
    checks.CHECKS.get_one(name) for name in ("positive_data_acceptance", "negative_data_rejection")
)


class Queue:
    """Takes every message, and does none."""

    most_bytes = 1 << 20

    def send(self, message: bytes, deadline_s: float) -> None:
        assert json.loads(message)["kind"] == "job"
        assert deadline_s > 0


def application(folder: Path, inputs: list[TensorSpec], *, jobs: bool) -> Application:
    outputs = [TensorSpec("score", "FP64", [-1]), TensorSpec("label", "BYTES", [-1])]
    versions = [
        Version(id_, "python", f"models/{id_}/model.py", "Model", inputs=inputs, outputs=outputs)
        for id_ in ("v1", "v2")
    ]
    contract = CONTRACT if len(inputs) > 1 else None
    bundle = Bundle(
        str(folder), write_bundle(folder, versions, {one.artifact: SOURCE for one in versions}, contract)
    )
    store = open_store((folder / "jobs").as_uri())
    return Application(
        bundle,
        FixedRouting(routing(), ["v1", "v2"]),
        auth=KeyAuth([key_digest(KEY["x-api-key"])]),
        jobs=Jobs(store, Queue()) if jobs else None,
    )


@pytest.fixture(params=list(SIGNATURES))
def schema(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    app = application(tmp_path, SIGNATURES[request.param], jobs=request.param == "table")
    return schemathesis.openapi.from_asgi("/openapi.json", get_asgi(app), headers=KEY)


def operations(schema: Any) -> list[Any]:
    return [found.ok() for found in schema.get_all_operations()]


def test_the_document_is_valid(schema: Any) -> None:
    validator.validate(schema.raw_schema)
    assert len(operations(schema)) == 26 + ("/jobs/{id}" in schema.raw_schema["paths"])


def test_every_answer_is_one_that_the_document_describes(schema: Any) -> None:
    """Valid and invalid requests, made from the document: never a 5xx, never a status or a body it does not have."""
    for operation in operations(schema):
        for mode in (generation.GenerationMode.POSITIVE, generation.GenerationMode.NEGATIVE):
            ask(operation, mode)


def ask(operation: Any, mode: Any) -> None:
    excluded = (
        [] if operation.path not in NOT_JSON else [checks.CHECKS.get_one("response_schema_conformance")]
    )
    if operation.method == "get":
        excluded.append(NEGATIVE)  # what a query has beside is not looked at
    # That a shape fits its data, a text is CSV of the model's columns, or a row's values come in the order of the columns
    # that the request names, is nothing a schema can say.
    if operation.path.endswith(("/infer", "/invocations", "/score")):
        excluded.append(POSITIVE)

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        headers = case.headers or {}
        hypothesis.assume(all(headers.values()))  # an empty header is taken as none, which is valid
        left_out = list(excluded)
        if headers.keys() & LATER:
            left_out += [NEGATIVE, POSITIVE]
        case.call_and_validate(headers=KEY, excluded_checks=left_out)

    try:
        check()
    except hypothesis.errors.Unsatisfiable:
        assert mode == generation.GenerationMode.NEGATIVE  # nothing of the operation can be wrong
