"""Whatever the body, each protocol of rows answers it or says what is wrong with it; nothing makes the runtime fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lastmile_runtime.manifest import TensorSpec, Version
from tests.lastmile_runtime.bundles import MODEL, Client, write_bundle
from tests.lastmile_runtime.protocols.served import Served

PATHS = (
    f"/v1/models/{MODEL}:predict",
    "/v1/projects/p/locations/l/endpoints/e:predict",
    "/invocations",
    f"/endpoints/{MODEL}/invocations",
    "/score",
)
MEMBERS = (
    "instances",
    "inputs",
    "dataframe_split",
    "dataframe_records",
    "data",
    "input_data",
    "Inputs",
    "params",
)
NAMES = st.sampled_from([*MEMBERS, "parameters", "columns", "index", "a", "b", "x", "b64"]) | st.text(
    max_size=3
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=4)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
BODIES = VALUES | st.dictionaries(st.sampled_from(MEMBERS), VALUES, min_size=1, max_size=2)
ECHO = """
class Model:
    def predict(self, inputs):
        return inputs
"""
ANYTHING = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(params=["table", "tensors", "undeclared"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Client:
    if request.param == "table":
        return Served(tmp_path)
    inputs = [TensorSpec("a", "BYTES", [-1]), TensorSpec("b", "INT64", [-1, 2])]
    declared = inputs if request.param == "tensors" else None
    version = Version("v1", "python", "models/v1/model.py", "Model", inputs=declared)
    return Client(tmp_path, write_bundle(tmp_path, [version], {version.artifact: ECHO}))


@ANYTHING
@given(body=BODIES, path=st.sampled_from(PATHS))
def test_any_json(client: Client, body: Any, path: str) -> None:
    response = client.infer(body, path, {"content-type": "application/json"})
    assert response.status in (200, 400), response.body
    json.loads(response.body)


@ANYTHING
@given(body=st.binary(max_size=60) | st.text('ab,\n"0.1xé', max_size=30).map(str.encode))
def test_any_csv(client: Client, body: bytes) -> None:
    for path in ("/invocations", f"/endpoints/{MODEL}/invocations"):
        response = client.infer(body, path, {"content-type": "text/csv", "accept": "text/csv"})
        assert response.status in (200, 400), response.body
