"""One function asks another through the host: only what was declared, and as the gateway would."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.functions import LocalFunction
from lastmile_runtime.http import Response
from lastmile_sls.errors import LastmileError
from lastmile_sls.local.instances import HOST_SOCKET
from lastmile_sls.local.status import read_status
from tests.lastmile_sls.local.conftest import World, get, wait_until


def make(world: World, name: str, **changes: Any) -> None:
    inputs = {
        "source": str(world.bundle), "bundleDigest": world.digest, "memoryMb": 256, "timeoutS": 10,
        "idleTimeoutS": 60, "concurrency": 4, "minInstances": 0, "maxInstances": 2, "environment": {},
        "routing": {"champion": "v1", "weights": {"v1": 10000}},
    }  # fmt: skip
    world.apply("function", name, **{**inputs, **changes})


def serve(world: World, **changes: Any) -> str:
    make(world, "predict-v2", **changes)
    make(world, "predict-v3")
    make(world, "predict", calls=["predict-v2"], why="they conflict")
    return world.route()


def ask(
    world: World, name: str, path: str = "/v2/x", method: str = "POST", body: bytes = b"", **headers: str
) -> Response:
    control = json.loads(world.place().host_file.read_text())["control"]
    socket = str(Path(control).with_name(HOST_SOCKET))
    return LocalFunction(socket, name, 20).ask(method, path, headers, body)


def test_a_declared_function_is_started_and_answers_with_what_it_was_sent(world: World) -> None:
    serve(world)
    body = b"x" * 300_000
    answer = ask(world, "predict-v2", "/v2/models/m/infer?a=%20b", body=body, trace="1")
    assert (answer.status, answer.headers["x-model-version"]) == (200, "v1")
    seen = json.loads(answer.body)
    assert (seen["method"], seen["target"]) == ("POST", "/v2/models/m/infer?a=%20b")
    assert (seen["headers"]["trace"], seen["body"]) == ("1", body.decode())
    assert seen["environment"]["LASTMILE_FUNCTION"] == "predict-v2"
    assert "LASTMILE_FUNCTIONS" not in seen["environment"]
    functions = {f.name: f for f in read_status(world.place()).functions}
    assert (functions["predict-v2"].requests, functions["predict"].requests) == (1, 0)


def test_the_caller_knows_the_others_and_its_own_timeout(world: World) -> None:
    url = serve(world)
    environment = get(url).json()["environment"]
    (name,) = urls = json.loads(environment["LASTMILE_FUNCTIONS"])
    assert name == "predict-v2"
    assert urls[name].startswith("unix:///")
    assert urls[name].endswith(f"/{HOST_SOCKET}#predict-v2")
    assert environment["LASTMILE_TIMEOUT_S"] == "10"


@pytest.mark.parametrize("name", ["predict", "predict-v3", "predict-v9", ""])
def test_what_no_function_declared_is_not_there(world: World, name: str) -> None:
    serve(world)
    answer = ask(world, name)
    assert answer.status == 404
    assert json.loads(answer.body) == {
        "error": f"{name!r} is no function that others of this deployment may ask."
    }


def test_the_queue_s_own_path_is_not_there(world: World) -> None:
    serve(world)
    answer = ask(world, "predict-v2", "/_lastmile/queue")
    assert (answer.status, json.loads(answer.body)["detail"]) == (
        404,
        "/_lastmile/queue is not a path of this endpoint.",
    )


def test_callers_do_not_reach_the_others_by_any_path(world: World) -> None:
    url = serve(world)
    for path in ("/functions/predict-v2/v2/x", "/v2/functions/predict-v2"):
        seen = get(url, path).json()
        assert (seen["environment"]["LASTMILE_FUNCTION"], seen["target"]) == ("predict", path)


def test_no_answer_is_the_gateway_s_words(world: World) -> None:
    serve(world, timeoutS=1)
    assert ask(world, "predict-v2", "/exit").status == 502
    late = ask(world, "predict-v2", "/v2/x?sleep=5")
    assert (late.status, json.loads(late.body)["error"]) == (
        504,
        "the function did not answer within resources.timeout_s, which is 1 s.",
    )


def test_a_killed_process_is_replaced_for_the_next_request(world: World) -> None:
    serve(world)
    pid = json.loads(ask(world, "predict-v2").body)["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(f.instances for f in read_status(world.place()).functions))
    assert json.loads(ask(world, "predict-v2").body)["pid"] != pid


def test_a_function_that_goes_is_no_longer_there(world: World) -> None:
    serve(world)
    assert ask(world, "predict-v2").status == 200
    make(world, "predict")
    assert ask(world, "predict-v2").status == 404


def test_a_function_calls_what_is_there_and_not_itself(world: World) -> None:
    with pytest.raises(LastmileError) as refused:
        make(world, "predict", calls=["predict-v2"])
    assert refused.value.message == (
        "the function predict of demo-dev calls the function predict-v2, which does not exist."
    )
    inputs = {"deployment": "demo-dev", "name": "predict", "calls": ["predict"]}
    assert world.cloud.check("function", inputs) == [
        ("calls", "calls names predict, but a function cannot ask itself.")
    ]
