"""Azure's own worker library, driven as its host drives it, with the entry point as it is deployed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.storage.queue import QueueServiceClient

import lastmile_runtime
from lastmile_runtime.adapters.azure import QUEUE_ATTEMPTS_SETTING
from lastmile_runtime.http import Request
from lastmile_runtime.jobs import Jobs
from lastmile_runtime.manifest import FILE, digest
from lastmile_runtime.stores import open_store
from lastmile_sls.check.azure.host import PATIENCE_S, Host
from lastmile_sls.check.azure.protocol import protos
from lastmile_sls.check.process import NoAnswer
from lastmile_sls.check.tools import AZURE_WORKER
from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.azure.client import Azure
from lastmile_sls.control.azure.queue import StorageQueueView
from tests.conformance.emulators import AZURITE_ACCOUNT, AZURITE_KEY, az_queues
from tests.lastmile_runtime.adapters.process import INFER, copy_runtime
from tests.lastmile_runtime.bundles import matrix, python_bundle, routing

pytestmark = pytest.mark.conformance
VISIBLE_S = 2
"""For how long a message that was received is nobody else's; the host of Azure Functions has ten minutes."""
BODY = json.dumps({"inputs": [matrix([[1, 2]])]}).encode()
# 99 waits for a file, and 13 fails until there is one: both are the test's to write, beside the model.
DOUBLER = """
import os, time
BESIDE = os.path.dirname(__file__)
class Model:
    def predict(self, inputs):
        value = inputs["x"][0][0]
        if value == 99:
            open(f"{BESIDE}/began", "w").close()
            while not os.path.exists(f"{BESIDE}/go"):
                time.sleep(0.01)
        if value == 13 and not os.path.exists(f"{BESIDE}/mended"):
            raise RuntimeError("thirteen")
        return {"doubled": [[2 * value for value in row] for row in inputs["x"]]}
"""
APP = """
async def app(scope, receive, send):
    body = (await receive())["body"]
    cookies = [(b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2")]
    await send({"type": "http.response.start", "status": 201, "headers": cookies})
    await send({"type": "http.response.body", "body": scope["path"].encode() + b" " + body})
"""


def find_python() -> str | None:
    """Return an interpreter for which the worker library is made: 3.13 or newer."""
    if sys.version_info >= (3, 13):
        return sys.executable
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    places = [folder / name for folder in folders for name in ("python3.13", "python3.14")]
    # pyenv's commands work only for the versions that are switched on; the interpreters themselves always do.
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places += pyenv.glob("3.1[34]*/bin/python3.1[34]")
    places += (Path.home() / ".local/share/uv/python").glob("cpython-3.1[34]*/bin/python3.1[34]")
    for place in places:
        if (
            place.is_file()
            and subprocess.run([place, "-c", ""], capture_output=True, check=False).returncode == 0
        ):
            return str(place)
    return None


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has Azure's worker library."""
    found = find_python()
    if found is None:
        pytest.skip("Azure's worker library needs Python 3.13 or newer, and none was found")
    folder = tmp_path_factory.mktemp("azure") / "venv"
    subprocess.run([found, "-m", "venv", folder], check=True)
    requirements = folder / "requirements.txt"
    requirements.write_text(AZURE_WORKER.requirements)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "--requirement", str(requirements)], check=True)
    return folder / "bin" / "python"


class App:
    """A bundle for Azure on disk, and the settings that it is deployed with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "wwwroot"
        copy_runtime(self.folder)
        template = Path(lastmile_runtime.__file__).parent / "adapters" / "azure_app"
        shutil.copytree(
            template, self.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
        self.digest = python_bundle(self.folder, DOUBLER, ("v1", "v2"))
        self.store = f"file://{folder}/jobs"
        (folder / "jobs").mkdir()
        self.settings = {
            "WEBSITE_SITE_NAME": "churn",
            "LASTMILE_MANIFEST_DIGEST": self.digest,
            "LASTMILE_ROUTING": json.dumps({**routing(v1=10_000, v2=0), "shadows": []}),
            "LASTMILE_QUEUE_NAME": "jobs",
            "LASTMILE_QUEUE_URL": f"unix://{folder}/nobody#jobs",
            "LASTMILE_JOBS_URL": self.store,
        }
        self.base = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path)


@pytest.fixture(params=["proxy", "native"])
def host(request: pytest.FixtureRequest, python: Path, app: App) -> Iterator[Host]:
    with Host(python, {**app.base, **app.settings}, bridge=request.param) as running:
        started = running.initialize(app.folder)
        assert started.result.status == protos.StatusResult.Success, started
        running.index(app.folder)
        yield running


def wait_for(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def infer(host: Host, value: float) -> Any:
    body = json.dumps({"inputs": [matrix([[value, 0]])]}).encode()
    return host.http("POST", INFER, body, {"content-type": "application/json"})


def test_the_worker_finds_the_functions(host: Host) -> None:
    found = {name: [json.loads(raw) for raw in entry.raw_bindings] for name, entry in host.functions.items()}
    assert found == {
        "predict": [
            {
                "direction": "IN",
                "type": "httpTrigger",
                "name": "request",
                "authLevel": "ANONYMOUS",
                "route": "{*path}",
            },
            {"direction": "OUT", "type": "http", "name": "$return"},
        ],
        "work": [
            {
                "direction": "IN",
                "type": "queueTrigger",
                "name": "message",
                "queueName": "%LASTMILE_QUEUE_NAME%",
                "connection": "LASTMILE_QUEUE",
            }
        ],
    }


def test_a_prediction_is_answered_and_told_with_its_invocation(host: Host) -> None:
    answer = host.http("POST", INFER, BODY, {"content-type": "application/json", "x-request-id": "r1"})
    assert (answer.status_code, json.loads(answer.body.bytes)["outputs"][0]["data"]) == ("200", [2, 4])
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-model-version"] == "v1"
    (log,) = wait_for(lambda: [log for log in host.logs if log.category == "lastmile"])
    event = json.loads(log.message)
    assert (log.level, log.log_category) == (protos.RpcLog.Information, protos.RpcLog.User)
    assert log.invocation_id == event["faas.invocation_id"] != ""
    assert (event["function"], event["status"], event["path"]) == ("churn", 200, INFER)
    assert (event["request_id"], event["faas.trigger"], event["faas.coldstart"]) == ("r1", "http", True)
    assert "time" not in event


def test_a_worker_that_was_started_before_the_app_was_there(python: Path, app: App) -> None:
    with Host(python, app.base, bridge="proxy") as host:
        # Flex Consumption keeps workers in stock, and makes one this app's when it is needed.
        placeholder = app.folder.parent / "placeholder"
        placeholder.mkdir()
        host.initialize(placeholder)
        made = host.specialize(app.folder, {**app.base, **app.settings})
        assert made.result.status == protos.StatusResult.Success, made
        host.index(app.folder)
        assert json.loads(infer(host, 4).body.bytes)["outputs"][0]["data"] == [8, 0]


def test_other_paths(host: Host) -> None:
    assert host.http("GET", "/v2/health/live").status_code == "200"
    assert host.http("GET", f"{INFER}?a=1").status_code == "405"
    page = host.http("GET", "/docs")
    assert (page.status_code, page.headers["content-type"]) == ("200", "text/html; charset=utf-8")
    assert host.http("GET", "/openapi.json").status_code == "200"
    assert host.http("GET", "/nothing/here").status_code == "404"
    assert host.http("POST", "/_lastmile/queue", b"{}").status_code == "404"


def test_many_requests_at_once_get_their_own_answers(host: Host) -> None:
    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(lambda value: infer(host, value), range(100, 300)))
    found = [json.loads(answer.body.bytes)["outputs"][0]["data"] for answer in answers]
    assert found == [[2 * value, 0] for value in range(100, 300)]


class Sent:
    """A queue that keeps what was sent."""

    most_bytes = 65_536

    def __init__(self) -> None:
        self.messages: list[str] = []

    def send(self, message: bytes, deadline_s: float) -> None:
        self.messages.append(message.decode())


def accept(app: App, value: float) -> tuple[Jobs, str, str]:
    """Have a job accepted, as by another instance; return the jobs, its id and its message."""
    sent = Sent()
    jobs = Jobs(open_store(app.store), sent)
    body = json.dumps({"inputs": [matrix([[value, 0]])]}).encode()
    id_ = jobs.accept(Request("POST", INFER, {}, body)).headers["location"].removeprefix("/jobs/")
    return jobs, id_, sent.messages[0]


def result_of(host: Host, id_: str) -> Any:
    return host.http("GET", f"/jobs/{id_}")


def test_a_job_is_done_and_its_answer_is_there(host: Host, app: App) -> None:
    _, id_, message = accept(app, 21)
    assert result_of(host, id_).status_code == "202"
    done = host.message(message)
    assert done.result.status == protos.StatusResult.Success, done
    assert json.loads(result_of(host, id_).body.bytes)["outputs"][0]["data"] == [42, 0]
    event = json.loads(
        wait_for(lambda: [text for _, text in host.events() if '"faas.trigger": "pubsub"' in text])[0]
    )
    assert (event["status"], event["job_status"], event["job"], event["attempt"]) == (204, 200, id_, 1)
    assert event["message_id"] == "message-1"


def test_a_message_that_fails_is_reported_so_and_its_last_failure_is_the_answer(host: Host, app: App) -> None:
    _, id_, message = accept(app, 13)
    failed = host.message(message, 1)
    assert failed.result.status == protos.StatusResult.Failure
    assert f"job {id_} was answered with 500." in failed.result.exception.message
    assert result_of(host, id_).status_code == "202"
    assert host.message(message, 5).result.status == protos.StatusResult.Failure
    answer = result_of(host, id_)
    assert (answer.status_code, answer.headers["x-job-attempts"]) == ("500", "5")
    logs = wait_for(
        lambda: [e for e in host.events() if '"pubsub"' in e[1]] if len(host.events()) > 3 else []
    )
    assert [(level, json.loads(text)["attempt"]) for level, text in logs] == [
        (protos.RpcLog.Error, 1),
        (protos.RpcLog.Error, 5),
    ]


def test_a_message_that_is_none_of_ours_fails(host: Host) -> None:
    failed = host.message('{"kind": "odd"}')
    assert failed.result.status == protos.StatusResult.Failure
    assert "the message's kind is 'odd', which this function does not do." in failed.result.exception.message
    assert host.message("nonsense").result.status == protos.StatusResult.Failure


def test_a_shadow_is_compared_after_the_answer_and_told_on_the_console(python: Path, app: App) -> None:
    document = {**routing(v1=10_000, v2=0), "shadows": [{"version": "v2", "percent": 10_000}]}
    settings = {**app.base, **app.settings, "LASTMILE_ROUTING": json.dumps(document)}
    with Host(python, settings, bridge="proxy") as host:
        host.initialize(app.folder)
        host.index(app.folder)
        assert infer(host, 3).status_code == "200"
        (line,) = wait_for(lambda: [line for line in list(host.console) if '"shadow"' in line])
    event = json.loads(line)
    assert (event["event"], event["version"], event["answered_by"], event["agree"]) == (
        "shadow",
        "v2",
        "v1",
        True,
    )
    assert len(host.events()) == 1


def test_another_bundle_is_refused_with_its_reason(python: Path, app: App) -> None:
    settings = {**app.base, **app.settings, "LASTMILE_MANIFEST_DIGEST": "sha256:" + "0" * 64}
    with Host(python, settings, bridge="proxy") as host:
        started = host.initialize(app.folder)
    assert started.result.status == protos.StatusResult.Failure
    assert "BundleError: manifest.json has the digest" in started.result.exception.message


def test_a_bundle_of_either_release_starts_under_its_own_settings_and_no_other_one(
    python: Path, app: App
) -> None:
    apart = ("LASTMILE_MANIFEST_DIGEST", "LASTMILE_ROUTING")
    own = {"LASTMILE_ROUTING": app.settings["LASTMILE_ROUTING"]}
    newer = {"LASTMILE_ROUTING": json.dumps(routing(v3=10_000))}
    shared = {key: value for key, value in {**app.base, **app.settings}.items() if key not in apart}
    new, other = ("sha256:" + digit * 64 for digit in "01")
    with Host(
        python, {**shared, "LASTMILE_RELEASES": json.dumps({new: newer, app.digest: own})}, bridge="proxy"
    ) as host:
        assert host.initialize(app.folder).result.status == protos.StatusResult.Success
        host.index(app.folder)
        assert infer(host, 3).status_code == "200"
    with Host(
        python, {**shared, "LASTMILE_RELEASES": json.dumps({new: newer, other: own})}, bridge="proxy"
    ) as host:
        started = host.initialize(app.folder)
    assert started.result.status == protos.StatusResult.Failure
    told = f"BundleError: manifest.json has the digest {app.digest}, but LASTMILE_RELEASES has {new} and {other}."
    assert told in started.result.exception.message


def test_the_users_own_application(python: Path, app: App) -> None:
    (app.folder / "app").mkdir()
    (app.folder / "app" / "app.py").write_text(APP)
    document = json.loads((app.folder / FILE).read_text())
    content = json.dumps({**document, "app": "app/app.py:app"}).encode()
    (app.folder / FILE).write_bytes(content)
    settings = {**app.base, **app.settings, "LASTMILE_MANIFEST_DIGEST": digest(content)}
    with Host(python, settings, bridge="proxy") as host:
        host.initialize(app.folder)
        host.index(app.folder)
        answer = host.http("POST", "/caf%C3%A9/1?x=2", b"body")
        assert (answer.status_code, answer.body.bytes.decode()) == ("201", "/café/1 body")
        assert [(cookie.name, cookie.value) for cookie in answer.cookies] == [("a", "1"), ("b", "2")]
        assert infer(host, 1).status_code == "200"


@contextmanager
def storage_queues(folder: Path) -> Iterator[tuple[str, QueueServiceClient]]:
    """Azurite's queues `jobs` and `jobs-poison`; yields the account's URL, and Azure's own client of it."""
    with az_queues(folder) as url:
        credential = {"account_name": AZURITE_ACCOUNT, "account_key": AZURITE_KEY}
        client = QueueServiceClient(url, credential=credential)
        for name in ("jobs", "jobs-poison"):
            client.create_queue(name)
        yield url, client


def deliver_from(client: QueueServiceClient, host: Host, attempts: int) -> int:
    """Do what the host of Azure Functions does with a queue's messages; return how many there were.

    One that failed is there again after a while, and after its last attempt it is moved to the poison queue
    (learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger, read 2026-11-29).
    """
    jobs = client.get_queue_client("jobs")
    count = 0
    for message in jobs.receive_messages(visibility_timeout=VISIBLE_S, messages_per_page=8):
        count += 1
        try:
            response = host.message(message.content, message.dequeue_count)
        except NoAnswer:
            continue  # the worker is gone, and with it this delivery: the message is left to its timeout
        if response.result.status == protos.StatusResult.Success:
            jobs.delete_message(message)
        elif message.dequeue_count >= attempts:
            client.get_queue_client("jobs-poison").send_message(message.content)
            jobs.delete_message(message)
        else:
            jobs.update_message(message, visibility_timeout=0)
    return count


def test_on_azurite_a_killed_worker_s_job_is_done_by_the_next_and_poison_is_set_aside_and_redriven(
    python: Path, app: App, tmp_path: Path
) -> None:
    beside = app.folder / "models" / "v1"
    with storage_queues(tmp_path) as (url, client):
        settings = {
            **app.base,
            **app.settings,
            "LASTMILE_QUEUE_URL": f"azq://{AZURITE_ACCOUNT}/jobs",
            "LASTMILE_QUEUE__queueServiceUri": url,
            "LASTMILE_QUEUE_RETENTION_S": "3600",
            "AZURE_STORAGE_ACCOUNT_KEY": AZURITE_KEY,
            QUEUE_ATTEMPTS_SETTING: "2",
        }
        with started(python, app, settings) as host:
            job = accepted(host, 99)
            (seen,) = client.get_queue_client("jobs").peek_messages()
            assert json.loads(seen.content) == {"kind": "job", "id": job.removeprefix("/jobs/")}
            assert (seen.expires_on - seen.inserted_on).total_seconds() == 3600
            with ThreadPoolExecutor(1) as thread:
                delivered = thread.submit(deliver_from, client, host, 2)
                wait_for((beside / "began").exists)
                os.kill(host.process.pid, signal.SIGKILL)
                assert delivered.result(PATIENCE_S) == 1
        (beside / "go").touch()
        with started(python, app, settings) as host:
            poison = accepted(host, 13)
            wait_for(
                lambda: (
                    deliver_from(client, host, 2) == 0
                    and result_of(host, job.removeprefix("/jobs/")).status_code == "200"
                )
            )
            answer = host.http("GET", job)
            assert json.loads(answer.body.bytes)["outputs"][0]["data"] == [198, 0]
            assert answer.headers["x-job-attempts"] == "2"
            wait_for(
                lambda: deliver_from(client, host, 2) == 0 and host.http("GET", poison).status_code == "500"
            )
            view = StorageQueueView(
                Azure(
                    CloudStack(None, "azure", {"deployment": "churn-dev", "url": ""}, settings),
                    login=object(),
                ),
                f"{url}/jobs",
                f"{url}/jobs-poison",
            )
            (dead,) = view.peek(10)
            assert (dead.kind, dead.job, view.status().dead) == ("job", poison.removeprefix("/jobs/"), 1)
            (beside / "mended").touch()
            assert view.redrive(lambda so_far: None) == 1
            assert deliver_from(client, host, 2) == 1
            assert host.http("GET", poison).status_code == "200"
            status = view.status()
            assert (status.waiting, status.dead) == (0, 0)


@contextmanager
def started(python: Path, app: App, settings: dict[str, str]) -> Iterator[Host]:
    with Host(python, settings, bridge="proxy") as host:
        assert host.initialize(app.folder).result.status == protos.StatusResult.Success
        host.index(app.folder)
        yield host


def accepted(host: Host, value: float) -> str:
    """Have a job accepted; return where its answer will be."""
    body = json.dumps({"inputs": [matrix([[value, 0]])]}).encode()
    answer = host.http("POST", INFER, body, {"content-type": "application/json", "prefer": "respond-async"})
    assert answer.status_code == "202", answer
    return str(answer.headers["location"])
