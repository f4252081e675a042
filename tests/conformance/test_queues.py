"""Queues for real: SQS on moto, Azure's on Azurite, Pub/Sub's pushes; workers are processes, and are killed.

Everywhere the same: a job that was accepted is done although its worker was killed, its answer is read once, a message
that cannot be done is set aside, and is done when it is redriven.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from lastmile_runtime.http import Response
from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.gcp.client import Google
from lastmile_sls.control.gcp.queue import PubSubView
from lastmile_sls.queue_view import QueueView
from tests.conformance.aws.account import Account
from tests.conformance.aws.jobs import ATTEMPTS, MODEL, Aws, accept, ask, body, doubled, wait_until
from tests.conformance.emulators import aws_services
from tests.conformance.emulators import pubsub as emulated_pubsub
from tests.conformance.emulators import request as put
from tests.conformance.event_sources import PubSub, Signer, ask_http, going_on
from tests.lastmile_runtime.adapters import aws_samples as samples
from tests.lastmile_runtime.adapters.process import container
from tests.lastmile_runtime.adapters.pushes import ACCOUNT, AUDIENCE, provider
from tests.lastmile_runtime.adapters.runtime_api import INFER, MANAGED, make_bundle
from tests.lastmile_runtime.bundles import routing
from tests.lastmile_runtime.fronts import front
from tests.lastmile_runtime.stores.fake_gcs import fake_gcs
from tests.lastmile_runtime.test_callbacks import SECRET, Receiver, verified
from tests.ports import free_port

pytestmark = pytest.mark.conformance

PUSHES = 5
"""After how many Pub/Sub sets a message aside: the fewest that it takes."""


@pytest.fixture(scope="module")
def services() -> Iterator[str]:
    with aws_services() as endpoint:
        yield endpoint


@pytest.fixture
def aws(services: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    put("POST", f"{services}/moto-api/reset")
    made = Aws(tmp_path, Account(services))
    for name, value in made.account.environment().items():
        monkeypatch.setenv(name, value)
    yield made
    made.end()


def test_on_sqs_a_killed_worker_s_job_is_done_once_and_its_caller_is_told(aws: Aws) -> None:
    with front(Receiver(500, 204)) as server:
        hooks = {"urls": [server.url], "secret": "HOOK"}
        callback = {"LASTMILE_CALLBACK": json.dumps(hooks), "HOOK": SECRET}
        gateway, worker = aws.environment(**callback), aws.environment(**callback)
        location = accept(gateway, -99, callback_url=f"{server.url}/told")
        source = aws.source(worker)

        def kill_the_first() -> None:
            wait_until(lambda: list(aws.marks.glob("began-*")))
            assert worker.kill()
            (aws.marks / "go").touch()

        with going_on(lambda: source.step(0)):
            kill_the_first()
            assert ask(gateway, "GET", location)["statusCode"] == 202
            wait_until(lambda: ask(gateway, "GET", location)["statusCode"] == 200)
            wait_until(lambda: len(server.asked) == 2)
            wait_until(lambda: counts(aws.view()) == (0, 0, 0))
        answer = ask(gateway, "GET", location)
        assert (doubled(answer), answer["headers"]["x-job-attempts"]) == (-198, "2")
        assert len(list(aws.marks.glob("began-*"))) == 2
        # What SQS delivers twice, as it may, changes nothing.
        id_ = location.removeprefix("/jobs/")
        again = samples.queue(("m1", json.dumps({"kind": "job", "id": id_})))
        assert worker.invoke(again) == {"batchItemFailures": []}
        assert ask(gateway, "GET", location)["headers"] == answer["headers"]
    assert [request.headers["webhook-id"] for request in server.asked] == [id_, id_]
    told = verified(server.asked[1])
    assert (told["type"], told["data"]["id"], told["data"]["location"]) == ("job.succeeded", id_, location)
    events = [json.loads(line) for line in worker.end() if line.startswith("{")]
    worked = [event for event in events if event.get("faas.trigger") == "pubsub"]
    assert len([event for event in worked if event.get("job_status")]) == 1
    assert all(event["queue_age_s"] >= 0 for event in worked)
    # The killed worker held the message for a second, and that second is in its age.
    assert next(event["queue_age_s"] for event in worked if event.get("job_status")) > 1


def counts(view: QueueView) -> tuple[int | None, int | None, int | None]:
    status = view.status()
    return status.waiting, status.in_flight, status.dead


def test_on_sqs_a_poison_message_is_set_aside_looked_at_and_redriven(aws: Aws) -> None:
    gateway, worker = aws.environment(), aws.environment()
    location, fine = accept(gateway, -13), accept(gateway, 4)
    view = aws.view()
    with going_on(lambda: aws.source(worker).step(0)):
        wait_until(lambda: counts(view) == (0, 0, 1))
        failed = ask(gateway, "GET", location)
        assert (failed["statusCode"], failed["headers"]["x-job-attempts"]) == (500, str(ATTEMPTS))
        assert doubled(ask(gateway, "GET", fine)) == 8
        (seen,) = view.peek(10)
        assert (seen.kind, seen.job) == ("job", location.removeprefix("/jobs/"))
        assert counts(view)[2] == 1
        (aws.marks / "mended").touch()
        assert view.redrive(lambda so_far: None) == 1
        wait_until(lambda: ask(gateway, "GET", location)["statusCode"] == 200)
        wait_until(lambda: counts(view) == (0, 0, 0))
    assert doubled(ask(gateway, "GET", location)) == -26


def test_on_lambda_s_own_runtime_a_shadow_s_large_message_goes_through_the_bucket(aws: Aws) -> None:
    document = {**routing(v1=10_000, v2=0), "shadows": [{"version": "v2", "percent": 10_000}]}
    frozen = aws.environment(runtime=MANAGED, LASTMILE_ROUTING=json.dumps(document))
    assert doubled(ask(frozen, "POST", INFER, body(4, 50_000))) == 8
    keys = [entry["Key"] for entry in aws.account.pages("s3", "list_objects_v2", "Contents", Bucket="state")]
    assert [key.rpartition("/")[0] for key in keys] == ["results/shadows"], "\n".join(frozen.end())
    assert aws.source(frozen).step() == 1
    assert aws.account.pages("s3", "list_objects_v2", "Contents", Bucket="state") == []
    events = [json.loads(line) for line in frozen.end() if '"shadow"' in line and line.startswith("{")]
    assert [(event["version"], event["agree"]) for event in events] == [("v2", True)]


PUSHED = """
import sys
sys.path.insert(0, sys.argv[1])
from lastmile_runtime.adapters import gcp, pubsub
pubsub.Pushes.__init__.__defaults__ = (sys.argv[2],)  # who signs the pushes here; in the cloud it is Google
gcp.main()
"""


class CloudRun:
    """A container of a function, at one port whatever happens to its process."""

    def __init__(self, folder: Path, issuer: str, **environ: str) -> None:
        self.marks = folder / "marks"
        self.marks.mkdir()
        self.port = free_port()
        self._bundle = make_bundle(folder, MODEL)
        self._issuer = issuer
        self._environ = {**environ, "PORT": str(self.port), "MARKS": str(self.marks)}
        self._stack = ExitStack()

    def start(self) -> None:
        """Start its process, once the one before is gone."""
        self._stack.close()
        argv = ["-I", "-c", PUSHED, str(self._bundle[0]), self._issuer]
        self._process = self._stack.enter_context(
            container(self._bundle[0], self._bundle[1], argv, **self._environ)
        )
        self._process.wait_until_it_listens()

    def kill(self) -> None:
        os.kill(self._process.process.pid, signal.SIGKILL)
        self._process.process.wait()

    def end(self) -> None:
        self._stack.close()

    def events(self) -> list[dict[str, Any]]:
        """Return what the process that runs now has told of messages that were done."""
        found = [json.loads(line) for line in self._process.lines if line.startswith("{")]
        return [event for event in found if event.get("faas.trigger") == "pubsub"]

    def accept(self, value: float) -> str:
        headers = {"content-type": "application/json", "prefer": "respond-async"}
        answer = ask_http(self.port, "POST", INFER, body(value).encode(), headers)
        assert answer.status == 202, answer.body
        return answer.headers["location"]

    def answer(self, location: str) -> Response:
        return ask_http(self.port, "GET", location)


@pytest.fixture(params=["Google's emulator", "a pump"])
def topic(request: pytest.FixtureRequest) -> Iterator[tuple[str, Callable[[int], None]]]:
    """Pub/Sub at HOST:PORT, and what has it push to a port from then on."""
    if request.param == "a pump":
        pump = PubSub(PUSHES)
        with front(pump) as server:
            yield server.place, lambda port: setattr(pump, "endpoint", port)
        return
    with emulated_pubsub() as place:
        yield place, lambda port: subscribe(place, port)


def subscribe(place: str, port: int) -> None:
    """Make the topics, and the subscriptions as infra makes them."""
    project = f"http://{place}/v1/projects/p"
    dead = "projects/p/topics/dead"
    rule = {"deadLetterTopic": dead, "maxDeliveryAttempts": PUSHES}
    push = {"pushEndpoint": f"http://127.0.0.1:{port}/_lastmile/queue"}
    rest = {"minimumBackoff": "0.1s", "maximumBackoff": "0.2s"}
    jobs = {"topic": "projects/p/topics/jobs", "ackDeadlineSeconds": 10, "pushConfig": push}
    for path, document in (
        ("topics/jobs", {}),
        ("topics/dead", {}),
        ("subscriptions/dead", {"topic": dead}),
        ("subscriptions/jobs", {**jobs, "deadLetterPolicy": rule, "retryPolicy": rest}),
    ):
        put("PUT", f"{project}/{path}", json.dumps(document).encode(), {"content-type": "application/json"})


def test_pub_sub_s_pushes_are_done_again_after_a_kill_and_set_aside_after_the_last(
    topic: tuple[str, Callable[[int], None]], tmp_path: Path
) -> None:
    place, push_to = topic
    with provider() as issuer, fake_gcs() as bucket, ExitStack() as stack:
        function = CloudRun(
            tmp_path,
            issuer,
            LASTMILE_QUEUE_URL="pubsub://p/jobs",
            PUBSUB_EMULATOR_HOST=place,
            LASTMILE_JOBS_URL="gs://bucket/results",
            STORAGE_EMULATOR_HOST=f"http://127.0.0.1:{bucket.server_port}",
            LASTMILE_PUSH_AUDIENCE=AUDIENCE,
            LASTMILE_PUSH_ACCOUNT=ACCOUNT,
            LASTMILE_QUEUE_ATTEMPTS=str(PUSHES),
        )
        stack.callback(function.end)
        signer = Signer(issuer, function.port)
        push_to(stack.enter_context(front(signer)).server_port)
        function.start()
        killed = function.accept(-99)
        wait_until(lambda: list(function.marks.glob("began-*")))
        function.kill()
        (function.marks / "go").touch()
        function.start()
        poison = function.accept(-13)
        wait_until(lambda: function.answer(killed).status == 200)
        answer = function.answer(killed)
        assert json.loads(answer.body)["outputs"][0]["data"][0] == -198
        assert int(answer.headers["x-job-attempts"]) >= 2
        (done,) = [event for event in function.events() if event.get("job_status") == 200]
        assert done["queue_age_s"] > 0
        # What nobody of ours signed is not done.
        assert ask_http(function.port, "POST", "/_lastmile/queue", b"{}").status == 401
        wait_until(lambda: function.answer(poison).status == 500)
        assert function.answer(poison).headers["x-job-attempts"] == str(PUSHES)
        view = pubsub_view(place)
        wait_until(lambda: view.peek(10))
        (seen,) = view.peek(10)
        assert (seen.kind, seen.job) == ("job", poison.removeprefix("/jobs/"))
        assert max(signer.attempts.values()) == PUSHES
        (function.marks / "mended").touch()
        assert view.redrive(lambda so_far: None) == 1
        wait_until(lambda: function.answer(poison).status == 200)
        assert view.peek(10) == []


def pubsub_view(place: str) -> QueueView:
    """Return the queue as `lastmile queue --target gcp` sees it."""
    outputs = {
        "deployment": "churn-dev",
        "url": "https://churn.example",
        "region": "europe-west1",
        "account": "p",
    }
    google = Google(CloudStack(None, "gcp", outputs, {"PUBSUB_EMULATOR_HOST": place}), requests.Session())
    names = ("topics/jobs", "subscriptions/jobs", "subscriptions/dead")
    return PubSubView(google, *(f"projects/p/{name}" for name in names))
