from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lastmile_runtime.bundles import Client, matrix, python_bundle, routing

M = "/v2/models/breast-cancer"
METADATA = {
    "name": "breast-cancer",
    "versions": ["v1", "v2"],
    "platform": "lastmile_python",
    "inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 2]}],
    "outputs": [{"name": "doubled", "datatype": "FP64", "shape": [-1, 2]}],
}


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path, python_bundle(tmp_path, ids=("v1", "v2")), routing(v1=9000, v2=1000))


@pytest.mark.parametrize(
    ("path", "document"),
    [
        (
            "/v2",
            {
                "name": "lastmile",
                "version": "0.1.0",
                "extensions": ["binary_tensor_data", "statistics", "model_repository"],
            },
        ),
        (
            "/v2/",
            {
                "name": "lastmile",
                "version": "0.1.0",
                "extensions": ["binary_tensor_data", "statistics", "model_repository"],
            },
        ),
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True, "live": True}),
        ("/v2/models", {"models": ["breast-cancer"]}),
        (M, METADATA),
        ("/v2/models/breast%2Dcancer", METADATA),
        (f"{M}/versions/v2", {**METADATA, "versions": ["v2"]}),
        (f"{M}/versions/challenger", {**METADATA, "versions": ["v2"]}),
        (f"{M}/ready", {"name": "breast-cancer", "ready": True}),
        (f"{M}/versions/champion/ready", {"name": "breast-cancer", "version": "v1", "ready": True}),
    ],
)
def test_what_is_read_is_answered(client: Client, path: str, document: Any) -> None:
    for method in ("GET", "HEAD"):
        response = client.get(path, method)
        assert (response.status, json.loads(response.body)) == (200, document)
        assert response.headers == {"content-type": "application/json"}


UNKNOWN = "version 'v9' is not deployed; the versions are v1, v2."


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v2/nothing", "/v2/nothing is not a path of the Open Inference Protocol."),
        ("/v2/health", "/v2/health is not a path of the Open Inference Protocol."),
        (f"{M}/trace", f"{M}/trace is not a path of the Open Inference Protocol."),
        (f"{M}/versions", f"{M}/versions is not a path of the Open Inference Protocol."),
        ("/v2/models/iris", "model 'iris' is not served here; the model is 'breast-cancer'."),
        (f"{M}/versions/v9", UNKNOWN),
        (f"{M}/versions/v9/ready", UNKNOWN),
        (f"{M}/versions/v9/infer", UNKNOWN),
    ],
)
def test_what_is_not_there_is_not_found(client: Client, path: str, message: str) -> None:
    response = client.get(path)
    assert (response.status, json.loads(response.body)) == (404, {"error": message})


@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [
        ("/v2", "POST", "GET, HEAD"),
        ("/v2/health/ready", "DELETE", "GET, HEAD"),
        (M, "POST", "GET, HEAD"),
        (f"{M}/infer", "GET", "POST"),
        ("/v2/repository/index", "GET", "POST"),
    ],
)
def test_another_method_is_refused_naming_the_right_one(
    client: Client, path: str, method: str, allow: str
) -> None:
    response = client.get(path, method)
    message = f"{path} takes {allow.split(',', maxsplit=1)[0]}, not {method}."
    assert (response.status, response.headers["allow"]) == (405, allow)
    assert json.loads(response.body) == {"error": message}


def test_readiness_is_that_of_the_champions_model(tmp_path: Path) -> None:
    client = Client(tmp_path, python_bundle(tmp_path))
    artifact = tmp_path / "models/v1/model.py"
    source = artifact.read_bytes()
    artifact.write_bytes(b"")
    reason = f"models/v1/model.py has the size 0, but {len(source)} was deployed."
    message = f"version 'v1' cannot be loaded: BundleError: {reason}"
    for path in ("/v2/health/ready", f"{M}/ready"):
        response = client.get(path)
        assert (response.status, json.loads(response.body)) == (503, {"error": message})
    index = [{"name": "breast-cancer", "version": "v1", "state": "UNAVAILABLE", "reason": message}]
    assert json.loads(client.infer(b"", "/v2/repository/index").body) == index
    assert client.get("/v2/health/live").status == 200
    artifact.write_bytes(source)
    assert client.get("/v2/health/ready").status == 200


def test_the_repositorys_index_lists_the_versions(client: Client) -> None:
    assert json.loads(client.infer(b"{}", "/v2/repository/index").body) == [
        {"name": "breast-cancer", "version": version, "state": "READY", "reason": ""}
        for version in ("v1", "v2")
    ]


@pytest.mark.parametrize("name", ["v2", "challenger"])
def test_a_path_pins_a_version_before_a_header_does(client: Client, name: str) -> None:
    body = {"inputs": [matrix([[1, 2]])]}
    response = client.infer(body, f"{M}/versions/{name}/infer", {"x-model-version": "v1"})
    assert (response.headers["x-model-version"], response.headers["x-model-route"]) == ("v2", "rule=pin")
