"""Vertex AI's predictions, as the service answers them and as it asks a container."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log
from tests.lastmile_runtime.bundles import MODEL, routing
from tests.lastmile_runtime.protocols.served import FAILING, ROWS, Served, problem

ENDPOINT = "/v1/projects/p-1/locations/europe-west1/endpoints/4711"
BODY = {"instances": ROWS, "parameters": {"confidenceThreshold": 0.5}}


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


@pytest.mark.parametrize("colon", [":", "%3A"])
def test_a_prediction_says_which_model_it_is_of(served: Served, colon: str) -> None:
    response = served.post(f"{ENDPOINT}{colon}predict", BODY)
    assert (response.status, json.loads(response.body)) == (
        200,
        {
            "predictions": [3.0, 7.5],
            "deployedModelId": "v1",
            "model": f"projects/p-1/locations/europe-west1/models/{MODEL}",
            "modelDisplayName": MODEL,
            "modelVersionId": "v1",
        },
    )


def test_a_raw_prediction_says_it_in_headers(served: Served) -> None:
    response = served.post(f"{ENDPOINT}:rawPredict", BODY, x_model_version="v2")
    assert (response.status, response.body) == (200, b'{"predictions":[-3.0,-7.5]}')
    told = {name: value for name, value in response.headers.items() if name.startswith("x-vertex-ai-")}
    assert told == {
        "x-vertex-ai-deployed-model-id": "v2",
        "x-vertex-ai-model": f"projects/p-1/locations/europe-west1/models/{MODEL}",
        "x-vertex-ai-model-version-id": "v2",
    }


def test_a_container_is_asked_on_the_routes_that_the_service_chose(tmp_path: Path) -> None:
    digest = Served(tmp_path).application.bundle.digest
    environ = {
        "LASTMILE_BUNDLE": str(tmp_path),
        "LASTMILE_MANIFEST_DIGEST": digest,
        "LASTMILE_ROUTING": json.dumps(routing(v1=10_000, v2=0)),
        "AIP_PREDICT_ROUTE": "/v1/endpoints/1/deployedModels/2:predict",
        "AIP_HEALTH_ROUTE": "/v1/endpoints/1/deployedModels/2",
    }
    served = Served(tmp_path)
    served.application = start(environ, Log("f", lambda line: None), keeps_running=False)
    response = served.post(environ["AIP_PREDICT_ROUTE"], BODY)
    assert (response.status, response.body) == (200, b'{"predictions":[3.0,7.5]}')
    assert served.ask("GET", environ["AIP_HEALTH_ROUTE"]).status == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "message", "google"),
    [
        (
            f"{ENDPOINT}:predict",
            {"instances": []},
            400,
            "instances must be a list of at least one row.",
            "INVALID_ARGUMENT",
        ),
        (
            f"{ENDPOINT}:explain",
            BODY,
            404,
            f"{ENDPOINT}:explain is not a path of Vertex AI's predictions; they end in :predict or :rawPredict.",
            "NOT_FOUND",
        ),
        (
            ENDPOINT,
            BODY,
            404,
            f"{ENDPOINT} is not a path of Vertex AI's predictions; they end in :predict or :rawPredict.",
            "NOT_FOUND",
        ),
    ],
)
def test_what_breaks_a_rule_is_told_where_googles_clients_look(
    served: Served, path: str, body: object, status: int, message: str, google: str
) -> None:
    response = served.post(path, body)
    assert problem(response) == (status, message)
    assert json.loads(response.body)["error"] == {"code": status, "message": message, "status": google}


def test_a_model_that_fails_is_an_internal_error(tmp_path: Path) -> None:
    response = Served(tmp_path, FAILING).post(f"{ENDPOINT}:predict", BODY)
    assert problem(response) == (500, "version 'v1' failed on this request: ZeroDivisionError: broken")
    assert json.loads(response.body)["error"]["status"] == "INTERNAL"
