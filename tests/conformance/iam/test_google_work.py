"""What a deployment to Google Cloud may do for its work that waits, held against what its function really asks.

The function's calls are recorded in front of an emulator of Cloud Storage, and of a server that takes messages. What
Google's own services do in the project is from their pages: Pub/Sub sets messages aside and acknowledges them
(cloud.google.com/pubsub/docs/handling-failures#grant_forwarding_permissions), makes the tokens of its pushes
(cloud.google.com/pubsub/docs/authenticate-push-subscriptions), and calls Cloud Run with them; Cloud Scheduler publishes.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.application import Application
from lastmile_runtime.http import Request
from lastmile_runtime.startup import start
from lastmile_runtime.stores import open_store
from lastmile_runtime.telemetry import Log
from tests.conformance.emulators import gs_emulator
from tests.conformance.iam.calls import read_gcs, read_pubsub, recording
from tests.conformance.iam.conditions import holds
from tests.conformance.iam.judge import Call
from tests.conformance.iam.roles import judge_role, role_of
from tests.lastmile_infra.gcp.recorded import ACCOUNT, PROJECT, PUSHER, agent_of, run_of
from tests.lastmile_infra.recorded import Run
from tests.lastmile_runtime.bundles import MODEL, matrix, python_bundle, routing

pytestmark = pytest.mark.conformance
SPEC: dict[str, Any] = {
    "queue": {},
    "schedule": {"cron": "0 6 * * *", "input": "batch/in", "output": "batch/out", "format": "jsonl"},
    "targets": {"gcp": {"bucket": "bucket"}},
}
BUCKET = "projects/_/buckets/bucket"
JOBS, INPUT, OUTPUT = (f"{BUCKET}/objects/{path}/" for path in ("churn-dev/results", "batch/in", "batch/out"))
TOPIC = f"projects/{PROJECT}/topics/churn-dev-jobs"
BODY = json.dumps({"inputs": [matrix([[1, 2]])]}).encode()


@dataclass(frozen=True)
class Grant:
    """A right, as the deployment gives it."""

    name: str
    on: str
    role: str
    member: str
    condition: dict[str, str] | None

    def allows(self, call: Call) -> bool:
        """Tell whether it lets its member do something."""
        return (
            (call.resource == self.on or call.resource.startswith(f"{self.on}/"))
            and call.action in role_of(self.role).permissions
            and holds(self.condition, call.resource)
        )


class Messages(ThreadingHTTPServer):
    """Takes what is published; answers 503 while it is closed."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.taken: list[bytes] = []
        self.is_closed = False


class _Taking(BaseHTTPRequestHandler):
    server: Messages

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["content-length"])))["messages"]
        if not self.server.is_closed:
            self.server.taken += [base64.b64decode(message["data"]) for message in sent]
        content = b'{"messageIds": ["1"]}'
        self.send_response(503 if self.server.is_closed else 200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class names it
        return


@contextlib.contextmanager
def taking() -> Iterator[Messages]:
    with Messages() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_of(tmp_path_factory.mktemp("infra") / "project", **SPEC)


@pytest.fixture(scope="module")
def calls(run: Run, tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """Do all the work that waits with the variables that the deployment gives its function; return what was asked."""
    folder = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as environ, gs_emulator(environ, folder), taking() as messages:
        files = open_store("gs://bucket/batch/in")
        with (
            recording(os.environ["STORAGE_EMULATOR_HOST"], read_gcs) as stored,
            recording(f"http://127.0.0.1:{messages.server_port}", read_pubsub) as sent,
        ):
            environ.setenv("STORAGE_EMULATOR_HOST", stored.url)
            environ.setenv("PUBSUB_EMULATOR_HOST", sent.url.removeprefix("http://"))
            _work(_application(run, folder / "bundle"), files, messages)
            return [*stored.once(), *sent.once()]


def _application(run: Run, bundle: Path) -> Application:
    (container,) = run.inputs("Service", "churn-dev-predict")["template"]["containers"]
    given = {variable["name"]: variable["value"] for variable in container["envs"] if "value" in variable}
    told = {name: given[name] for name in ("LASTMILE_QUEUE_URL", "LASTMILE_JOBS_URL", "LASTMILE_BATCH")}
    served = {
        "LASTMILE_BUNDLE": str(bundle),
        "LASTMILE_MANIFEST_DIGEST": python_bundle(bundle),
        "LASTMILE_ROUTING": json.dumps(routing()),
    }
    emulators = {name: os.environ[name] for name in ("STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST")}
    return start({**served, **told, **emulators}, Log("predict", lambda _: None), keeps_running=False)


def _work(application: Application, files: Any, messages: Messages) -> None:
    """Answer a request later, score a file, and that file anew when it has changed; refuse what cannot be queued."""
    later = Request(
        "POST", f"/v2/models/{MODEL}/infer", {"prefer": "respond-async", "idempotency-key": "k"}, BODY
    )
    location = application.handle(later).headers["location"]
    assert application.handle(Request("GET", location)).status == 202
    _drain(application, messages)
    assert application.handle(Request("GET", location)).status == 200
    for rows in (2, 3):
        content = "".join(json.dumps({"x": [row, row]}) + "\n" for row in range(rows))
        files.put("rows.jsonl", content.encode())
        application.work(b'{"kind": "batch"}')
        _drain(application, messages)
    messages.is_closed = True
    refused = Request("POST", f"/v2/models/{MODEL}/infer", {"prefer": "respond-async"}, BODY)
    assert application.handle(refused).status == 503


def _drain(application: Application, messages: Messages) -> None:
    while messages.taken:
        application.work(messages.taken.pop(0))


def grants_of(run: Run, member: str) -> list[Grant]:
    """Return every right of a member's that the deployment gives."""
    on: dict[str, Callable[[Any], str]] = {
        "BucketIAMMember": lambda inputs: f"projects/_/buckets/{inputs['bucket']}",
        "TopicIAMMember": lambda inputs: inputs["topic"],
        "SubscriptionIAMMember": lambda inputs: f"projects/{PROJECT}/subscriptions/{inputs['subscription']}",
        "IAMMember": lambda inputs: inputs["serviceAccountId"],
        "ServiceIamMember": lambda inputs: inputs["name"],
    }
    found = [r for r in run.resources if "iammember" in r.type.lower()]
    assert {r.type.rpartition(":")[2] for r in found} == on.keys()
    return [
        Grant(
            r.name.removeprefix("churn-dev-"),
            on[r.type.rpartition(":")[2]](r.inputs),
            r.inputs["role"],
            r.inputs["member"],
            r.inputs.get("condition"),
        )
        for r in found
        if r.inputs["member"] == member
    ]


def test_the_function_does_all_of_its_work(calls: list[Call]) -> None:
    places = {JOBS: "jobs", INPUT: "input", OUTPUT: "output"}
    found = {
        (
            call.action,
            next((name for place, name in places.items() if call.resource.startswith(place)), call.resource),
        )
        for call in calls
    }
    verbs = [f"storage.objects.{verb}" for verb in ("create", "delete", "get")]
    assert found == {
        ("pubsub.topics.publish", TOPIC),
        ("storage.objects.list", BUCKET),
        *((verb, "jobs") for verb in verbs),
        ("storage.objects.get", "input"),
        *((verb, "output") for verb in verbs),
    }


def test_its_account_may_do_that(run: Run, calls: list[Call]) -> None:
    grants = grants_of(run, f"serviceAccount:{ACCOUNT}")
    assert [str(call) for call in calls if not any(grant.allows(call) for grant in grants)] == []


def test_each_right_of_its_account_is_used(run: Run, calls: list[Call]) -> None:
    for grant in grants_of(run, f"serviceAccount:{ACCOUNT}"):
        used = {call.action for call in calls if grant.allows(call)}
        assert judge_role(grant.role, used) == [], grant


NEIGHBOURS = [
    Call("storage.objects.get", f"{BUCKET}/objects/churn-dev/results-of-others/1.json"),
    Call("storage.objects.get", f"{BUCKET}/objects/churn-prod/results/1.json"),
    Call("storage.objects.create", f"{BUCKET}/objects/churn-dev/routing.json"),
    Call("storage.objects.create", f"{INPUT}rows.jsonl"),
    Call("storage.objects.delete", f"{INPUT}rows.jsonl"),
    Call("storage.objects.delete", f"{BUCKET}/objects/batch/outer"),
    Call("storage.objects.list", "projects/_/buckets/another"),
    Call("storage.objects.update", f"{OUTPUT}rows.jsonl/part-0.jsonl"),
    Call("pubsub.topics.publish", f"{TOPIC}-dead"),
    Call("pubsub.subscriptions.consume", f"projects/{PROJECT}/subscriptions/churn-dev-jobs"),
    Call("iam.serviceAccounts.getOpenIdToken", f"projects/{PROJECT}/serviceAccounts/churn-dev-push"),
]


@pytest.mark.parametrize("call", NEIGHBOURS, ids=str)
def test_its_account_may_not_do_what_is_beside_it(run: Run, call: Call) -> None:
    assert [grant for grant in grants_of(run, f"serviceAccount:{ACCOUNT}") if grant.allows(call)] == []


@pytest.mark.parametrize(
    ("member", "needed"),
    [
        (
            agent_of("pubsub"),
            {
                "jobs-proves": "iam.serviceAccounts.getOpenIdToken",
                "jobs-sets-aside": "pubsub.topics.publish",
                "jobs-takes-away": "pubsub.subscriptions.consume",
            },
        ),
        (f"serviceAccount:{PUSHER}", {"pushes-called": "run.routes.invoke"}),
        (agent_of("cloudscheduler"), {"schedule-sends": "pubsub.topics.publish"}),
    ],
    ids=["Pub/Sub", "the pushes", "Cloud Scheduler"],
)
def test_googles_own_may_do_their_part_alone(run: Run, member: str, needed: dict[str, str]) -> None:
    grants = grants_of(run, member)
    assert {grant.name for grant in grants} == needed.keys()
    for grant in grants:
        assert judge_role(grant.role, {needed[grant.name]}) == []


def test_nobody_else_has_a_right(run: Run) -> None:
    members = {r.inputs["member"] for r in run.resources if "iammember" in r.type.lower()}
    known = {f"serviceAccount:{ACCOUNT}", f"serviceAccount:{PUSHER}"}
    assert members == known | {agent_of("pubsub"), agent_of("cloudscheduler")}
