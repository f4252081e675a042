from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.adapters.deliveries import PATH, deliver
from lastmile_runtime.application import Application
from lastmile_runtime.callbacks import Callbacks
from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response
from lastmile_runtime.jobs import Jobs
from lastmile_runtime.manifest import Bundle
from lastmile_runtime.routing import FixedRouting
from lastmile_runtime.stores import StoreError
from lastmile_runtime.stores.file import FileStore
from tests.lastmile_runtime.bundles import DOUBLER, MODEL, matrix, python_bundle, routing

INFER = f"/v2/models/{MODEL}/infer"
BODY = json.dumps({"inputs": [matrix([[1, 2]])]}).encode()
# Fails until the file beside it is there.
MENDED = """
import os
class Model:
    def load(self, folder):
        self.folder = folder
    def predict(self, inputs):
        if not os.path.exists(os.path.join(os.path.dirname(__file__), "mended")):
            raise ZeroDivisionError("broken")
        return {"doubled": [[2 * value for value in row] for row in inputs["x"]]}
"""


class FakeQueue:
    """Keeps what is sent; may be down, or do something first."""

    most_bytes = 10_000

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.down = ""
        self.before: Callable[[], None] | None = None

    def send(self, message: bytes, deadline_s: float) -> None:
        if self.before:
            self.before()
        if self.down:
            raise OSError(self.down)
        self.messages.append(message)


class FailingStore(FileStore):
    """A store whose disk is full whenever `full` says so of a path."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.full = ""

    def put(self, path: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        if self.full and path.endswith(self.full):
            raise StoreError(f"{path}: No space left on device.")
        return super().put(path, content, if_absent=if_absent, if_match=if_match)


class World:
    """An application with a queue, a store and a clock of the tests' own."""

    def __init__(self, folder: Path, source: str = DOUBLER, callbacks: Callbacks | None = None) -> None:
        self.folder = folder
        bundle = Bundle(str(folder / "bundle"), python_bundle(folder / "bundle", source))
        self.queue = FakeQueue()
        (folder / "jobs").mkdir()
        self.store = FailingStore(str(folder / "jobs"))
        self.now = 1000.0
        self.jobs = Jobs(self.store, self.queue, lambda: self.now, callbacks)
        self.application = Application(bundle, FixedRouting(routing(), ["v1"]), lambda: 0, jobs=self.jobs)

    def accept(self, body: bytes = BODY, /, **headers: str) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request("POST", INFER, {"prefer": "respond-async", **named}, body)
        return self.application.handle(request)

    def deliver(self, attempt: int = 1, *, last: bool = False, message: bytes | None = None) -> Response:
        """Deliver the newest message."""
        headers = {"x-lastmile-attempt": str(attempt), "x-lastmile-last": "1" if last else "0"}
        body = self.queue.messages[-1] if message is None else message
        return deliver(self.application, Request("POST", PATH, headers, body))

    def get(self, accepted: Response, method: str = "GET") -> Response:
        return self.application.handle(Request(method, accepted.headers["location"]))

    def files(self) -> list[str]:
        return self.store.list("")

    def mend(self) -> None:
        (self.folder / "bundle" / "models" / "v1" / "mended").touch()


def document(response: Response) -> Any:
    return json.loads(response.body)


def id_of(accepted: Response) -> str:
    return accepted.headers["location"].removeprefix("/jobs/")


def test_a_request_is_accepted_done_and_answered(tmp_path: Path) -> None:
    world = World(tmp_path)
    accepted = world.accept()
    id_ = id_of(accepted)
    assert (accepted.status, document(accepted)) == (202, {"id": id_, "status": "queued"})
    assert accepted.headers["location"] == f"/jobs/{id_}"
    assert accepted.headers["retry-after"] == "1"
    assert accepted.headers["preference-applied"] == "respond-async"
    assert world.queue.messages == [json.dumps({"kind": "job", "id": id_}, separators=(",", ":")).encode()]
    waiting = world.get(accepted)
    assert (waiting.status, document(waiting)) == (202, {"id": id_, "status": "running"})
    delivered = world.deliver(attempt=2)
    assert (delivered.status, delivered.facts["job"], delivered.facts["attempt"]) == (204, id_, 2)
    assert (delivered.facts["job_status"], delivered.facts["faas.trigger"]) == (200, "pubsub")
    answer = world.get(accepted)
    assert (answer.status, document(answer)["outputs"][0]["data"]) == (200, [2, 4])
    assert (answer.headers["x-job-attempts"], answer.headers["x-model-version"]) == ("2", "v1")
    assert answer.headers["content-type"] == "application/json"


def test_secrets_and_what_concerned_the_first_request_are_not_kept(tmp_path: Path) -> None:
    world = World(tmp_path)
    secret = {"authorization": "Bearer s3cret", "x_api_key": "s3cret", "idempotency_key": "s3cret"}
    world.accept(x_user_id="ada", **secret)
    (record,) = (json.loads((tmp_path / "jobs" / name).read_text()) for name in world.files())
    assert record["request"]["headers"] == {"x-user-id": "ada"}
    assert "s3cret" not in json.dumps(record)


def test_a_second_delivery_does_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    accepted = world.accept()
    world.deliver()
    before = world.get(accepted).body
    again = world.deliver(attempt=2)
    assert (again.status, "job" in again.facts) == (204, False)
    assert (world.get(accepted).headers["x-job-attempts"], world.get(accepted).body) == ("1", before)


def test_of_two_workers_the_first_to_finish_answers(tmp_path: Path) -> None:
    world = World(tmp_path)
    accepted = world.accept()
    message = json.loads(world.queue.messages[0])

    def slow(request: Request) -> Response:
        assert world.deliver(attempt=2).status == 204
        return Response(200, {}, b"late")

    assert world.jobs.run(message, slow, last=False, attempt=1) is None
    assert world.get(accepted).headers["x-job-attempts"] == "2"


def test_a_failure_is_tried_again_and_is_the_answer_after_the_last_attempt(tmp_path: Path) -> None:
    world = World(tmp_path, MENDED)
    accepted = world.accept()
    first = world.deliver(attempt=1)
    assert (first.status, document(first)) == (
        503,
        {"error": f"job {id_of(accepted)} was answered with 500."},
    )
    assert world.get(accepted).status == 202
    assert world.deliver(attempt=2, last=True).status == 503
    answer = world.get(accepted)
    assert (answer.status, answer.headers["x-job-attempts"]) == (500, "2")
    assert document(answer) == {"error": "version 'v1' failed on this request: ZeroDivisionError: broken"}


def test_a_failure_is_replaced_when_the_job_is_redriven(tmp_path: Path) -> None:
    world = World(tmp_path, MENDED)
    accepted = world.accept()
    world.deliver(last=True)
    assert world.deliver(attempt=1).status == 503
    assert world.get(accepted).status == 500
    world.mend()
    assert world.deliver(attempt=2).status == 204
    assert (world.get(accepted).status, world.get(accepted).headers["x-job-attempts"]) == (200, "2")
    assert world.deliver(attempt=3).facts.get("job") is None


def test_a_late_success_does_not_change_the_failure_that_was_answered_meanwhile(tmp_path: Path) -> None:
    world = World(tmp_path)
    accepted = world.accept()

    def slow(request: Request) -> Response:
        world.jobs.fail(id_of(accepted), "given up", 3)
        return Response(200, {}, b"late")

    message = json.loads(world.queue.messages[0])
    assert world.jobs.run(message, slow, last=False, attempt=1) is None
    assert (world.get(accepted).status, document(world.get(accepted))) == (500, {"error": "given up"})


def test_giving_up_answers_a_job_once_and_never_one_that_is_done_or_unknown(tmp_path: Path) -> None:
    world = World(tmp_path)
    done, given_up = world.accept(), world.accept()
    world.deliver(message=world.queue.messages[0])
    world.jobs.fail(id_of(done), "given up", 3)
    world.jobs.fail(id_of(given_up), "given up", 3)
    world.jobs.fail(id_of(given_up), "another reason", 4)
    world.jobs.fail("0" * 32, "given up", 3)
    assert world.get(done).status == 200
    answer = world.get(given_up)
    assert (answer.status, document(answer), answer.headers["x-job-attempts"]) == (
        500,
        {"error": "given up"},
        "3",
    )
    assert len(world.files()) == 4


def test_a_mistake_of_the_caller_s_is_the_answer_at_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    accepted = world.accept(b"[]")
    assert world.deliver().status == 204
    assert world.get(accepted).status == 400


def test_an_answer_that_cannot_be_kept_is_worked_for_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    accepted = world.accept()
    world.store.full = ".result.json"
    refused = world.deliver()
    assert (refused.status, document(refused)) == (
        503,
        {"error": f"{id_of(accepted)}.result.json: No space left on device."},
    )
    world.store.full = ""
    assert world.deliver(attempt=2).status == 204
    assert world.get(accepted).status == 200


def test_the_same_key_and_payload_is_the_same_job(tmp_path: Path) -> None:
    world = World(tmp_path)
    first, again = world.accept(idempotency_key="k"), world.accept(idempotency_key="k")
    assert (again.status, again.headers["location"]) == (202, first.headers["location"])
    assert len(world.queue.messages) == 1
    world.deliver()
    assert world.accept(idempotency_key="k").headers["location"] == first.headers["location"]
    assert world.accept(idempotency_key="other").headers["location"] != first.headers["location"]
    assert len(world.queue.messages) == 2


def test_the_same_key_with_another_payload_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.accept(idempotency_key="k")
    refused = world.accept(json.dumps({"inputs": [matrix([[3, 4]])]}).encode(), idempotency_key="k")
    assert (refused.status, document(refused)) == (
        422,
        {"error": "idempotency-key was used before with another payload; use a new key."},
    )


def test_a_repetition_waits_for_the_first_and_takes_its_place_when_that_was_killed(tmp_path: Path) -> None:
    world = World(tmp_path)
    met = []

    def repeat() -> None:
        world.queue.before = None
        met.append(world.accept(idempotency_key="k"))

    world.queue.before = repeat
    first = world.accept(idempotency_key="k")
    assert (met[0].status, met[0].headers["retry-after"], document(met[0])) == (
        409,
        "1",
        {"error": "the first request with this idempotency-key is still in flight; try again."},
    )
    assert (first.status, len(world.queue.messages)) == (202, 1)

    def die() -> None:
        raise SystemExit

    world.queue.before = die
    with pytest.raises(SystemExit):
        world.accept(idempotency_key="killed")
    world.queue.before = None
    assert world.accept(idempotency_key="killed").status == 409
    world.now += 10
    assert world.accept(idempotency_key="killed").status == 202
    assert len(world.queue.messages) == 2


def test_many_at_once_with_one_key_make_one_job(tmp_path: Path) -> None:
    world = World(tmp_path)
    answers: list[Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(world.accept(idempotency_key="k"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} <= {202, 409}
    assert 202 in {answer.status for answer in answers}
    assert (len(world.queue.messages), len(world.files())) == (1, 1)


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_has_a_length(tmp_path: Path, key: str) -> None:
    refused = World(tmp_path).accept(idempotency_key=key)
    assert (refused.status, document(refused)) == (
        400,
        {"error": f"idempotency-key has {len(key)} characters, but may have 1 to 255."},
    )


@pytest.mark.parametrize("headers", [{}, {"idempotency_key": "k"}])
def test_a_job_that_cannot_be_queued_is_refused_and_not_half_kept(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    world = World(tmp_path)
    world.queue.down = "the queue jobs answered '503 database or disk is full'."
    refused = world.accept(**headers)
    assert (refused.status, refused.headers["retry-after"], document(refused)) == (
        503,
        "1",
        {"error": "the job could not be queued: the queue jobs answered '503 database or disk is full'."},
    )
    assert world.files() == []
    world.queue.down = ""
    assert world.accept(**headers).status == 202


def test_a_job_that_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.store.full = ".json"
    refused = world.accept(idempotency_key="k")
    assert refused.status == 503
    assert document(refused)["error"].endswith(".json: No space left on device.")
    assert document(refused)["error"].startswith("the job could not be kept: ")
    assert world.queue.messages == []


def test_a_job_that_is_queued_counts_although_that_could_not_be_noted(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.queue.before = lambda: setattr(world.store, "full", ".json")
    accepted = world.accept(idempotency_key="k")
    world.queue.before, world.store.full = None, ""
    world.now += 10
    assert (accepted.status, world.accept(idempotency_key="k").status) == (202, 202)
    assert [world.deliver(message=message).status for message in world.queue.messages] == [204, 204]
    assert len(world.files()) == 2


@pytest.mark.parametrize("id_", ["0" * 32, "x", "..", "0" * 31 + "/", ""])
def test_an_unknown_job_is_not_found(tmp_path: Path, id_: str) -> None:
    world = World(tmp_path)
    response = world.application.handle(Request("GET", f"/jobs/{id_}"))
    assert (response.status, document(response)["detail"]) == (404, f"there is no job {id_!r}.")


def test_a_job_is_read_only(tmp_path: Path) -> None:
    world = World(tmp_path)
    response = world.get(world.accept(), "DELETE")
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")


def test_without_jobs_a_request_is_answered_at_once(tmp_path: Path) -> None:
    bundle = Bundle(str(tmp_path), python_bundle(tmp_path))
    application = Application(bundle, FixedRouting(routing(), ["v1"]), lambda: 0)
    assert application.handle(Request("POST", INFER, {"prefer": "respond-async"}, BODY)).status == 200
    assert application.handle(Request("GET", f"/jobs/{'0' * 32}")).status == 404


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"no json", "Expecting value: line 1 column 1 (char 0)"),
        (b"[]", "the message's kind is None, which this function does not do."),
        (b'{"kind": "shadow"}', "the message's kind is 'shadow', which this function does not do."),
        (b'{"kind": "job"}', "'id'"),
    ],
)
def test_a_message_that_is_none_of_ours_is_not_lost(tmp_path: Path, message: bytes, error: str) -> None:
    refused = World(tmp_path).deliver(message=message)
    assert (refused.status, document(refused)) == (503, {"error": error})


def test_a_message_whose_job_is_gone_is_done(tmp_path: Path) -> None:
    world = World(tmp_path)
    accepted = world.accept()
    world.store.delete(f"{id_of(accepted)}.json")
    assert world.deliver().status == 204


def test_a_store_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    accepted = world.accept(idempotency_key="k")

    def broken(*_: object, **__: object) -> None:
        raise StoreError("input/output error")

    monkeypatch.setattr(world.store, "get", broken)
    for response in (world.get(accepted), world.accept(idempotency_key="k")):
        assert response.status == 503
    with pytest.raises(RequestError, match="the job could not be read: input/output error"):
        world.jobs.answer(world.application.service, Request("GET", accepted.headers["location"]))
