"""Azure's entry point: the worker's own objects in, its own objects out."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest
from azure.functions import queue

import lastmile_runtime
from lastmile_runtime.adapters import azure
from lastmile_runtime.adapters.azure import Functions, answer_of, create, request_of
from lastmile_runtime.adapters.azure_later import Later
from lastmile_runtime.application import Application
from lastmile_runtime.errors import BundleError
from lastmile_runtime.forms.application_insights import Traces, form
from lastmile_runtime.http import Request, Response
from lastmile_runtime.manifest import FILE, digest
from tests.lastmile_runtime.adapters.process import INFER, copy_runtime
from tests.lastmile_runtime.bundles import MODEL, Client, matrix, python_bundle, routing
from tests.lastmile_runtime.hosts import Host

TEMPLATES = Path(lastmile_runtime.__file__).parent / "adapters" / "azure_app"
BODY = json.dumps({"inputs": [matrix([[1, 2]])]}).encode()
CONTEXT: Any = SimpleNamespace(invocation_id="invocation-1")
PATIENCE_S = 20.0


def http(
    method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None, params: Any = None
) -> func.HttpRequest:
    return func.HttpRequest(method, url, headers=headers, params=params, body=body)


class Carrying(logging.Handler):
    """Keeps what is logged, as the worker would carry it."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """What is logged for the worker to carry."""
    handler = Carrying()
    logging.getLogger().addHandler(handler)
    yield handler.records
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "WEBSITE_SITE_NAME": "churn",
        "LASTMILE_BUNDLE": str(tmp_path),
        "LASTMILE_MANIFEST_DIGEST": python_bundle(tmp_path),
        "LASTMILE_ROUTING": json.dumps(routing()),
    }


class Waiting(Later):
    """Keeps what is left to do, and does it when it is told to."""

    def __init__(self) -> None:
        self.work: list[Any] = []

    def add(self, work: Any) -> None:
        self.work.append(work)


class Answering:
    """An application that answers, or does, what it is told."""

    service = SimpleNamespace(model=MODEL)
    cors = None

    def __init__(self, answer: Response | Exception | None) -> None:
        self.answer = answer
        self.taken: list[tuple[bytes, int, bool]] = []

    def serves(self, path: str) -> bool:
        return True

    def handle(self, request: Request) -> Response:
        assert isinstance(self.answer, Response)
        return self.answer

    def scheduled(self) -> dict[str, Any]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"ready": True}

    def work(self, message: bytes, *, attempt: int, last: bool) -> Response | None:
        self.taken.append((message, attempt, last))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def functions_of(application: Any, later: Later | None = None, init_s: float = 0.0) -> Functions:
    return Functions(application, Traces("churn"), later or Waiting(), 5, init_s)


@pytest.fixture
def application(tmp_path: Path) -> Application:
    return Client(tmp_path, python_bundle(tmp_path)).application


def test_a_prediction(application: Application, records: list[logging.LogRecord]) -> None:
    headers = {"Content-Type": "application/json", "X-Request-Id": "r1"}
    given = http("post", f"https://churn.azurewebsites.net{INFER}?x=1", BODY, headers)
    answer = functions_of(application, init_s=0.25).serve(given, CONTEXT)
    assert (answer.status_code, json.loads(answer.get_body())["outputs"][0]["data"]) == (200, [2, 4])
    assert (answer.headers["content-type"], answer.headers["x-model-version"]) == ("application/json", "v1")
    (record,) = records
    event = json.loads(record.getMessage())
    assert (record.name, record.levelno) == ("lastmile", logging.INFO)
    assert all(event.pop(name) >= 0 for name in ("duration_ms", "load_ms", "predict_ms"))
    assert event == {
        "level": "info",
        "function": "churn",
        "method": "POST",
        "path": INFER,
        "status": 200,
        "request_id": "r1",
        "version": "v1",
        "route": "rule=only",
        "faas.coldstart": True,
        "model": MODEL,
        "faas.trigger": "http",
        "faas.invocation_id": "invocation-1",
        "faas.init_duration": 0.25,
    }


def test_only_the_first_event_tells_what_the_start_took(
    application: Application, records: list[logging.LogRecord]
) -> None:
    functions = functions_of(application, init_s=0.25)
    for _ in range(2):
        functions.serve(http("GET", "https://churn/v2/health/live"), CONTEXT)
    assert ["faas.init_duration" in json.loads(record.getMessage()) for record in records] == [True, False]


@pytest.mark.parametrize(
    ("url", "path", "query"),
    [
        ("https://churn.azurewebsites.net/v2", "/v2", ""),
        ("http://localhost:7071/v2/models?a=b%20c&d", "/v2/models", "a=b%20c&d"),
        ("https://churn.azurewebsites.net/a%2Fb/caf%C3%A9//x", "/a%2Fb/caf%C3%A9//x", ""),
        ("https://churn.azurewebsites.net/?next=https://other/x?y", "/", "next=https://other/x?y"),
        ("https://churn.azurewebsites.net", "/", ""),
        ("https://churn.azurewebsites.net?a", "/", "a"),
    ],
)
def test_the_url_of_a_request(url: str, path: str, query: str) -> None:
    request = request_of(http("get", url, b"body", {"X-Key": "k"}))
    assert (request.method, request.path, request.query) == ("GET", path, query)
    assert (request.headers, request.body) == ({"x-key": "k"}, b"body")


def test_an_answers_headers() -> None:
    headers = {
        "content-type": "application/json",
        "x-model-contract": "größe",
        "set-cookie": "a",
        "Set-cookie": "b",
    }
    answer = answer_of(Response(202, headers, b"{}"))
    assert (answer.status_code, answer.get_body()) == (202, b"{}")
    assert answer.headers["x-model-contract"] == "gr??e"
    assert answer.headers.get_all("set-cookie") == ["a", "b"]


def test_paths_that_no_protocol_owns(application: Application, records: list[logging.LogRecord]) -> None:
    functions = functions_of(application)
    found = {
        path: functions.serve(http("GET", f"https://churn{path}"), CONTEXT).status_code
        for path in ("/docs", "/openapi.json", "/nothing", "/_lastmile/queue", "/_lastmile/")
    }
    assert found == {
        "/docs": 200,
        "/openapi.json": 200,
        "/nothing": 404,
        "/_lastmile/queue": 404,
        "/_lastmile/": 404,
    }
    assert [json.loads(record.getMessage())["status"] for record in records] == list(found.values())


def test_what_is_left_to_do_waits_until_the_function_has_returned() -> None:
    done: list[str] = []
    response = Response(200, {}, b"")
    response.afterwards = lambda: done.append("shadow")
    later = Waiting()
    functions_of(Answering(response), later).serve(http("GET", "https://churn/v2"), CONTEXT)
    assert (done, len(later.work)) == ([], 1)
    later.work[0]()
    assert done == ["shadow"]


def message(body: str | bytes, count: int | None = 1) -> func.QueueMessage:
    """A message as the worker makes it: its library's own subclass knows the count, its public class does not."""
    if count is None:
        return func.QueueMessage(id="m1", body=body)
    made: Any = queue.QueueMessage
    sent_at = datetime.now(UTC) - timedelta(seconds=90)
    found: func.QueueMessage = made(id="m1", body=body, dequeue_count=count, insertion_time=sent_at)
    return found


def test_a_message_is_done(records: list[logging.LogRecord]) -> None:
    answer = Response(200, {}, b"", {"job": "j1", "version": "v1", "job_status": 200})
    answer.afterwards = lambda: None
    application, later = Answering(answer), Waiting()
    functions_of(application, later).work(message('{"kind": "job"}', 2), CONTEXT)
    assert application.taken == [(b'{"kind": "job"}', 2, False)]
    assert later.work == [answer.afterwards]
    event = json.loads(records[0].getMessage())
    assert event.pop("duration_ms") >= 0
    assert event.pop("queue_age_s") == pytest.approx(90, abs=5)
    assert event == {
        "level": "info",
        "function": "churn",
        "status": 204,
        "message_id": "m1",
        "attempt": 2,
        "job": "j1",
        "version": "v1",
        "job_status": 200,
        "model": MODEL,
        "faas.trigger": "pubsub",
        "faas.invocation_id": "invocation-1",
    }


@pytest.mark.parametrize(
    ("count", "attempt", "last"), [(None, 1, False), (4, 4, False), (5, 5, True), (6, 6, True)]
)
def test_a_message_that_fails_is_raised_for_the_host_to_deliver_again(
    records: list[logging.LogRecord], count: int | None, attempt: int, last: bool
) -> None:
    application = Answering(RuntimeError("job j1 was answered with 500."))
    with pytest.raises(RuntimeError, match=r"^job j1 was answered with 500\.$"):
        functions_of(application).work(message(b"{}", count), CONTEXT)
    assert application.taken == [(b"{}", attempt, last)]
    event = json.loads(records[0].getMessage())
    assert (records[0].levelno, event["status"], event["attempt"]) == (logging.ERROR, 500, attempt)
    assert event["error"] == "RuntimeError: job j1 was answered with 500."


class Timer(func.TimerRequest):
    """A timer that is late."""

    past_due = True


def test_a_schedule(records: list[logging.LogRecord]) -> None:
    functions_of(Answering(None)).run(Timer(), CONTEXT)
    with pytest.raises(ValueError, match=r"^no$"):
        functions_of(Answering(ValueError("no"))).run(Timer(), CONTEXT)
    events = [json.loads(record.getMessage()) for record in records]
    assert [(e["status"], e["faas.trigger"], e["past_due"], e.get("error")) for e in events] == [
        (204, "timer", True, None),
        (500, "timer", True, "ValueError: no"),
    ]
    assert events[0]["ready"] is True


def bindings(app: func.FunctionApp) -> dict[str, list[dict[str, Any]]]:
    return {
        str(function.get_function_name()): [binding.get_dict_repr() for binding in function.get_bindings()]
        for function in app.get_functions()
    }


def test_without_settings_there_is_the_http_function_alone(environ: dict[str, str]) -> None:
    (trigger, answer) = bindings(create(environ))["predict"]
    assert list(bindings(create(environ))) == ["predict"]
    assert (trigger["type"], trigger["route"], trigger["authLevel"]) == (
        "httpTrigger",
        "{*path}",
        func.AuthLevel.ANONYMOUS,
    )
    assert "methods" not in trigger
    assert (answer["type"], answer["name"]) == ("http", "$return")


def test_with_settings_there_are_a_queue_and_a_timer(environ: dict[str, str]) -> None:
    settings = {**environ, "LASTMILE_QUEUE_NAME": "jobs", "LASTMILE_SCHEDULE": "0 0 * * * *"}
    found = bindings(create(settings))
    assert list(found) == ["predict", "work", "scheduled"]
    (messages,), (timer,) = found["work"], found["scheduled"]
    assert (messages["queueName"], messages["connection"]) == ("%LASTMILE_QUEUE_NAME%", "LASTMILE_QUEUE")
    assert (timer["type"], timer["schedule"]) == ("timerTrigger", "%LASTMILE_SCHEDULE%")


def test_the_timer_has_the_queues_workers_look_for_files(
    environ: dict[str, str], path: str, records: list[logging.LogRecord]
) -> None:
    message = b'{"kind":"batch"}'
    host = Host(path, b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n", end=message)
    batch = {"input": "file:///nowhere/in", "output": "file:///nowhere/out", "format": "csv"}
    settings = {
        **environ,
        "LASTMILE_QUEUE_URL": f"unix://{path}#jobs",
        "LASTMILE_BATCH": json.dumps(batch),
        "LASTMILE_SCHEDULE": "0 0 * * * *",
    }
    (scheduled,) = [f for f in create(settings).get_functions() if f.get_function_name() == "scheduled"]
    scheduled.get_user_function()(Timer(), CONTEXT)
    host.close()
    assert host.seen.startswith(b"POST /queues/jobs HTTP/1.1")
    assert host.seen.endswith(message)
    (event,) = [json.loads(r.getMessage()) for r in records if "timer" in r.getMessage()]
    assert (event["status"], event["sent"]) == (204, "batch")


@pytest.mark.parametrize("value", ["0", "five", "", "-1", "²"])
def test_a_number_of_deliveries_that_is_none(environ: dict[str, str], value: str) -> None:
    with pytest.raises(BundleError) as caught:
        create({**environ, azure.QUEUE_ATTEMPTS_SETTING: value})
    assert str(caught.value) == (
        f"AzureFunctionsJobHost__extensions__queues__maxDequeueCount is {value!r}, but must be a number of at least 1."
    )


def test_another_bundle_does_not_start(environ: dict[str, str]) -> None:
    with pytest.raises(BundleError, match=r"^manifest\.json has the digest"):
        create({**environ, "LASTMILE_MANIFEST_DIGEST": "sha256:" + "0" * 64})


def test_models_load_while_the_host_gets_ready(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = threading.Event()
    prepare = Application.prepare

    def prepare_and_tell(application: Application) -> None:
        prepare(application)
        assert application.service.load("v1") == 0.0
        loaded.set()

    monkeypatch.setattr(Application, "prepare", prepare_and_tell)
    create(environ)
    assert loaded.wait(PATIENCE_S)


def test_a_model_that_cannot_be_loaded_is_told_by_its_first_request(
    tmp_path: Path, environ: dict[str, str], records: list[logging.LogRecord]
) -> None:
    settings = {**environ, "LASTMILE_MANIFEST_DIGEST": python_bundle(tmp_path, "raise ValueError('broken')")}
    (predict,) = create(settings).get_functions()
    answer = predict.get_user_function()(http("POST", f"https://churn{INFER}", BODY), CONTEXT)
    reason = "version 'v1' cannot be loaded: ValueError: broken"
    assert (answer.status_code, json.loads(answer.get_body())) == (500, {"error": reason})
    assert (records[0].levelno, json.loads(records[0].getMessage())["error"]) == (logging.ERROR, reason)


def test_the_files_that_a_bundle_has_at_its_root() -> None:
    host = json.loads((TEMPLATES / "host.json").read_text())
    assert host["version"] == "2.0"
    assert host["extensions"]["http"] == {"routePrefix": ""}
    assert host["extensions"]["queues"]["maxDequeueCount"] == azure.QUEUE_ATTEMPTS
    # Where the file names FastAPI, Azure's proxy loads another worker library (reload_library_worker).
    assert "fastapi" not in (TEMPLATES / "function_app.py").read_text().lower()


def test_what_is_told_between_invocations_goes_to_the_console(
    records: list[logging.LogRecord], capsys: pytest.CaptureFixture[str]
) -> None:
    log = Traces("churn")
    with log.invocation():
        log.event("error", {"error": "during"})
    log.warning("between")
    told = threading.Thread(target=lambda: log.event("info", {"event": "shadow"}))
    with log.invocation():
        told.start()
        told.join(PATIENCE_S)
    assert [(record.levelno, json.loads(record.getMessage())) for record in records] == [
        (logging.ERROR, {"level": "error", "function": "churn", "error": "during"})
    ]
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"level": "warning", "function": "churn", "error": "between"},
        {"level": "info", "function": "churn", "event": "shadow"},
    ]


def test_an_events_texts_are_cut_so_that_it_arrives_whole() -> None:
    stack = ["y" * 1000 for _ in range(99)] + ["last"]
    event = {"time": "t", "level": "error", "path": "/" + "x" * 9000, "stack": stack, "status": 500}
    found = form(event)
    assert list(found) == ["level", "path", "stack", "status"]
    assert found["path"] == "/" + "x" * 3999
    assert (len(found["stack"]), found["stack"][0], found["stack"][-1]) == (40, "y" * 400, "last")
    assert len(json.dumps(found)) < 32_768


def test_later_goes_on_after_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    later, done = Later(Traces("churn")), threading.Event()

    def fail() -> None:
        raise ValueError("no")

    later.add(fail)
    later.add(done.set)
    assert done.wait(PATIENCE_S)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["error"] == "what was left to do after an answer failed: ValueError: no"


def test_later_drops_what_would_pile_up(capsys: pytest.CaptureFixture[str]) -> None:
    later, busy, go, done = (
        Later(Traces("churn")),
        threading.Event(),
        threading.Event(),
        threading.Semaphore(0),
    )

    def hold() -> None:
        busy.set()
        go.wait(PATIENCE_S)

    later.add(hold)
    assert busy.wait(PATIENCE_S)
    for _ in range(65):
        later.add(done.release)
    go.set()
    assert all(done.acquire(timeout=PATIENCE_S) for _ in range(64))
    assert not done.acquire(blocking=False)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["error"] == "what was left to do after an answer was dropped: 64 wait already."


# Does as the worker: imports the library first, then the app, and calls the function that is registered.
ANSWER = """
import os, sys
import azure.functions as func
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])  # the worker appends it; where this is tested, the runtime may be installed
import function_app
(predict,) = [f for f in function_app.app.get_functions() if f.get_function_name() == "predict"]
body = b'{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}'
given = func.HttpRequest("POST", "https://churn/v2/models/breast-cancer/infer", headers={}, body=body)
class Context: invocation_id = "i"
answer = predict.get_user_function()(given, Context)
assert answer.status_code == 200, answer.get_body()
import json
print(json.dumps({"added": sorted(set(sys.modules) - before), "data": json.loads(answer.get_body())["outputs"][0]["data"]}))
"""


def test_a_plain_class_is_answered_with_what_the_worker_has_imported_anyway(tmp_path: Path) -> None:
    copy_runtime(tmp_path)
    shutil.copytree(TEMPLATES, tmp_path, dirs_exist_ok=True)
    environ = {
        "PATH": os.environ["PATH"],
        "LASTMILE_MANIFEST_DIGEST": python_bundle(tmp_path),
        "LASTMILE_ROUTING": json.dumps(routing()),
    }
    command = [sys.executable, "-I", "-c", ANSWER, str(tmp_path)]
    run = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["data"] == [2, 4]
    foreign = {name.partition(".")[0] for name in found["added"]} - set(sys.stdlib_module_names)
    assert foreign == {"function_app", "lastmile_model_v1", "lastmile_runtime"}
    ours = {name for name in found["added"] if not name.startswith(("lastmile", "function_app"))}
    assert ours <= {"_queue", "queue", "_sha2", "_sha256"}, "the standard library's that the worker has not"
    assert "lastmile_runtime.asgi" not in found["added"]


def test_the_users_own_application_is_asked(tmp_path: Path) -> None:
    python_bundle(tmp_path)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "app.py").write_text(
        "async def app(scope, receive, send):\n"
        "    await send({'type': 'http.response.start', 'status': 201, 'headers': [(b'x-path', scope['raw_path'])]})\n"
        "    await send({'type': 'http.response.body', 'body': (await receive())['body']})\n"
    )
    content = json.dumps({**json.loads((tmp_path / FILE).read_text()), "app": "app/app.py:app"}).encode()
    (tmp_path / FILE).write_bytes(content)
    application = Client(tmp_path, digest(content)).application
    answer = functions_of(application).serve(http("PUT", "https://churn/mine/a%20b", b"body"), CONTEXT)
    assert (answer.status_code, answer.headers["x-path"], answer.get_body()) == (201, "/mine/a%20b", b"body")
    internal = functions_of(application).serve(http("POST", "https://churn/_lastmile/queue"), CONTEXT)
    assert (internal.status_code, internal.get_body()) == (404, b'{"error":"there is nothing here."}')
