"""A smoke test of an endpoint that is played: each thing that may be wrong is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import pytest

from lastmile_sls.check.answers import Question
from lastmile_sls.check.contract import Answer
from lastmile_sls.control.caller import Caller, NoAnswerError
from lastmile_sls.control.smoke import Patience, Smoke
from lastmile_sls.control.smoke_answers import Certified

DIGEST = "sha256:" + "ab" * 32
ROW = [{"name": "x", "shape": [1], "datatype": "FP64", "data": [2.0]}]


def doubled(value: float) -> list[dict[str, Any]]:
    return [{"name": "y", "shape": [1], "datatype": "FP64", "data": [value]}]


CERTIFIED = Certified(
    "doubler",
    "v1",
    {"v1": [Question("v1", ROW, doubled(4.0))], "v2": [Question("v2", ROW, doubled(6.0))]},
    {"v1": DIGEST, "v2": DIGEST},
)


class Endpoint:
    """Answers as the runtime does; what is wrong with it is set."""

    def __init__(self, **wrong: Any) -> None:
        self.wrong = wrong
        self.jobs = 0

    def ask(
        self, path: str, body: bytes | None = None, headers: Mapping[str, str | None] | None = None
    ) -> Answer:
        headers = headers or {}
        if path in self.wrong:
            found = self.wrong[path]
            if isinstance(found, list):
                found = found.pop(0) if len(found) > 1 else found[0]
            if isinstance(found, Exception):
                raise found
            return cast("Answer", found)
        match path:
            case "/v2/health/ready":
                return answer(200, {"ready": True})
            case "/v2/repository/index":
                return answer(200, [{"name": "doubler", "version": "v1", "state": "READY"}])
            case "/jobs/1":
                self.jobs += 1
                return answer(200, {"outputs": doubled(4.0)}) if self.jobs == 2 else answer(202, {})
            case "/v2/models/doubler/infer":
                return self._infer(headers)
        inputs = [{"name": "x", "datatype": "FP64", "shape": [-1]}]
        return answer(200, {"name": "doubler", "versions": ["v1", "v2"], "inputs": inputs, "outputs": []})

    def _infer(self, headers: Mapping[str, str | None]) -> Answer:
        if headers.get("x-api-key", "") != "":
            return answer(self.wrong.get("wrong key", 401), {"error": "the key is not known."})
        if "prefer" in headers and "no jobs" not in self.wrong:
            return answer(202, {}, location="/jobs/1")
        by = self.wrong.get("by") or headers.get("x-model-version") or self.wrong.get("drawn", "v1")
        value = {"v1": 4.0, "v2": 6.0}[by] + self.wrong.get("off", 0.0)
        named = {"x-model-version": by, "x-model-digest": self.wrong.get("digest", DIGEST)}
        return answer(200, {"outputs": doubled(value)}, **named)


def answer(status: int, document: Any, **headers: str) -> Answer:
    return Answer(0.0, status, headers, json.dumps(document).encode())


def smoke(*certified: Certified | None, **wrong: Any) -> dict[str, tuple[str, str, str]]:
    """Return what was found, by check: status, message, advice."""
    time = [0.0]

    def pause(seconds: float) -> None:
        time[0] += seconds

    test = Smoke(
        cast("Caller", Endpoint(**wrong)),
        ("v1", "v2"),
        certified[0] if certified else CERTIFIED,
        has_key=True,
        has_queue=True,
        patience=Patience(3.0, 5.0, lambda: time[0], pause),
    )
    return {check.name: (check.status, check.message, check.advice) for check in test.run()}


def test_all_is_well() -> None:
    right = "as certified, the largest difference 0."
    assert smoke() == {
        "ready": ("passed", "the endpoint is ready.", ""),
        "model": ("passed", "it serves doubler.", ""),
        "metadata of v1": ("passed", "it takes x FP64.", ""),
        "metadata of v2": ("passed", "it takes x FP64.", ""),
        "prediction": ("passed", f"v1 answered {right}", ""),
        "prediction of v1": ("passed", f"it answered {right}", ""),
        "prediction of v2": ("passed", f"it answered {right}", ""),
        "wrong key": ("passed", "it is refused with 401.", ""),
        "no key": ("passed", "it is refused with 401.", ""),
        "job": ("passed", f"the job was accepted, and answered {right}", ""),
    }


def test_what_is_not_ready_is_waited_for_and_then_asked_nothing_else() -> None:
    waking = [NoAnswerError("https://x cannot be reached: refused"), answer(503, {"error": "loading"})]
    ready = answer(200, {"ready": True})
    assert smoke(**{"/v2/health/ready": [*waking, ready]})["ready"][0] == "passed"
    assert smoke(**{"/v2/health/ready": waking}) == {
        "ready": (
            "failed",
            "/v2/health/ready is answered with 503: loading",
            "The log says why: lastmile logs --errors",
        )
    }
    assert smoke(**{"/v2/health/ready": answer(401, {"error": "who are you?"})}) == {
        "ready": (
            "failed",
            "/v2/health/ready is answered with 401: who are you?",
            "Is the key the newest one? lastmile key. With endpoint.auth jwt or iam, set LASTMILE_TOKEN to a token.",
        )
    }


def test_another_answer_than_the_certified_one_fails() -> None:
    found = smoke(off=0.5)
    assert found["prediction of v2"] == (
        "failed",
        "y[0] is 6.5, but 6.0 was expected (tolerance 1e-09).",
        "",
    )
    assert smoke(off=1e-10)["prediction of v2"][0] == "passed"


def test_the_version_that_answers_is_the_one_that_counts() -> None:
    assert smoke(drawn="v2")["prediction"] == (
        "passed",
        "v2 answered as certified, the largest difference 0.",
        "",
    )
    assert smoke(by="v1")["prediction of v2"][:2] == (
        "failed",
        "y[0] is 4.0, but 6.0 was expected (tolerance 1e-09).",
    )
    apart = Certified("doubler", "v1", {**CERTIFIED.questions, "v2": []}, CERTIFIED.digests)
    found = smoke(apart, drawn="v2")
    assert found["prediction"][1] == "v2 answered, whose certified answers are to other rows; see below."
    assert found["prediction of v2"] == (
        "skipped",
        "nothing is known of what v2 answers: it could not be asked when it was built.",
        "",
    )


def test_another_bundle_than_the_one_that_was_built_fails() -> None:
    assert smoke(digest="sha256:" + "cd" * 32)["prediction of v1"] == (
        "failed",
        "the bundle sha256:cdcdcdcdcdcd answered, but sha256:abababababab was built here.",
        "Deploy what was built: lastmile up. Or test from where it was built.",
    )


def test_strangers_that_get_in_fail() -> None:
    assert smoke(**{"wrong key": 200})["no key"] == (
        "failed",
        "a request with no key is answered with 200.",
        "Anybody can call this endpoint: look at the spec's endpoint.auth, and run lastmile up.",
    )


def test_without_certified_answers_the_protocol_alone_is_looked_at() -> None:
    found = smoke(None)
    assert found["metadata of v1"][0] == "passed"
    assert found["prediction"] == (
        "skipped",
        "no certified answers of v1 are here. Build it: lastmile build",
        "",
    )
    assert smoke(None, **{"/v2/repository/index": answer(200, [])})["model"] == (
        "failed",
        "it serves nothing, but not one model.",
        "",
    )


def test_jobs() -> None:
    assert smoke(**{"no jobs": True})["job"] == (
        "skipped",
        "it was answered at once: the queue is the schedule's alone.",
        "",
    )
    assert smoke(**{"/jobs/1": answer(202, {})})["job"] == (
        "failed",
        "the job has no answer after 5 s.",
        "Look at the queue and at the log: lastmile queue status, lastmile logs",
    )


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (
            "[]",
            "its answer is none of the protocol: TypeError: list indices must be integers or slices, not str",
        ),
        ("{}", "its answer is none of the protocol: KeyError: 'inputs'"),
        (
            "no JSON",
            "its answer is none of the protocol: JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
        ),
    ],
)
def test_an_answer_that_is_none_of_the_protocol_fails(document: str, told: str) -> None:
    broken = Answer(0.0, 200, {}, document.encode())
    assert smoke(**{"/v2/models/doubler/versions/v1": broken})["metadata of v1"] == ("failed", told, "")
