from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.http import Request, Response
from lastmile_runtime.router import sticky_bucket
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
FAILING = "class Model:\n    def predict(self, inputs):\n        raise ZeroDivisionError('broken')\n"
SLOW = """
import threading
release = threading.Event()
class Model:
    def predict(self, inputs):
        release.wait(30)
        return {"doubled": [[0, 0]]}
"""
UNLOADABLE = "raise ImportError('no such library')\n"


def client(folder: Path, challenger: str = DOUBLER, draw: int = 0, **changes: Any) -> Client:
    """v1 doubles and is the champion; v2 is `challenger`, and has the lower half of the buckets."""
    versions = [python_version("v1"), python_version("v2")]
    digest = write_bundle(folder, versions, {versions[0].artifact: DOUBLER, versions[1].artifact: challenger})
    return Client(folder, digest, {**routing(v1=5000, v2=5000), **changes}, draw)


def data(response: Response) -> Any:
    return json.loads(response.body)["outputs"][0]["data"]


@pytest.mark.parametrize("source", [FAILING, UNLOADABLE])
def test_the_champion_answers_for_a_challenger_that_fails(tmp_path: Path, source: str) -> None:
    response = client(tmp_path, source).infer(BODY)
    assert (response.status, data(response)) == (200, [2, 4])
    assert response.headers["x-model-version"] == "v1"
    assert response.headers["x-model-route"] == "rule=weight; bucket=0; failed=v2"


def test_a_pinned_version_that_fails_says_so(tmp_path: Path) -> None:
    response = client(tmp_path, FAILING).infer(BODY, headers={"x-model-version": "v2"})
    message = "version 'v2' failed on this request: ZeroDivisionError: broken"
    assert (response.status, json.loads(response.body)) == (500, {"error": message})


def test_the_champion_answers_for_a_challenger_that_is_late_and_one_that_hangs_is_left_alone(
    tmp_path: Path,
) -> None:
    asked = client(tmp_path, SLOW, challenger_timeout_s=0.05)
    before = threading.active_count()
    answers = [asked.infer(BODY) for _ in range(10)]
    assert {data(answer) == [2, 4] for answer in answers} == {True}
    assert {answer.headers["x-model-route"] for answer in answers} == {"rule=weight; bucket=0; failed=v2"}
    assert threading.active_count() - before == 4
    import sys

    sys.modules["lastmile_model_v2"].release.set()


def test_inputs_that_do_not_fit_are_the_caller_s_mistake_whichever_version_answers(tmp_path: Path) -> None:
    response = client(tmp_path).infer({"inputs": [matrix([[1, 2, 3]])]})
    assert response.status == 400


@pytest.mark.parametrize(
    ("sticky", "headers", "key"),
    [
        ({"header": "X-User"}, {"x-user": "ada"}, "ada"),
        ({"cookie": "user"}, {"cookie": "a=1; user=ada; b=2"}, "ada"),
        ({"cookie": "user"}, {"cookie": 'user="ada"'}, "ada"),
        ({"input": "x"}, {}, "1"),
    ],
)
def test_a_caller_is_known_by_header_cookie_or_input(
    tmp_path: Path, sticky: Any, headers: dict[str, str], key: str
) -> None:
    bucket = sticky_bucket("salt", key)
    response = client(tmp_path, draw=99_999, sticky=sticky).infer(BODY, headers=headers)
    assert response.headers["x-model-route"] == f"rule=sticky; bucket={bucket}"


def test_a_caller_who_cannot_be_known_is_drawn_for(tmp_path: Path) -> None:
    asked = client(tmp_path, draw=7, sticky={"cookie": "user"})
    assert (
        asked.infer(BODY, headers={"cookie": "other=1"}).headers["x-model-route"] == "rule=weight; bucket=7"
    )


def test_a_rule_by_input_value_goes_before_the_weights_and_after_a_pin(tmp_path: Path) -> None:
    rules = [{"input": "x", "in": [1, 5], "version": "v2"}]
    asked = client(tmp_path, draw=99_999, rules=rules)
    found = asked.infer(BODY)
    assert (found.headers["x-model-version"], found.headers["x-model-route"]) == ("v2", "rule=input")
    assert asked.infer({"inputs": [matrix([[3, 1]])]}).headers["x-model-version"] == "v1"
    assert asked.infer(BODY, headers={"x-model-version": "v1"}).headers["x-model-route"] == "rule=pin"


def test_a_shadow_is_given_its_share_of_what_is_not_pinned(tmp_path: Path) -> None:
    seen = []

    def mirror(request: Request, version: str, inputs: Any, prediction: Any) -> None:
        seen.append((version, inputs[0].data, prediction.version))

    shadows = [{"version": "v2", "percent": 1}]
    for draw, expected in ((9, [("v2", [1, 2], "v1")]), (10, [])):
        weights = routing(v1=10_000, v2=0)["weights"]
        asked = client(tmp_path / str(draw), draw=draw, shadows=shadows, weights=weights)
        asked.application.service.mirror = mirror
        seen.clear()
        asked.infer(BODY)
        asked.infer(BODY, headers={"x-model-version": "v1"})
        assert seen == expected


def test_statistics_count_what_each_version_answered(tmp_path: Path) -> None:
    asked = client(tmp_path, FAILING)
    asked.infer({"inputs": [matrix([[1, 2], [3, 4]])]})
    stats = json.loads(asked.get(f"/v2/models/{MODEL}/stats").body)["model_stats"]
    found = {s["version"]: s for s in stats}
    assert (found["v1"]["inference_count"], found["v1"]["execution_count"]) == (2, 1)
    assert found["v2"]["inference_stats"]["fail"]["count"] == 1
    assert found["v1"]["inference_stats"]["success"]["ns"] > 0
    only = json.loads(asked.get(f"/v2/models/{MODEL}/versions/v2/stats").body)["model_stats"]
    assert [s["version"] for s in only] == ["v2"]
