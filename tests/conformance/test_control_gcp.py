"""google-cloud-run against a gRPC server of its own protobufs, and Google's REST APIs held against their documents."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.forms import cloud_logging
from lastmile_runtime.http import Request, Response
from lastmile_runtime.telemetry import Log
from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.follow import follow
from lastmile_sls.control.gcp import client, control
from lastmile_sls.control.told import Query
from tests.conformance.google_apis import CloudRun, Session
from tests.lastmile_sls.control.commands import Typist

pytestmark = pytest.mark.conformance
grpc = pytest.importorskip("grpc")
run_v2 = pytest.importorskip("google.cloud.run_v2")
SERVICE = "projects/acme-models/locations/europe-west1/services/churn-dev-predict"
REVISION = f"{SERVICE}/revisions/churn-dev-predict-00002"
DIGEST = "sha256:" + "ab" * 32
PLACE = "churn-dev (europe-west1, account acme-models)"
OUTPUTS: dict[str, Any] = {
    "deployment": "churn-dev",
    "target": "gcp",
    "region": "europe-west1",
    "account": "acme-models",
    "versions": ["v1"],
    "url": "https://churn-dev-predict-abc.a.run.app",
    "key": "the-key",
    "functions": {"predict": SERVICE},
    "logs": {"predict": "churn-dev-predict"},
    "queue": {
        "topic": "projects/acme-models/topics/churn-dev-jobs",
        "subscription": "projects/acme-models/subscriptions/churn-dev-jobs",
        "dead_letters": "projects/acme-models/subscriptions/churn-dev-jobs-dead",
    },
    "schedule": "projects/acme-models/locations/europe-west1/jobs/churn-dev-schedule",
    "alarms": {
        "errors": "projects/acme-models/alertPolicies/1",
        "latency": "projects/acme-models/alertPolicies/2",
    },
    "dashboard": "https://console.cloud.google.com/monitoring/dashboards/builder/1",
}


@pytest.fixture
def run() -> CloudRun:
    return CloudRun()


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def typist(
    run: CloudRun,
    session: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Typist]:
    made = Typist(tmp_path, monkeypatch, capsys)
    made.write_outputs(OUTPUTS)
    with run.serve() as transport:
        google = partial(client.Google, session=session, transport=transport, pause=lambda seconds: None)
        monkeypatch.setattr(control, "Google", google)
        yield made


def container() -> Any:
    return run_v2.Container(
        image="image",
        env=[run_v2.EnvVar(name="LASTMILE_MANIFEST_DIGEST", value=DIGEST)],
        resources=run_v2.ResourceRequirements(limits={"memory": "1Gi", "cpu": "1"}),
    )


def deploy(run: CloudRun, **changes: Any) -> None:
    """Make the service and its ready revision."""
    run.services[SERVICE] = run_v2.Service(
        **{
            "name": SERVICE,
            "update_time": datetime(2026, 11, 29, 12, tzinfo=UTC),
            "latest_ready_revision": REVISION,
            "latest_created_revision": REVISION,
            "terminal_condition": run_v2.Condition(state=run_v2.Condition.State.CONDITION_SUCCEEDED),
            **changes,
        }
    )
    run.revisions[REVISION] = run_v2.Revision(
        name=REVISION,
        containers=[container()],
        scaling=run_v2.RevisionScaling(min_instance_count=1, max_instance_count=10),
    )


def measured(parameters: dict[str, Any]) -> dict[str, Any]:
    """Answer what Cloud Monitoring is asked in these tests."""
    values = {
        "request_count": 3,
        'oldest_unacked_message_age" AND': 95,
        'subscription_id="churn-dev-jobs"': 4,
        'subscription_id="churn-dev-jobs-dead"': 2,
    }
    which = parameters["filter"]
    value = next(value for name, value in values.items() if name in which)
    point = {"interval": {"endTime": "2026-11-29T12:00:00Z"}, "value": {"int64Value": str(value)}}
    return {"timeSeries": [{"points": [point]}]}


def answers(session: Session) -> None:
    session.answers = {
        "/timeSeries": measured,
        "/alerts": {
            "alerts": [
                {
                    "name": "projects/1/alerts/9",
                    "state": "OPEN",
                    "openTime": "2026-11-29T11:00:00.5Z",
                    "policy": {"name": "projects/acme-models/alertPolicies/2"},
                }
            ]
        },
        "/jobs/churn-dev-schedule": {
            "state": "ENABLED",
            "schedule": "0 2 * * *",
            "scheduleTime": "2026-11-30T02:00:00Z",
            "lastAttemptTime": "2026-11-29T02:00:00.123456789Z",
            "status": {"code": 7, "message": "permission denied"},
        },
    }


def test_status(run: CloudRun, session: Session, typist: Typist) -> None:
    deploy(run)
    answers(session)
    told = typist.ask("status", "--json")
    assert (told.code, told.json) == (
        0,
        {
            "deployment": "churn-dev",
            "target": "gcp",
            "ready": True,
            "url": "https://churn-dev-predict-abc.a.run.app",
            "auth": "key",
            "region": "europe-west1",
            "account": "acme-models",
            "traffic": None,
            "versions": ["v1"],
            "functions": [
                {
                    "name": "predict",
                    "id": SERVICE,
                    "state": "ready",
                    "why": None,
                    "version": "churn-dev-predict-00002",
                    "bundle": DIGEST,
                    "memory_mb": 1024,
                    "min_instances": 1,
                    "max_instances": 10,
                    "changed_at": "2026-11-29T12:00:00Z",
                    "errors_last_hour": 3,
                }
            ],
            "queues": {
                "jobs": {"queue": "jobs", "waiting": 4, "in_flight": None, "dead": 2, "oldest_s": 95.0}
            },
            "schedule": {
                "id": OUTPUTS["schedule"],
                "state": "on",
                "expression": "0 2 * * *",
                "next_at": "2026-11-30T02:00:00Z",
                "last_at": "2026-11-29T02:00:00Z",
                "last_error": "permission denied",
            },
            "alarms": [
                {
                    "signal": "errors",
                    "id": OUTPUTS["alarms"]["errors"],
                    "state": "ok",
                    "why": None,
                    "since": None,
                },
                {
                    "signal": "latency",
                    "id": OUTPUTS["alarms"]["latency"],
                    "state": "alarm",
                    "why": None,
                    "since": "2026-11-29T11:00:00Z",
                },
            ],
            "dashboard": "https://console.cloud.google.com/monitoring/dashboards/builder/1",
        },
    )
    shown = typist.ask("status")
    assert shown.out.splitlines() == [
        "churn-dev",
        "  target     gcp, europe-west1, account acme-models",
        "  endpoint   https://churn-dev-predict-abc.a.run.app  (API key: lastmile key --target gcp)",
        "  versions   v1 100 %",
        "  function   predict: ready, 1024 MB, bundle sha256:abababababab, version churn-dev-predict-00002",
        "             1 to 10 instances, changed 2026-11-29T12:00:00Z, 3 errors in the last hour",
        "  queue      jobs: 4 waiting, 2 dead",
        "  schedule   on, 0 2 * * *, next 2026-11-30T02:00:00Z, last 2026-11-29T02:00:00Z, permission denied",
        "  alarm      errors: ok",
        "  alarm      latency: alarm since 2026-11-29T11:00:00Z",
        "  dashboard  https://console.cloud.google.com/monitoring/dashboards/builder/1",
    ]
    assert "the-key" not in shown.out + told.out


def test_what_is_not_ready_says_why_and_what_still_answers(
    run: CloudRun, session: Session, typist: Typist
) -> None:
    answers(session)
    broken = run_v2.Condition(
        state=run_v2.Condition.State.CONDITION_FAILED, message="The container failed to start."
    )
    deploy(run, terminal_condition=broken, latest_created_revision=f"{SERVICE}/revisions/three")
    told = typist.ask("status")
    assert told.code == 1
    assert told.out.splitlines()[4:6] == [
        "  function   predict: failed, 1024 MB, bundle sha256:abababababab, version churn-dev-predict-00002",
        "             why: The container failed to start.",
    ]
    deploy(run, reconciling=True)
    assert typist.ask("status", "--json").json["functions"][0]["state"] == "updating"
    run.services.clear()
    del session.answers["/jobs/churn-dev-schedule"]
    gone = typist.ask("status", "--json").json
    assert (gone["ready"], gone["functions"][0]["state"], gone["schedule"]["state"]) == (
        False,
        "missing",
        "missing",
    )
    assert gone["functions"][0]["why"] == (
        f"the function predict of {PLACE} is not there: no, because NOT_FOUND."
    )


@pytest.mark.parametrize(
    ("status", "message", "hint"),
    [
        (
            "UNAUTHENTICATED",
            f"Google Cloud does not take your credentials for {PLACE}: no, because UNAUTHENTICATED.",
            "Log in again: gcloud auth application-default login. Or renew GOOGLE_APPLICATION_CREDENTIALS.",
        ),
        (
            "PERMISSION_DENIED",
            f"Google Cloud does not let you see the function predict of {PLACE}: no, because PERMISSION_DENIED.",
            "Are these the right credentials? gcloud auth application-default print-access-token",
        ),
        (
            "RESOURCE_EXHAUSTED",
            (
                f"Google Cloud was asked for the function predict of {PLACE} again and again, and refused because there "
                "are too many requests: no, because RESOURCE_EXHAUSTED."
            ),
            "Wait a minute, then run it again; whoever else asks this account's API counts too.",
        ),
        (
            "UNAVAILABLE",
            f"Google Cloud cannot be reached for the function predict of {PLACE}: no, because UNAVAILABLE.",
            "Is there a network? Behind a proxy, set HTTPS_PROXY. Is the region right?",
        ),
    ],
)
def test_refusals_of_cloud_run(
    run: CloudRun, typist: Typist, monkeypatch: pytest.MonkeyPatch, status: str, message: str, hint: str
) -> None:
    monkeypatch.setattr(control, "_RETRIED_FOR_S", 0.3)
    monkeypatch.setattr(control, "_FIRST_PAUSE_S", 0.01)
    run.services[SERVICE] = grpc.StatusCode[status]
    told = typist.ask("status")
    assert (told.code, told.out, told.err.splitlines()[:2]) == (1, "", [f"error: {message}", f"hint: {hint}"])
    assert (len(run.asked) > 1) == (status in ("RESOURCE_EXHAUSTED", "UNAVAILABLE"))


def test_refusals_of_the_others(run: CloudRun, session: Session, typist: Typist) -> None:
    session.refusals = [(429, "Quota exceeded.")] * 5
    told = typist.ask("logs")
    assert (told.code, told.err.splitlines()[0]) == (
        1,
        (
            f"error: Google Cloud was asked for the log of predict of {PLACE} again and again, and refused because "
            "there are too many requests: Quota exceeded."
        ),
    )
    assert len(session.asked) == 5
    session.refusals = [(503, "busy")] * 4  # and then there is an answer
    assert typist.ask("logs").code == 0
    session.refusals = [(401, "Request had invalid authentication credentials.")]
    assert typist.ask("logs").err.splitlines()[0] == (
        f"error: Google Cloud does not take your credentials for {PLACE}: "
        "Request had invalid authentication credentials."
    )
    from google.auth.exceptions import RefreshError

    session.error = RefreshError("Reauthentication is needed. Please run `gcloud auth`", {"token": "secret"})
    expired = typist.ask("logs").err
    assert expired.splitlines()[0] == (
        f"error: Google Cloud does not take your credentials for {PLACE}: "
        "Reauthentication is needed. Please run `gcloud auth`."
    )
    assert "secret" not in expired
    import requests

    session.error = requests.ConnectionError("Name or service not known")
    assert typist.ask("logs").err.splitlines()[0] == (
        f"error: Google Cloud cannot be reached for the log of predict of {PLACE}: Name or service not known."
    )


def test_nobody_is_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lastmile_sls.errors import LastmileError

    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(LastmileError) as caught:
        client.Google(CloudStack(None, "gcp", OUTPUTS, {}))
    assert caught.value.message.startswith(f"Google Cloud does not take your credentials for {PLACE}: File ")
    monkeypatch.setattr(client, "find_spec", lambda name: None)
    with pytest.raises(LastmileError) as caught:
        client.Google(CloudStack(None, "gcp", OUTPUTS, {}))
    assert caught.value.message == "google-cloud-run is not installed, with which Google Cloud is asked."
    assert caught.value.hint == "Install it: pip install 'lastmile-sls[gcp]'"


def entries(at: datetime) -> list[dict[str, Any]]:
    """What Cloud Logging makes of what the runtime writes of two requests, and of a line that is no JSON.

    It takes the special fields out of the line (cloud.google.com/logging/docs/structured-logging, "Special JSON fields").
    """
    lines: list[str] = []
    log = Log("churn-dev-predict", lines.append, cloud_logging.form)
    answered = Request("POST", "/v2/models/churn/infer", {"x-request-id": "r-1"}, b"")
    log.request(answered, Response(200, {}, b"", {"version": "v1"}), 0.0015)
    failed = Request("POST", "/v2/models/churn/infer", {"x-request-id": "r-2"}, b"")
    log.request(failed, Response(500, {}, b"", {"version": "v2", "error": "the model failed"}), 0.25)
    found = []
    for number, line in enumerate(lines):
        payload = json.loads(line)
        labels = payload.pop("logging.googleapis.com/labels")
        special = {"severity": payload.pop("severity"), "httpRequest": payload.pop("httpRequest")}
        payload.pop("time")
        found.append({"jsonPayload": payload, "labels": labels, "insertId": str(number), **special})
    found.append({"textPayload": "a line of nobody's", "insertId": "text"})
    return [
        {**entry, "timestamp": (at + timedelta(seconds=number)).isoformat().replace("+00:00", "Z")}
        for number, entry in enumerate(found)
    ]


def test_logs(run: CloudRun, session: Session, typist: Typist) -> None:
    session.entries = entries(datetime.now(UTC) - timedelta(minutes=5))
    told = typist.ask("logs")
    assert [line[26:] for line in told.out.splitlines()] == [
        "info     predict  200  1.5 ms  v1  POST /v2/models/churn/infer  request_id=r-1",
        "error    predict  500  250 ms  v2  POST /v2/models/churn/infer  request_id=r-2  the model failed",
        "info     predict  a line of nobody's",
    ]
    path, asked = session.asked[-1]
    assert (path, asked["resourceNames"], asked["orderBy"], asked["pageSize"]) == (
        "/v2/entries:list",
        ["projects/acme-models"],
        "timestamp desc",
        50,
    )
    lines = asked["filter"].splitlines()
    assert datetime.fromisoformat(lines.pop(3).removeprefix('timestamp>="').rstrip('"'))
    assert lines == [
        'resource.type="cloud_run_revision"',
        'resource.labels.service_name="churn-dev-predict"',
        'NOT log_id("run.googleapis.com/requests")',
        'resource.labels.location="europe-west1"',
    ]
    (one,) = typist.ask("logs", "--errors").out.splitlines()
    assert one.endswith("the model failed")
    assert session.asked[-1][1]["filter"].endswith("\nseverity>=ERROR")
    (one,) = typist.ask("logs", "--request-id", "r-1").out.splitlines()
    assert session.asked[-1][1]["filter"].endswith('\njsonPayload.request_id="r-1"')
    raw = [json.loads(line) for line in typist.ask("logs", "--json").out.splitlines()]
    assert raw[1]["event"] == session.entries[1]
    assert typist.ask("logs", "--since", "1m").out == ""


def test_following_goes_over_pages_and_tells_each_event_once(session: Session) -> None:
    google = client.Google(CloudStack(None, "gcp", OUTPUTS, {}), session=session)
    now = datetime.now(UTC).replace(microsecond=0)

    def entry(number: int, seconds: int) -> dict[str, Any]:
        at = (now - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
        return {"textPayload": f"line {number}", "insertId": str(number), "timestamp": at}

    session.entries = [entry(number, 60 - number) for number in range(25)]
    looks = [entry(25, 50), entry(26, 1)]

    def pause(_: float) -> None:
        if not looks:
            raise KeyboardInterrupt
        session.entries.append(looks.pop(0))

    told: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        told.extend(
            event.text
            for event in follow(
                control.Control(google.stack, google).log("predict"), Query(timedelta(hours=1), 20), pause
            )
        )
    assert told == [f"line {number}" for number in range(5, 27)]


def test_a_clock_that_is_wrong_is_mended_by_googles(session: Session) -> None:
    session.entries = entries(datetime.now(UTC) + timedelta(hours=2, minutes=55))
    session.now = datetime.now(UTC) + timedelta(hours=3)
    google = client.Google(CloudStack(None, "gcp", OUTPUTS, {}), session=session)
    log = control.Control(google.stack, google).log("predict")
    assert len(log.read(Query(timedelta(minutes=10), 5))) == 3
    session.now = datetime.now(UTC) - timedelta(hours=3)
    session.entries = entries(datetime.now(UTC) - timedelta(hours=3, minutes=5))
    google = client.Google(CloudStack(None, "gcp", OUTPUTS, {}), session=session)
    log = control.Control(google.stack, google).log("predict")
    assert len(log.read(Query(timedelta(minutes=10), 5))) == 3


def test_queue(run: CloudRun, session: Session, typist: Typist) -> None:
    answers(session)
    assert typist.ask("queue status", "--json").json == {
        "queue": "jobs",
        "waiting": 4,
        "in_flight": None,
        "dead": 2,
        "oldest_s": 95.0,
    }
    ids = [f"{number:02}" for number in range(25)]
    session.set_aside(ids, "2026-11-29T10:00:00.123Z")
    peeked = typist.ask("queue peek", "--count", "12", "--json").json
    assert [(message["job"], message["attempts"]) for message in peeked] == [(id_, 5) for id_ in ids[:12]]
    assert not any(message["held"] for message in session.dead.values() if "held" in message)
    refused = typist.ask("queue peek", "--waiting")
    assert refused.err.splitlines()[0] == (
        f"error: Pub/Sub pushes waiting messages of {PLACE} and shows none of them."
    )
    moved = typist.ask("queue redrive")
    assert (moved.out, moved.err) == (
        "25 messages are delivered once more\n",
        "10 so far\n20 so far\n25 so far\n",
    )
    assert [json.loads(b64decode(message["data"]))["id"] for message in session.published] == ids
    assert session.published[0]["attributes"] == {"traceparent": "00-1-2-01"}
    assert session.dead == {}


def test_redriving_loses_nothing_when_it_is_killed_and_leaves_what_comes_back(session: Session) -> None:
    ids = [f"{number:02}" for number in range(15)]
    session.set_aside(ids, "2026-11-29T10:00:00Z")
    google = client.Google(CloudStack(None, "gcp", OUTPUTS, {}), session=session, pause=lambda seconds: None)
    view = control.Control(google.stack, google).queue()
    assert view is not None
    acknowledge = view._acknowledge

    def killed(messages: Any) -> None:
        raise KeyboardInterrupt

    view._acknowledge = killed  # type: ignore[method-assign] # between sending and taking away
    with pytest.raises(KeyboardInterrupt):
        view.redrive(lambda count: None)
    assert (len(session.published), sorted(session.dead)) == (10, ids)
    for message in session.dead.values():
        message["held"] = False  # the time of whoever was killed has passed
    view._acknowledge = acknowledge  # type: ignore[method-assign]
    session.set_aside(["again"], (datetime.now(UTC) + timedelta(hours=1)).isoformat())
    assert view.redrive(lambda count: None) == 15
    found = [json.loads(b64decode(message["data"]))["id"] for message in session.published]
    assert (sorted(set(found)), len(found), list(session.dead)) == (ids, 25, ["again"])
    assert session.dead["again"]["held"] is False


def test_an_emulator_of_pubsub_is_asked_in_its_place() -> None:
    stack = CloudStack(None, "gcp", OUTPUTS, {"PUBSUB_EMULATOR_HOST": "127.0.0.1:8085"})
    assert client.Google(stack, session=Session())._hosts["pubsub"] == "http://127.0.0.1:8085/v1"
