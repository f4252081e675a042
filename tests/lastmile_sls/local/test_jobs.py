"""Requests that are answered later, through the cloud's own processes: accepted, delivered, answered, whatever dies."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lastmile_runtime.http import Response
from lastmile_sls.errors import LastmileError
from lastmile_sls.local import supervise
from lastmile_sls.local.queue import Counts
from lastmile_sls.local.redrive import redrive
from lastmile_sls.local.status import read_status
from tests.lastmile_runtime.fronts import front
from tests.lastmile_runtime.test_callbacks import SECRET, verified
from tests.lastmile_sls.local.conftest import World, wait_until
from tests.lastmile_sls.local.later import FAILING, Later, doubled

# Waits for the file that its first input names, so that tests decide when it goes on.
WAITING = """
import os, time
class Model:
    def predict(self, inputs):
        os.makedirs(os.environ["MARKS"], exist_ok=True)
        open(f"{os.environ['MARKS']}/began-{os.getpid()}", "w").close()
        while not os.path.exists(f"{os.environ['MARKS']}/go"):
            time.sleep(0.01)
        return {"doubled": [[2 * value for value in row] for row in inputs["x"]]}
"""
KILLED = """
import os, signal
class Model:
    def predict(self, inputs):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def counts(later: Later) -> Counts:
    return read_status(later.world.place()).queues["jobs"]


def began(marks: Path) -> list[int]:
    return [int(mark.name.partition("-")[2]) for mark in marks.glob("began-*")]


def test_a_job_is_accepted_delivered_and_answered(world: World) -> None:
    later = Later(world).serve()
    accepted = later.accept(21)
    assert (accepted.status_code, accepted.json()["status"]) == (202, "queued")
    assert accepted.headers["preference-applied"] == "respond-async"
    assert accepted.headers["retry-after"] == "1"
    answer = later.wait_for(accepted)
    assert (answer.status_code, doubled(answer)) == (200, 42)
    assert (answer.headers["x-job-attempts"], answer.headers["x-model-version"]) == ("1", "v1")
    wait_until(lambda: counts(later) == Counts(0, 0, 0))


def test_a_killed_worker_s_job_is_done_by_another(world: World, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    later = Later(world, WAITING).serve(environment={"MARKS": str(marks)})
    accepted = later.accept(1)
    wait_until(lambda: began(marks))
    assert later.request("GET", accepted.headers["location"]).json()["status"] == "running"
    assert counts(later) == Counts(0, 1, 0)
    (first,) = began(marks)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(began(marks)) == 2)
    (marks / "go").touch()
    answer = later.wait_for(accepted)
    assert (doubled(answer), answer.headers["x-job-attempts"]) == (2, "2")


def test_a_killed_host_s_jobs_are_done_by_the_next_one_at_once(world: World, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    later = Later(world, WAITING).serve(environment={"MARKS": str(marks)})
    accepted = later.accept(1)
    wait_until(lambda: began(marks))
    os.kill(world.host_pid(), signal.SIGKILL)
    wait_until(lambda: not supervise.is_running(world.place()))
    (marks / "go").touch()
    supervise.ensure(world.place())
    # The lease of the killed host would last for 60 s.
    assert doubled(later.wait_for(accepted, deadline_s=20)) == 2


def test_a_job_whose_worker_always_dies_is_answered_with_the_reason_and_can_be_redriven(world: World) -> None:
    later = Later(world, KILLED, attempts=2).serve()
    accepted = later.accept_from_one_that_dies(4)
    answer = later.wait_for(accepted)
    assert (answer.status_code, answer.headers["x-job-attempts"]) == (500, "2")
    assert answer.json() == {
        "error": "the job was given up after 2 attempts; the last one: the function's process ended before it answered."
    }
    assert counts(later) == Counts(0, 0, 1)
    later.replace_model(
        "class Model:\n    def predict(self, inputs):\n        return {'doubled': [[8, 0]]}\n"
    )
    assert redrive(world.place(), "jobs") == 1
    wait_until(lambda: later.wait_for(accepted).status_code == 200)
    assert doubled(later.wait_for(accepted)) == 8
    assert counts(later) == Counts(0, 0, 0)


def test_a_job_whose_model_fails_is_answered_with_its_error_and_set_aside(world: World) -> None:
    later = Later(world, FAILING, attempts=2).serve()
    answer = later.wait_for(later.accept(4))
    assert (answer.status_code, answer.headers["x-job-attempts"]) == (500, "2")
    assert answer.json() == {"error": "version 'v1' failed on this request: ZeroDivisionError: broken"}
    wait_until(lambda: counts(later) == Counts(0, 0, 1))


def test_whoever_waits_for_a_job_is_told_in_the_name_of_the_variable_where_lastmile_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK", raising=False)
    with front(lambda _: Response(200, {}, b"")) as server:
        callback = {"urls": [server.url], "secret": "HOOK"}
        later = Later(world).serve()
        assert later.accept(1, callback_url=server.url).status_code == 400
        with pytest.raises(LastmileError) as refused:
            later.function(callback=callback)
        assert refused.value.message.startswith("queue.callback.secret names HOOK, but: HOOK is not set")
        # The host that runs was started without it.
        first = world.host_pid()
        monkeypatch.setenv("HOOK", SECRET)
        later.function(callback=callback)
        assert world.host_pid() != first
        accepted = later.accept(21, callback_url=f"{server.url}/told")
        wait_until(lambda: server.asked)
    told = verified(server.asked[0])
    assert (told["type"], told["data"]["location"]) == ("job.succeeded", accepted.headers["location"])
    assert SECRET not in "".join(path.read_text() for path in world.place().records.rglob("*.json"))
    assert SECRET not in world.place().host_log.read_text()


def test_what_is_wrong_with_a_request_is_its_answer_at_the_first_attempt(world: World) -> None:
    later = Later(world).serve()
    accepted = later.request(
        "POST", "/v2/models/nobody/infer", content=b"{}", headers={"prefer": "respond-async"}
    )
    answer = later.wait_for(accepted)
    assert (answer.status_code, answer.headers["x-job-attempts"]) == (404, "1")
    wait_until(lambda: counts(later) == Counts(0, 0, 0))


def test_one_idempotency_key_makes_one_job(world: World) -> None:
    later = Later(world).serve()
    with ThreadPoolExecutor(8) as workers:
        answers = list(workers.map(lambda _: later.accept(5, idempotency_key="k"), range(16)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert {answer.headers["location"] for answer in answers if answer.status_code == 202} == {
        later.accept(5, idempotency_key="k").headers["location"]
    }
    other = later.accept(6, idempotency_key="k")
    assert (other.status_code, other.json()) == (
        422,
        {"error": "idempotency-key was used before with another payload; use a new key."},
    )
    assert doubled(later.wait_for(later.accept(5, idempotency_key="k"))) == 10
    assert len(list(later.jobs.glob("*.result.json"))) == 1


def test_a_locked_queue_refuses_the_job_and_keeps_no_half_of_it(world: World) -> None:
    later = Later(world).serve()
    later.wait_for(later.accept(0))
    kept = sorted(later.jobs.iterdir())
    database = sqlite3.connect(later.queue, isolation_level=None)
    database.execute("begin immediate")
    try:
        refused = later.accept(7, idempotency_key="k")
    finally:
        database.execute("rollback")
        database.close()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json() == {
        "error": "the job could not be queued: the queue jobs answered 503: database is locked."
    }
    assert sorted(later.jobs.iterdir()) == kept
    assert doubled(later.wait_for(later.accept(7, idempotency_key="k"))) == 14


def test_requests_find_a_place_while_jobs_wait(world: World, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    # Two of the two times two places are left to requests while the first job's begins are counted.
    later = Later(world, WAITING).serve(environment={"MARKS": str(marks)}, maxInstances=2, concurrency=2)
    accepted = [later.accept(value) for value in range(8)]
    wait_until(lambda: counts(later) == Counts(5, 3, 0))
    assert later.request("GET", "/v2/health/live").status_code == 200
    (marks / "go").touch()
    assert [doubled(later.wait_for(job)) for job in accepted] == [2 * value for value in range(8)]


def test_a_reload_under_way_loses_no_job(world: World) -> None:
    later = Later(world).serve()
    accepted = []
    for number in range(40):
        accepted.append(later.accept(number))
        if number % 10 == 5:
            later.function(memoryMb=300 + number)
        if number == 20:
            world.apply("queue", "jobs", maxAttempts=7, visibilityTimeoutS=61)
            later.function(memoryMb=400)
    assert [doubled(later.wait_for(job)) for job in accepted] == [2 * number for number in range(40)]
    wait_until(lambda: counts(later) == Counts(0, 0, 0))


def test_the_internal_path_is_not_reached_from_outside(world: World) -> None:
    later = Later(world).serve()
    message = json.dumps({"kind": "job", "id": "0" * 32}).encode()
    for path in (
        "/_lastmile/queue", "/%5Flastmile/queue", "/_lastmile%2Fqueue", "/%5f%6castmile/queue", "//_lastmile/queue",
        "/_lastmile/queue?x=1", "/./_lastmile/queue", "/v2/../_lastmile/queue", "/%2e/_lastmile/queue",
        "/_lastmile", "/%255Flastmile/queue",
    ):  # fmt: skip
        answer = later.request("POST", path, content=message, headers={"x-lastmile-last": "1"})
        assert answer.status_code == 404, path


def test_a_queue_that_nobody_serves_cannot_be_redriven(world: World) -> None:
    later = Later(world).serve()
    with pytest.raises(LastmileError) as refused:
        redrive(world.place(), "other")
    assert refused.value.message == "demo-dev has no queue 'other' in service; its queues are jobs."
    assert redrive(world.place(), "jobs") == 0
    supervise.stop(later.world.place())
    with pytest.raises(LastmileError) as refused:
        redrive(world.place(), "jobs")
    assert refused.value.message == "demo-dev does not run, so nothing would work on what is delivered."
    assert refused.value.hint == "Run `lastmile up`, then again."
