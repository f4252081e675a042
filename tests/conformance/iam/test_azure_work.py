"""What a function on Azure may do with work that waits, held against what it does: recorded in front of Azurite.

The functions' host is not here. What it does with a queue is in its source: it receives, renews, releases and deletes
messages, peeks at them, asks how many there are, and sends to the poison queue (QueueListener, QueueProcessor,
QueueMetricsProvider and UpdateQueueMessageVisibilityCommand in github.com/Azure/azure-sdk-for-net, read 2026-11-29). What
each of these needs: learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory (read 2026-11-29).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lastmile_runtime.application import Application
from lastmile_runtime.http import Request
from lastmile_runtime.startup import start
from lastmile_runtime.stores import open_store
from lastmile_runtime.telemetry import Log
from tests.conformance.emulators import AZURITE_ACCOUNT, AZURITE_KEY, az, node_program, program
from tests.conformance.iam.azure_conditions import Attempt, holds
from tests.conformance.iam.calls import in_batch, read_blob, read_storage_queue, recording
from tests.conformance.iam.judge import Call
from tests.conformance.iam.roles import judge_role, role_of
from tests.lastmile_infra.azure.recorded import Run, provisioned
from tests.lastmile_infra.plans import spec_of
from tests.lastmile_runtime.bundles import MODEL, matrix, python_bundle, routing
from tests.ports import free_port

pytestmark = pytest.mark.conformance
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
QUEUES = "Microsoft.Storage/storageAccounts/queueServices/queues"
PATH, PREFIX = f"@Resource[{BLOBS}:path]", f"@Request[{BLOBS}:prefix]"
BODY = json.dumps({"inputs": [matrix([[1, 2]])]}).encode()
WORK: dict[str, Any] = {
    "queue": {},
    "schedule": {"cron": "0 6 * * *", "input": "batch/in", "output": "batch/out", "format": "jsonl"},
}
QUEUE = "churn-dev-jobs"
OF_THE_HOST = {
    f"{QUEUES}/read",
    *(f"{QUEUES}/messages/{name}" for name in ("read", "write", "process/action")),
}


class Worker:
    """The runtime, as a deployment sets it up, and the emulators that it works with."""

    def __init__(self, application: Application, queue: Any) -> None:
        self.application = application
        self._queue = queue

    def do(self) -> None:
        """Do all of its work that waits: an answer that comes later, and files that are scored, and scored anew."""
        headers = {"prefer": "respond-async", "content-type": "application/json"}
        path = f"/v2/models/{MODEL}/infer"
        answer = self.application.handle(Request("POST", path, headers=headers, body=BODY))
        assert answer.status == 202, answer
        assert self._pump() == ["job"]
        found = self.application.handle(Request("GET", answer.headers["location"]))
        assert found.status == 200, found
        files = open_store(f"az://{AZURITE_ACCOUNT}/bucket")
        for rows in (2, 3):
            lines = "".join(json.dumps({"x": [row, row]}) + "\n" for row in range(rows))
            files.put("batch/in/rows.jsonl", lines.encode())
            self.application.scheduled()
            assert set(self._pump()) == {"batch"}

    def _pump(self) -> list[str]:
        """Give the application what is in its queue, as the host does, until nothing is; return the messages' kinds."""
        kinds = []
        while messages := list(self._queue.receive_messages()):
            for message in messages:
                kinds.append(json.loads(message.content)["kind"])
                self.application.work(message.content.encode(), attempt=1, last=False)
                self._queue.delete_message(message)
        return kinds


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A queue of Azurite's, in the words of Azure's own client."""
    client = pytest.importorskip("azure.storage.queue").QueueClient
    port, folder = free_port(), tmp_path_factory.mktemp("queue")
    arguments = ("--queueHost", "127.0.0.1", "--queuePort", str(port), "--location", str(folder), "--silent")
    with program(node_program("azurite-queue"), *arguments, "--skipApiVersionCheck", port=port):
        account = f"http://127.0.0.1:{port}/{AZURITE_ACCOUNT}"
        made = client(
            account, QUEUE, credential={"account_name": AZURITE_ACCOUNT, "account_key": AZURITE_KEY}
        )
        made.create_queue()
        yield made


@pytest.fixture(scope="module")
def calls(queue: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """What the runtime asks of its container and its queue."""
    folder = tmp_path_factory.mktemp("blobs")
    bundle, within = folder / "bundle", list[Call]()

    def read(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
        within.extend(in_batch(path, body))
        return read_blob(method, path, headers, body)

    with pytest.MonkeyPatch.context() as environ, az(environ, folder / "azurite"):
        blobs, _, account = os.environ["AZURE_STORAGE_ENDPOINT"].rpartition("/")
        service = f"{queue.scheme}://{queue.primary_hostname.partition('/')[0]}"
        with recording(blobs, read) as of_blobs, recording(service, read_storage_queue) as of_queue:
            environ.setenv("AZURE_STORAGE_ENDPOINT", f"{of_blobs.url}/{account}")
            environ.setenv("LASTMILE_QUEUE__queueServiceUri", f"{of_queue.url}/{account}")
            bucket = f"az://{AZURITE_ACCOUNT}/bucket"
            batch = {"input": f"{bucket}/batch/in", "output": f"{bucket}/batch/out", "format": "jsonl"}
            told = {
                **os.environ,
                "LASTMILE_BUNDLE": str(bundle),
                "LASTMILE_MANIFEST_DIGEST": python_bundle(bundle),
                "LASTMILE_ROUTING": json.dumps(routing()),
                "LASTMILE_QUEUE_URL": f"azq://{AZURITE_ACCOUNT}/{QUEUE}",
                "LASTMILE_QUEUE_RETENTION_S": "345600",
                "LASTMILE_JOBS_URL": f"{bucket}/results",
                "LASTMILE_BATCH": json.dumps(batch),
            }
            Worker(start(told, Log("predict", print), keeps_running=True), queue).do()
            assert of_blobs.unreadable == of_queue.unreadable == []
            # What the test itself puts where the user does is no call of the function's.
            own = [call for call in of_blobs.calls if not is_the_users(call)]
    return list(
        {(c.action, c.resource, *c.context.items()): c for c in [*own, *within, *of_queue.calls]}.values()
    )


def is_the_users(call: Call) -> bool:
    return call.action.endswith("/write") and call.resource.startswith("bucket/batch/in/")


def allowed(run: Run, call: Call) -> list[str]:
    """Return the grants that allow the functions' identity a call on the deployment's container or queue."""
    found = []
    for grant in run.all("RoleAssignment"):
        told = grant.inputs
        container, _, path = call.resource.partition("/")
        on = told["scope"].rpartition("/")[2]
        place = {"bucket": "state"}.get(container, container)
        if "ServicePrincipal" not in told["principalType"] or on != place:
            continue
        attributes = {PATH: path} if path else {}
        if "prefix" in call.context:
            attributes[PREFIX] = call.context["prefix"]
        attempt = Attempt(call.action, call.context.get("suboperation"), attributes)
        permits = call.action in role_of(told["roleDefinitionId"]).permissions or is_sent(call, told)
        if permits and ("condition" not in told or holds(told["condition"], attempt)):
            found.append(grant.name)
    return found


def is_sent(call: Call, told: dict[str, Any]) -> bool:
    """Tell whether a message is sent with the right to write: Azure's page lets either do for it."""
    writes = f"{QUEUES}/messages/write" in role_of(told["roleDefinitionId"]).permissions
    return call.action == f"{QUEUES}/messages/add/action" and writes


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return provisioned(spec_of(**WORK), tmp_path_factory.mktemp("project"))


def test_the_runtime_does_all_kinds_of_things(calls: list[Call]) -> None:
    assert {call.action for call in calls} == {
        *(f"{BLOBS}/{action}" for action in ("read", "write", "delete")),
        BLOBS.replace("/blobs", "/write"),
        f"{QUEUES}/messages/add/action",
    }
    prefixes = {call.context["prefix"] for call in calls if "prefix" in call.context}
    assert prefixes
    assert all(prefix.startswith(("batch/in/", "batch/out/", "results/")) for prefix in prefixes), prefixes


def test_it_may_do_what_it_does(calls: list[Call], run: Run) -> None:
    assert calls
    assert [str(call) for call in calls if not allowed(run, call)] == []


def test_it_may_do_nothing_to_its_neighbours(run: Run) -> None:
    def listing(prefix: str) -> Call:
        return Call(f"{BLOBS}/read", "bucket", {"suboperation": "Blob.List", "prefix": prefix})

    denied = [
        *(Call(f"{BLOBS}/{action}", "bucket/routing.json") for action in ("read", "write", "delete")),
        *(Call(f"{BLOBS}/{action}", "bucket/resultsx/1") for action in ("read", "write", "delete")),
        *(
            Call(f"{BLOBS}/{action}", "bucket/batch/in/rows.jsonl")
            for action in ("write", "delete", "add/action", "move/action")
        ),
        Call(f"{BLOBS}/read", "bucket/batch/inx"),
        Call(f"{BLOBS}/move/action", "bucket/capture/1"),
        Call(f"{BLOBS}/read", "another/results/1"),
        *(listing(prefix) for prefix in ("", "batch", "batch/in", "capture/", "results")),
        Call(f"{BLOBS}/read", "bucket", {"suboperation": "Blob.List"}),
        *(Call(f"{QUEUES}/messages/{action}", "another") for action in ("add/action", "process/action")),
        *(
            Call(f"{QUEUES}/messages/{action}", f"{QUEUE}-poison")
            for action in ("read", "delete", "process/action")
        ),
    ]
    assert [(str(call), grants) for call in denied if (grants := allowed(run, call))] == []
    assert allowed(run, Call(f"{QUEUES}/messages/add/action", f"{QUEUE}-poison")) == ["churn-dev-sets-aside"]


def test_each_role_is_what_is_done_with_it(calls: list[Call], run: Run) -> None:
    on_blobs = {call.action for call in calls if not call.action.startswith(QUEUES)}
    held = {
        "works-on-state": on_blobs,
        "works-on-queue": OF_THE_HOST,
        "sets-aside": {f"{QUEUES}/messages/add/action"},
        "tells-insights": {"Microsoft.Insights/Metrics/Write", "Microsoft.Insights/Telemetry/Write"},
    }
    for name, needed in held.items():
        role = run.inputs("RoleAssignment", f"churn-dev-{name}")["roleDefinitionId"]
        assert judge_role(role, needed) == [], name


@pytest.mark.parametrize(
    "condition",
    ["", "(", "ActionMatches{'a'} AND", "ActionMatches{'a'} OR )", "@Resource[a:b] StringLike 'x'"],
)
def test_a_condition_that_cannot_be_read_does_not_pass(condition: str) -> None:
    with pytest.raises(SyntaxError):
        holds(condition, Attempt("a"))


def test_conditions_are_read_as_azure_reads_them() -> None:
    one = Attempt("a/read", "Blob.List", {"@Request[a:prefix]": "x/y"})
    assert holds("ActionMatches{'a/*'} AND SubOperationMatches{'Blob.List'}", one)
    assert holds("!(ActionMatches{'b'}) AND @Request[a:prefix] StringStartsWith 'x/'", one)
    assert not holds("ActionMatches{'a/read'} AND NOT SubOperationMatches{'Blob.List'}", one)
    assert not holds("@Resource[a:path] StringStartsWith ''", one)
    assert holds("ActionMatches{'b'} AND ActionMatches{'b'} OR ActionMatches{'a/read'}", one)
