from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lastmile_runtime.adapters.aws_events import EventError
from lastmile_runtime.adapters.aws_function import Function
from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Response
from tests.lastmile_runtime.adapters import aws_samples as samples
from tests.lastmile_runtime.bundles import DOUBLER, matrix, python_bundle, routing

BODY = json.dumps({"inputs": [matrix([[1, 2]])]})
CONTEXT = SimpleNamespace(aws_request_id="8476a536")
ENVIRON = {"AWS_LAMBDA_FUNCTION_NAME": "predict", "AWS_LAMBDA_FUNCTION_VERSION": "7"}
BROKEN = DOUBLER.replace("return", "raise OSError('no disk'); return")


class Queueing:
    """An application that has a queue: it notes what it was asked for, and fails where its messages say so."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.service = SimpleNamespace(
            model="churn",
            versions={},
            champion=lambda: "v1",
            load=lambda id_: self.asked.append(("load", id_)),
        )
        version = SimpleNamespace(artifact="models/v1/model.py", predictor="python")
        self.service.versions["v1"] = version
        self.bundle = SimpleNamespace(manifest=SimpleNamespace(files={}))

    def work(self, message: bytes, *, attempt: int, last: bool) -> Response | None:
        self.asked.append((message.decode(), attempt, last))
        match message:
            case b"fails":
                raise RuntimeError("job 1 was answered with 500.")
            case b"shadow":
                return None
        return Response(200, {}, b"", {"job": "1"})

    def prepare(self) -> None:
        self.asked.append("prepare")

    def scheduled(self) -> dict[str, Any]:
        self.asked.append("scheduled")
        return {"model": "churn", "ready": True}

    def restored(self) -> None:
        self.asked.append("restored")


def started(application: Any, environ: dict[str, str], write: Callable[[str], Any] = print) -> Function:
    """A function that starts as this application, real or not."""
    return Function(environ, write, works_after=False, start=lambda *_, **__: application)


def function(application: Any, **environ: str) -> tuple[Function, list[dict[str, Any]]]:
    """A function of an application, and the events of its log."""
    lines = Lines()
    made = started(application, {**ENVIRON, **environ}, lines.write)
    application.asked.clear()
    return made, lines.events


class Lines:
    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def write(self, line: str) -> None:
        assert line.endswith("}\n")
        self.events.append(json.loads(line))


def served(
    folder: Path, digest: str, *, works_after: bool = False, **environ: str
) -> tuple[Function, list[dict[str, Any]]]:
    """A function of a bundle, and the events of its log."""
    lines = Lines()
    deployed = {
        "LASTMILE_BUNDLE": str(folder),
        "LASTMILE_MANIFEST_DIGEST": digest,
        "LASTMILE_ROUTING": json.dumps(routing()),
    }
    return Function({**ENVIRON, **deployed, **environ}, lines.write, works_after=works_after), lines.events


def values(answer: dict[str, Any]) -> Any:
    assert answer["statusCode"] == 200, answer
    return json.loads(answer["body"])["outputs"][0]["data"]


@pytest.mark.parametrize(
    "event", [samples.http_api(body=BODY), samples.rest_api(body=BODY), samples.load_balancer(body=BODY)]
)
def test_a_prediction_is_answered_and_logged(tmp_path: Path, event: dict[str, Any]) -> None:
    made, events = served(tmp_path, python_bundle(tmp_path))
    first, afterwards = made.answer(event, CONTEXT)
    assert (values(first), afterwards) == ([2, 4], None)
    assert first["headers"]["x-model-version"] == "v1"
    assert values(made.answer(event, CONTEXT)[0]) == [2, 4]
    cold, warm = events
    common = {
        "level": "INFO",
        "function": "predict",
        "method": "POST",
        "path": "/v2/models/breast-cancer/infer",
        "status": 200,
        "model": "breast-cancer",
        "version": "v1",
        "route": "rule=only",
        "faas.trigger": "http",
        "faas.invocation_id": "8476a536",
        "faas.version": "7",
        "faas.errors": 0,
    }
    measured = {"_aws", "timestamp", "duration_ms", "predict_ms"}
    assert cold.pop("faas.init_duration") > 0
    for line, expected in (
        (cold, {"faas.coldstart": True, "faas.coldstarts": 1}),
        (warm, {"faas.coldstart": False}),
    ):
        assert {name: line.pop(name) for name in list(line) if name not in measured} == {**common, **expected}
        assert set(line) == measured


@pytest.mark.parametrize("kind", ["on-demand", "provisioned-concurrency"])
def test_the_model_is_loaded_with_the_start(tmp_path: Path, kind: str) -> None:
    """Lambda lends the start the whole processor; so `load` is not in the first answer's timing."""
    made, events = served(tmp_path, python_bundle(tmp_path), AWS_LAMBDA_INITIALIZATION_TYPE=kind)
    answer = made.answer(samples.http_api(body=BODY), CONTEXT)[0]
    assert answer["headers"]["server-timing"].partition(";")[0] == "faas.coldstart, predict"
    assert "load_ms" not in events[0]


def test_what_is_loaded_with_the_start() -> None:
    application = Queueing()
    started(application, ENVIRON)
    assert application.asked == [("load", "v1")]
    application = Queueing()
    environ = {**ENVIRON, "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency"}
    started(application, environ)
    assert application.asked == ["prepare"]
    # The hooks of the snapshot load, and nothing before them.
    application = Queueing()
    environ = {**ENVIRON, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    started(application, environ)
    assert application.asked == []


def test_a_model_that_cannot_be_loaded_is_told_to_its_first_request(tmp_path: Path) -> None:
    made, events = served(tmp_path, python_bundle(tmp_path, "raise OSError('no disk')"))
    answer = made.answer(samples.http_api(body=BODY), CONTEXT)[0]
    told = "version 'v1' cannot be loaded: OSError: no disk"
    assert (answer["statusCode"], json.loads(answer["body"])) == (500, {"error": told})
    assert [(event["error"], event["level"], event["faas.errors"]) for event in events] == [
        (told, "ERROR", 1)
    ]


def test_a_prediction_that_fails_is_a_500_and_not_an_error_of_the_function(tmp_path: Path) -> None:
    made, events = served(tmp_path, python_bundle(tmp_path, BROKEN))
    answer = made.answer(samples.http_api(body=BODY), CONTEXT)[0]
    told = "version 'v1' failed on this request: OSError: no disk"
    assert (answer["statusCode"], json.loads(answer["body"]), events[0]["error"]) == (
        500,
        {"error": told},
        told,
    )


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        ({"LASTMILE_MANIFEST_DIGEST": ""}, "BundleError: LASTMILE_MANIFEST_DIGEST is not set."),
        (
            {"LASTMILE_ROUTING_URL": "file://no-folder/routing.json"},
            "StoreError: the store is 'file://no-folder', but a file store is file:// and a path from the root on.",
        ),
    ],
)
def test_a_start_that_fails_is_told_and_tried_again(
    tmp_path: Path, broken: dict[str, str], error: str
) -> None:
    working = {
        **ENVIRON,
        "LASTMILE_BUNDLE": str(tmp_path),
        "LASTMILE_MANIFEST_DIGEST": python_bundle(tmp_path),
        "LASTMILE_ROUTING": json.dumps(routing()),
    }
    environ = {**working, **broken}
    lines = Lines()
    made = Function(environ, lines.write, works_after=False)
    (told,) = lines.events
    assert (told["level"], told["error"]) == ("ERROR", f"the function cannot start: {error}")
    answer = made.answer(samples.http_api("/invocations"), CONTEXT)[0]
    assert (answer["statusCode"], json.loads(answer["body"])) == (
        503,
        {
            "type": "about:blank",
            "title": "Service Unavailable",
            "status": 503,
            "detail": "the function cannot start; its log says why.",
        },
    )
    for event in ({"lastmile": "ping"}, samples.queue(("a1", "{}")), samples.SCHEDULE):
        with pytest.raises(RuntimeError) as found:
            made.answer(event, CONTEXT)
        assert str(found.value) == told["error"]
    environ.pop("LASTMILE_ROUTING_URL", None)
    environ |= working
    assert values(made.answer(samples.http_api(body=BODY), CONTEXT)[0]) == [2, 4]


def test_a_start_that_fails_for_a_snapshot_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as found:
        served(tmp_path, "sha256:0", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    assert str(found.value) == (
        "the function cannot start: BundleError: manifest.json cannot be read: No such file or directory."
    )


def test_messages_that_fail_are_delivered_again() -> None:
    application = Queueing()
    made, events = function(application)
    batch = samples.queue(("a1", "one"), ("a2", "fails"), ("a3", "shadow"), ("b1", "fails"), attempt=3)
    assert made.answer(batch, CONTEXT) == (
        {"batchItemFailures": [{"itemIdentifier": "a2"}, {"itemIdentifier": "b1"}]},
        None,
    )
    assert application.asked == [
        ("one", 3, False),
        ("fails", 3, False),
        ("shadow", 3, False),
        ("fails", 3, False),
    ]
    told = [(event["message_id"], event["status"], event.get("job"), event.get("error")) for event in events]
    error = "the message could not be done: RuntimeError: job 1 was answered with 500."
    assert told == [
        ("a1", 204, "1", None),
        ("a2", 500, None, error),
        ("a3", 204, None, None),
        ("b1", 500, None, error),
    ]
    assert {event["faas.trigger"] for event in events} == {"pubsub"}
    assert [event["queue_age_s"] for event in events] == [pytest.approx(90, abs=5)] * 4
    (directive,) = events[0]["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["function", "faas.trigger"]]
    assert {"Name": "queue_age_s", "Unit": "Seconds"} in directive["Metrics"]
    assert [event["attempt"] for event in events] == [3, 3, 3, 3]


def test_when_all_is_done_nothing_is_delivered_again() -> None:
    made, _ = function(Queueing())
    assert made.answer(samples.queue(("a1", "one"), ("a2", "two")), CONTEXT)[0] == {"batchItemFailures": []}


def test_of_a_fifo_queue_what_follows_a_failure_of_its_group_waits_for_it() -> None:
    application = Queueing()
    made, events = function(application)
    batch = samples.queue(
        ("a1", "one"), ("b1", "fails"), ("a2", "two"), ("b2", "three"), ("c1", "four"), fifo=True
    )
    assert made.answer(batch, CONTEXT)[0] == {
        "batchItemFailures": [{"itemIdentifier": "b1"}, {"itemIdentifier": "b2"}]
    }
    # Doing b2 before b1 would turn their order round.
    assert [message for message, *_ in application.asked] == ["one", "fails", "two", "four"]
    assert [event["message_id"] for event in events] == ["a1", "b1", "a2", "c1"]


@pytest.mark.parametrize(("attempt", "last"), [(1, False), (2, False), (3, True), (4, True)])
def test_the_application_is_told_of_the_last_attempt(attempt: int, last: bool) -> None:
    application = Queueing()
    made, _ = function(application, LASTMILE_QUEUE_ATTEMPTS="3")
    made.answer(samples.queue(("a1", "one"), attempt=attempt), CONTEXT)
    assert application.asked == [("one", attempt, last)]


def test_a_ping_and_a_schedule_load_what_will_answer() -> None:
    application = Queueing()
    made, _ = function(application)
    assert made.answer({"lastmile": "ping"}, CONTEXT) == (
        {"lastmile": "ping", "model": "churn", "ready": True},
        None,
    )
    assert made.answer(samples.SCHEDULE, CONTEXT) == ({"model": "churn", "ready": True}, None)
    assert application.asked == ["scheduled", "scheduled"]


def test_a_ping_of_a_model_that_cannot_be_loaded_fails(tmp_path: Path) -> None:
    made, _ = served(tmp_path, python_bundle(tmp_path, "raise OSError('no disk')"))
    with pytest.raises(RequestError, match=r"^version 'v1' cannot be loaded: OSError: no disk$"):
        made.answer({"lastmile": "ping"}, CONTEXT)


def test_a_schedule_of_a_real_function_says_what_is_ready(tmp_path: Path) -> None:
    made, _ = served(tmp_path, python_bundle(tmp_path))
    assert made.answer(samples.SCHEDULE, CONTEXT)[0] == {
        "model": "breast-cancer",
        "champion": "v1",
        "ready": True,
    }


def test_the_hooks_of_a_snapshot_reach_the_application() -> None:
    application = Queueing()
    made, _ = function(application, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    made.prepare()
    made.restored()
    assert application.asked == ["prepare", "restored"]


def drawn(draw: Callable[[], float], restore: Callable[[], None], seed: Callable[[int], None]) -> list[float]:
    """What two copies of one snapshot draw first."""
    found = []
    for _ in range(2):
        seed(7)
        restore()
        found.append(draw())
    return found


def test_copies_of_a_snapshot_draw_different_random_numbers() -> None:
    made, _ = function(Queueing(), AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    for draw, seed in ((random.random, random.seed), (np.random.random, np.random.seed)):
        first, second = drawn(draw, lambda: None, seed)
        assert first == second
        first, second = drawn(draw, made.restored, seed)
        assert first != second


def test_shadows_run_after_the_answer_where_the_process_runs_on(tmp_path: Path) -> None:
    digest = python_bundle(tmp_path, ids=("v1", "v2"))
    document = {**routing(v1=10_000, v2=0), "shadows": [{"version": "v2", "percent": 10_000}]}
    made, events = served(tmp_path, digest, works_after=True, LASTMILE_ROUTING=json.dumps(document))
    answer, afterwards = made.answer(samples.http_api(body=BODY), CONTEXT)
    assert values(answer) == [2, 4]
    assert [event.get("event") for event in events] == [None]
    assert afterwards is not None
    afterwards()
    assert {name: events[1][name] for name in ("event", "version", "answered_by", "agree")} == {
        "event": "shadow",
        "version": "v2",
        "answered_by": "v1",
        "agree": True,
    }


def test_without_a_queue_no_shadow_runs_where_the_process_is_stopped(tmp_path: Path) -> None:
    digest = python_bundle(tmp_path, ids=("v1", "v2"))
    document = {**routing(v1=10_000, v2=0), "shadows": [{"version": "v2", "percent": 10_000}]}
    made, events = served(tmp_path, digest, LASTMILE_ROUTING=json.dumps(document))
    assert made.answer(samples.http_api(body=BODY), CONTEXT)[1] is None
    assert len(events) == 1


def test_an_unknown_event_is_an_error_whatever_the_application_is() -> None:
    made, _ = function(Queueing())
    with pytest.raises(
        EventError, match=r"^the event is an object with the members a, but this function takes"
    ):
        made.answer({"a": 1}, CONTEXT)
