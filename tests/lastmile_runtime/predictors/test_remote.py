"""A version that another function serves: the same answers and refusals as if it were here."""

from __future__ import annotations

import json
from math import nan
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.application import Application
from lastmile_runtime.http import Request, Response
from lastmile_runtime.manifest import Bundle, TensorSpec, Version
from lastmile_runtime.predictors.remote import open_version
from lastmile_runtime.protocols.binary_tensors import LENGTH_HEADER as LENGTH
from lastmile_runtime.routing import FixedRouting
from lastmile_runtime.tensors import Tensor
from tests.lastmile_runtime.bundles import (
    DOUBLER,
    MODEL,
    Client,
    matrix,
    python_version,
    routing,
    write_bundle,
)

BODY = {"inputs": [matrix([[1, 2]])]}
TRIPLER = DOUBLER.replace("2 *", "3 *")
FAILING = "class Model:\n    def predict(self, inputs):\n        raise ZeroDivisionError('broken')\n"
ECHO = "class Model:\n    def predict(self, inputs):\n        return inputs\n"
REMOTE = {"function": "predict-v2", "digest": "sha256:" + "ab" * 32}


class FakeFunction:
    """Another function, in this process; `answer` is said instead of its own, or raised."""

    deadline_s = 27.0

    def __init__(self, application: Application | None = None) -> None:
        self.application = application
        self.answer: Response | Exception | None = None
        self.asked: list[tuple[str, str]] = []

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Response:
        self.asked.append((method, path))
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return self.answer
        assert self.application is not None
        return self.application.handle(Request(method, path, headers, body))


def serving(folder: Path, source: str, version: Version | None = None) -> FakeFunction:
    version = version or python_version("v2")
    digest = write_bundle(folder, [version], {version.artifact: source})
    return FakeFunction(Application(Bundle(str(folder), digest), FixedRouting(routing(v2=10_000), ["v2"])))


def remote_version(version: Version | None = None) -> Version:
    version = version or python_version("v2")
    return Version("v2", "remote", "", inputs=version.inputs, outputs=version.outputs, remote=REMOTE)


def client(folder: Path, function: FakeFunction, version: Version | None = None, **changes: Any) -> Client:
    """v1 doubles here and is the champion; v2 is served by the function, and has the lower half of the buckets."""
    versions = [python_version("v1"), remote_version(version)]
    digest = write_bundle(folder, versions, {versions[0].artifact: DOUBLER})
    made = Client(folder, digest, {**routing(v1=5000, v2=5000), **changes})
    made.application.bundle.functions = {"predict-v2": function}
    return made


def data(response: Response) -> Any:
    return json.loads(response.body)["outputs"][0]["data"]


def error(response: Response) -> Any:
    return json.loads(response.body)["error"]


UNREADABLE = "the answer of the function predict-v2 cannot be read:"
PIN = {"x-model-version": "v2"}


def test_the_other_function_answers_and_is_asked_for_the_version(tmp_path: Path) -> None:
    function = serving(tmp_path / "there", TRIPLER)
    asked = client(tmp_path / "here", function)
    answers = [asked.infer(BODY) for _ in range(2)]
    assert [data(answer) for answer in answers] == [[3, 6], [3, 6]]
    assert answers[0].headers["x-model-version"] == "v2"
    assert answers[0].headers["x-model-route"] == "rule=weight; bucket=0"
    path = f"/v2/models/{MODEL}/versions/v2"
    assert function.asked == [("GET", f"{path}/ready"), ("POST", f"{path}/infer"), ("POST", f"{path}/infer")]


def test_the_other_function_s_versions_look_like_any(tmp_path: Path) -> None:
    asked = client(tmp_path / "here", serving(tmp_path / "there", TRIPLER))
    path = f"/v2/models/{MODEL}/versions/v2"
    described = json.loads(asked.get(path).body)
    assert described["inputs"] == [{"name": "x", "datatype": "FP64", "shape": [-1, 2]}]
    assert described["outputs"] == [{"name": "doubled", "datatype": "FP64", "shape": [-1, 2]}]
    assert asked.get(f"{path}/ready").status == 200
    asked.infer(BODY, headers=PIN)
    (stats,) = json.loads(asked.get(f"{path}/stats").body)["model_stats"]
    assert (stats["version"], stats["inference_count"]) == ("v2", 1)
    index = json.loads(asked.get("/v2/repository/index", "POST").body)
    assert [(entry["version"], entry["state"]) for entry in index] == [("v1", "READY"), ("v2", "READY")]


def echoed(folder: Path, function: FakeFunction, tensor: Tensor, there: Version) -> list[Tensor]:
    version = remote_version(there)
    folder.mkdir()
    bundle = Bundle(str(folder), write_bundle(folder, [version], {}))
    bundle.functions = {"predict-v2": function}
    return open_version(version, bundle)([tensor])


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor("x", "FP64", [2, 2], [0.1, -1e300, float("inf"), 5e-324]),
        Tensor("x", "INT64", [2], [2**63 - 1, -(2**63)]),
        Tensor("x", "UINT64", [1], [2**64 - 1]),
        Tensor("x", "BOOL", [3], [True, False, True]),
        Tensor("x", "BYTES", [2], ["grün", "no \udcff UTF-8"]),
        Tensor("x", "FP64", [], [2.5]),
        Tensor("x", "FP64", [0], []),
    ],
    ids=lambda tensor: f"{tensor.datatype}{tensor.shape}",
)
def test_every_value_goes_there_and_comes_back_as_it_was(tmp_path: Path, tensor: Tensor) -> None:
    there = Version("v2", "python", "models/v2/model.py", "Model")
    function = serving(tmp_path / "there", ECHO, there)
    (found,) = echoed(tmp_path / "here", function, tensor, there)
    assert (found.name, found.datatype, found.data) == (tensor.name, tensor.datatype, tensor.data)
    assert found.shape == (tensor.shape or [1])  # a class answers one value as a list of one


@pytest.mark.parametrize("datatype", ["FP32", "FP16"])
@pytest.mark.parametrize("values", [[0.5, -2.0], [0.1, 3.3], [nan, 0.1], [float("-inf"), 0.1]])
def test_digits_beyond_a_narrow_type_are_not_lost_on_the_way(
    tmp_path: Path, datatype: str, values: list[float]
) -> None:
    there = Version("v2", "python", "models/v2/model.py", "Model")
    function = serving(tmp_path / "there", ECHO, there)
    (found,) = echoed(tmp_path / "here", function, Tensor("x", datatype, [2], values), there)
    assert list(map(repr, found.data)) == list(map(repr, values))


def test_imputed_values_are_what_the_other_function_sees(tmp_path: Path) -> None:
    function = serving(tmp_path / "there", TRIPLER)
    versions = [python_version("v1"), remote_version()]
    rules = {
        "inputs": [{"name": "x", "datatype": "FP64", "missing": "impute", "impute": 7.0}],
        "fallback": None,
    }
    digest = write_bundle(tmp_path / "here", versions, {versions[0].artifact: DOUBLER}, rules)
    asked = Client(tmp_path / "here", digest, routing(v1=5000, v2=5000))
    asked.application.bundle.functions = {"predict-v2": function}
    assert data(asked.infer({"inputs": [matrix([[1, None]])]}, headers=PIN)) == [3, 21]


def refusing(status: int, message: str) -> Response:
    return Response(status, {}, json.dumps({"error": message}).encode())


@pytest.mark.parametrize("status", [400, 413, 422, 500, 502, 503, 504])
def test_a_refusal_comes_back_as_it_was(tmp_path: Path, status: int) -> None:
    function = serving(tmp_path / "there", TRIPLER)
    asked = client(tmp_path / "here", function)
    asked.infer(BODY, headers=PIN)
    function.answer = refusing(status, "because")
    answer = asked.infer(BODY, headers=PIN)
    assert (answer.status, error(answer)) == (status, "because")


@pytest.mark.parametrize("status", [401, 403, 404, 405, 429, 599])
def test_what_the_caller_cannot_help_is_no_mistake_of_theirs(tmp_path: Path, status: int) -> None:
    function = serving(tmp_path / "there", TRIPLER)
    asked = client(tmp_path / "here", function)
    asked.infer(BODY)
    function.answer = refusing(status, "because")
    answer = asked.infer(BODY, headers=PIN)
    assert (answer.status, error(answer)) == (503, f"the function predict-v2 answered {status}: because")
    assert asked.infer(BODY).headers["x-model-route"] == "rule=weight; bucket=0; failed=v2"


@pytest.mark.parametrize(
    ("failure", "status", "message"),
    [
        (
            ConnectionRefusedError(111, "Connection refused"),
            503,
            "the function predict-v2 of version 'v2' gave no answer: [Errno 111] Connection refused.",
        ),
        (
            TimeoutError("no answer in time"),
            504,
            "the function predict-v2 of version 'v2' did not answer within 27 s.",
        ),
        (
            Response(200, {}, b"<html>"),
            502,
            f"{UNREADABLE} JSONDecodeError: Expecting value: line 1 column 1 (char 0).",
        ),
        (
            Response(200, {LENGTH: "999"}, b"{}"),
            502,
            f"{UNREADABLE} RequestError: {LENGTH} is '999', but must be a number of bytes of the body, which has 2.",
        ),
        (Response(500, {}, b"oops"), 500, "it does not say why."),
    ],
)
def test_no_answer_is_told_when_pinned_and_answered_for_by_the_champion_else(
    tmp_path: Path, failure: Exception | Response, status: int, message: str
) -> None:
    function = serving(tmp_path / "there", TRIPLER)
    asked = client(tmp_path / "here", function)
    asked.infer(BODY)
    function.answer = failure
    pinned = asked.infer(BODY, headers=PIN)
    assert (pinned.status, error(pinned)) == (status, message)
    stand_in = asked.infer(BODY)
    assert (stand_in.status, data(stand_in)) == (200, [2, 4])
    assert stand_in.headers["x-model-route"] == "rule=weight; bucket=0; failed=v2"


def test_a_model_that_fails_there_fails_with_its_own_words(tmp_path: Path) -> None:
    asked = client(tmp_path / "here", serving(tmp_path / "there", FAILING))
    answer = asked.infer(BODY, headers=PIN)
    message = "version 'v2' failed on this request: ZeroDivisionError: broken"
    assert (answer.status, error(answer)) == (500, message)
    assert data(asked.infer(BODY)) == [2, 4]


def test_a_version_that_is_not_ready_there_is_not_here_and_is_tried_again(tmp_path: Path) -> None:
    function = serving(tmp_path / "there", TRIPLER)
    asked = client(tmp_path / "here", function)
    ready = f"/v2/models/{MODEL}/versions/v2/ready"
    function.answer = refusing(404, "no function of that name")
    reason = "ConnectionError: the function predict-v2 answered 404: no function of that name"
    message = f"version 'v2' cannot be loaded: {reason}"
    answer = asked.get(ready)
    assert (answer.status, error(answer)) == (503, message)
    function.answer = FileNotFoundError(2, "No such file or directory")
    assert "the function predict-v2 gave no answer: [Errno 2] No such file" in error(asked.get(ready))
    assert data(asked.infer(BODY)) == [2, 4]
    function.answer = None
    assert asked.get(ready).status == 200
    assert data(asked.infer(BODY)) == [3, 6]


def test_a_shadow_there_is_compared(tmp_path: Path) -> None:
    asked = client(tmp_path / "here", serving(tmp_path / "there", TRIPLER))
    (found,) = asked.application.service.shadow("v2", [Tensor("x", "FP64", [1, 2], [1.0, 2.0])])
    assert found.data == [3.0, 6.0]


def test_a_remote_champion_answers_and_a_local_challenger_is_stood_in_for(tmp_path: Path) -> None:
    versions = [
        Version("v1", "python", "models/v1/model.py", "Model", inputs=[TensorSpec("x", "FP64", [-1, 2])]),
        remote_version(),
    ]
    digest = write_bundle(tmp_path / "here", versions, {versions[0].artifact: FAILING})
    asked = Client(tmp_path / "here", digest, routing(v2=5000, v1=5000))
    asked.application.bundle.functions = {"predict-v2": serving(tmp_path / "there", TRIPLER)}
    answer = asked.infer(BODY)
    assert (data(answer), answer.headers["x-model-version"]) == ([3, 6], "v2")
    assert answer.headers["x-model-route"] == "rule=weight; bucket=0; failed=v1"
