"""Azure's clients against recorded shapes, of which its own models must know each member, and Azurite's queues."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lastmile_runtime.forms import application_insights, cloud_logging
from lastmile_runtime.http import Request, Response
from lastmile_runtime.telemetry import Log
from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.azure import client, control
from lastmile_sls.control.azure.client import ResourceId
from lastmile_sls.control.azure.log import kusto_of
from lastmile_sls.control.follow import follow
from lastmile_sls.control.told import Query
from lastmile_sls.errors import LastmileError
from tests.conformance.emulators import AZURITE_ACCOUNT, AZURITE_KEY, node_program, program
from tests.lastmile_sls.control.commands import Typist
from tests.ports import free_port

pytestmark = pytest.mark.conformance
core = pytest.importorskip("azure.core.pipeline.transport")
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/churn-dev"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/churn-dev-predict1a2b3c4d"
APP = f"{GROUP}/providers/Microsoft.App/containerApps/churn-dev-predict"
WORKSPACE = "99999999-8888-7777-6666-555555555555"
DIGEST, BEFORE = "sha256:" + "ab" * 32, "sha256:" + "cd" * 32
PLACE = f"churn-dev (westeurope, account {SUBSCRIPTION})"
RULES = f"{GROUP}/providers/Microsoft.Insights"
OUTPUTS: dict[str, Any] = {
    "deployment": "churn-dev",
    "target": "azure",
    "region": "westeurope",
    "account": SUBSCRIPTION,
    "versions": ["v1"],
    "url": "https://churn-dev-predict1a2b3c4d.azurewebsites.net",
    "key": "the-key",
    "functions": {"predict": SITE},
    "logs": {"predict": WORKSPACE},
    "schedule": f"{SITE}/functions/scheduled",
    "alarms": {
        "errors": f"{RULES}/scheduledQueryRules/churn-dev-errors",
        "latency": f"{RULES}/metricAlerts/churn-dev-latency",
    },
}
SITE_SHAPE = {
    "id": SITE,
    "name": "churn-dev-predict1a2b3c4d",
    "type": "Microsoft.Web/sites",
    "kind": "functionapp,linux",
    "location": "West Europe",
    "properties": {
        "state": "Running",
        "enabled": True,
        "availabilityState": "Normal",
        "lastModifiedTimeUtc": "2026-11-29T12:00:00.66Z",
        "functionAppConfig": {
            "runtime": {"name": "python", "version": "3.13"},
            "scaleAndConcurrency": {
                "alwaysReady": [{"name": "http", "instanceCount": 1}],
                "maximumInstanceCount": 40,
                "instanceMemoryMB": 2048,
            },
        },
    },
}
FUNCTION_SHAPE = {
    "id": f"{SITE}/functions/scheduled",
    "name": "churn-dev-predict1a2b3c4d/scheduled",
    "properties": {"language": "python", "isDisabled": False},
}
APP_SHAPE: dict[str, Any] = {
    "id": APP,
    "name": "churn-dev-predict",
    "type": "Microsoft.App/containerApps",
    "location": "West Europe",
    "systemData": {"lastModifiedAt": "2026-11-29T12:00:00.000Z"},
    "properties": {
        "provisioningState": "Succeeded",
        "latestRevisionName": "churn-dev-predict--two",
        "latestReadyRevisionName": "churn-dev-predict--two",
    },
}
REVISION_SHAPE: dict[str, Any] = {
    "id": f"{APP}/revisions/churn-dev-predict--two",
    "name": "churn-dev-predict--two",
    "properties": {
        "active": True,
        "replicas": 1,
        "healthState": "Healthy",
        "provisioningState": "Provisioned",
        "runningState": "Running",
        "template": {
            "containers": [
                {
                    "name": "predict",
                    "env": [{"name": "LASTMILE_MANIFEST_DIGEST", "value": DIGEST}],
                    "resources": {"cpu": 0.5, "memory": "1Gi"},
                }
            ],
            "scale": {"minReplicas": 0, "maxReplicas": 10},
        },
    },
}


def alert(rule: str) -> dict[str, Any]:
    return {
        "id": f"{GROUP}/providers/Microsoft.AlertsManagement/alerts/1",
        "name": rule,
        "properties": {
            "essentials": {
                "monitorCondition": "Fired",
                "alertRule": rule,
                "startDateTime": "2026-11-29T11:00:00.5Z",
                "description": "churn (dev): one answer in twenty takes 800 ms or longer.",
            }
        },
    }


class World:
    """Azure Resource Manager and Log Analytics: what each path is answered with."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.refusals: list[tuple[int, dict[str, Any]]] = []
        self.asked: list[str] = []
        self.questions: list[str] = []
        self.rows: list[list[Any]] = []

    def answer(self, verb: str, address: str, body: bytes) -> tuple[int, dict[str, Any]]:
        path = urlsplit(address).path
        assert parse_qs(urlsplit(address).query).get("api-version") or path.startswith("/v1/workspaces")
        self.asked.append(f"{verb} {path}")
        if self.refusals:
            return self.refusals.pop(0)
        if path.startswith("/v1/workspaces"):
            assert path == f"/v1/workspaces/{WORKSPACE}/query"
            self.questions.append(json.loads(body)["query"])
            return 200, {"tables": [self._table(self.questions[-1])]}
        if path in self.answers:
            return 200, self.answers[path]
        said = {"code": "ResourceNotFound", "message": f"The Resource '{path}' was not found."}
        return 404, {"error": said}

    def _table(self, question: str) -> dict[str, Any]:
        if question.endswith("count"):
            return {"name": "PrimaryResult", "columns": [{"name": "Count", "type": "long"}], "rows": [[3]]}
        kinds = {"TimeGenerated": "datetime", "line": "string", "said": "int", "by": "string"}
        columns = [{"name": name, "type": kind} for name, kind in kinds.items()]
        return {"name": "PrimaryResult", "columns": columns, "rows": self.rows}


class _Handler(BaseHTTPRequestHandler):
    world: World

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        status, document = self.world.answer(self.command, self.path, body)
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer

    def log_message(self, *_: Any) -> None:
        return


class Redirected(core.RequestsTransport):  # type: ignore[misc, name-defined] # it may not be installed
    """Sends to this machine what is for Azure."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def send(self, request: Any, **options: Any) -> Any:
        meant = request.url
        assert meant.startswith("https://")
        request.url = f"http://127.0.0.1:{self._port}/{meant.split('/', 3)[3]}"
        try:
            return super().send(request, **options)
        finally:
            request.url = meant  # it may be sent again


class Login:
    """A credential, which is asked for tokens."""

    error: Exception | None = None

    def get_token(self, *scopes: str, **_: Any) -> Any:
        from azure.core.credentials import AccessToken

        if self.error:
            raise self.error
        return AccessToken("the-token", 4_000_000_000)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def login() -> Login:
    return Login()


@pytest.fixture
def options(world: World) -> Iterator[dict[str, Any]]:
    handler = type("Handler", (_Handler,), {"world": world})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield {"transport": Redirected(server.server_port), "retry_backoff_factor": 0}
    server.shutdown()
    server.server_close()


@pytest.fixture
def typist(
    options: dict[str, Any],
    login: Login,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Typist:
    monkeypatch.setattr(control, "Azure", partial(client.Azure, options=options, login=login))
    made = Typist(tmp_path, monkeypatch, capsys)
    made.write_outputs(OUTPUTS)
    return made


def deploy(world: World, releases: list[str]) -> None:
    settings = {
        "LASTMILE_RELEASES": json.dumps({key: {} for key in releases}),
        "LASTMILE_SCHEDULE": "0 0 2 * * *",
        "SOME_SECRET": "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s)",
    }
    world.answers = {
        SITE: SITE_SHAPE,
        f"{SITE}/config/appsettings/list": {"name": "appsettings", "properties": settings},
        f"{SITE}/functions/scheduled": FUNCTION_SHAPE,
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts": {
            "value": [alert(OUTPUTS["alarms"]["latency"].upper()), alert(f"{RULES}/metricAlerts/another")]
        },
        APP: APP_SHAPE,
        f"{APP}/revisions/churn-dev-predict--two": REVISION_SHAPE,
    }


def test_the_shapes_are_those_of_azures_own_models() -> None:
    from azure.mgmt.alertsmanagement import models as alerts
    from azure.mgmt.appcontainers import models as app
    from azure.mgmt.web import models as web

    for model, shape in (
        (web.Site, SITE_SHAPE),
        (web.FunctionEnvelope, FUNCTION_SHAPE),
        (app.ContainerApp, APP_SHAPE),
        (app.Revision, REVISION_SHAPE),
        (alerts.Alert, alert("rule")),
    ):
        read: Any = model.deserialize(shape)
        assert names(read.serialize(keep_readonly=True)) >= names(shape), model


def names(value: Any) -> set[str]:
    """Return every member's path."""
    if isinstance(value, list):
        return {name for item in value for name in names(item)}
    if isinstance(value, dict):
        return {f"{key}.{inner}" for key, item in value.items() for inner in (names(item) or {""})}
    return set()


def test_status(world: World, typist: Typist) -> None:
    deploy(world, [DIGEST])
    told = typist.ask("status", "--json")
    document = told.json
    due = document["schedule"].pop("next_at")
    assert datetime.now(UTC) < datetime.fromisoformat(due) < datetime.now(UTC) + timedelta(days=1)
    assert (told.code, document) == (
        0,
        {
            "deployment": "churn-dev",
            "target": "azure",
            "ready": True,
            "url": "https://churn-dev-predict1a2b3c4d.azurewebsites.net",
            "auth": "key",
            "region": "westeurope",
            "account": SUBSCRIPTION,
            "traffic": None,
            "versions": ["v1"],
            "functions": [
                {
                    "name": "predict",
                    "id": SITE,
                    "state": "ready",
                    "why": None,
                    "version": None,
                    "bundle": DIGEST,
                    "memory_mb": 2048,
                    "min_instances": 1,
                    "max_instances": 40,
                    "changed_at": "2026-11-29T12:00:00Z",
                    "errors_last_hour": 3,
                }
            ],
            "queues": {},
            "schedule": {
                "id": OUTPUTS["schedule"],
                "state": "on",
                "expression": "0 0 2 * * *",
                "last_at": None,
                "last_error": None,
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
                    "why": "churn (dev): one answer in twenty takes 800 ms or longer.",
                    "since": "2026-11-29T11:00:00Z",
                },
            ],
            "dashboard": None,
        },
    )
    shown = typist.ask("status")
    assert shown.out.splitlines() == [
        "churn-dev",
        f"  target     azure, westeurope, account {SUBSCRIPTION}",
        "  endpoint   https://churn-dev-predict1a2b3c4d.azurewebsites.net  (API key: lastmile key --target azure)",
        "  versions   v1 100 %",
        "  function   predict: ready, 2048 MB, bundle sha256:abababababab",
        "             1 to 40 instances, changed 2026-11-29T12:00:00Z, 3 errors in the last hour",
        f"  schedule   on, 0 0 2 * * *, next {due}",
        "  alarm      errors: ok",
        "  alarm      latency: alarm since 2026-11-29T11:00:00Z: churn (dev): one answer in twenty takes 800 ms or longer.",
    ]
    assert "the-key" not in shown.out + told.out
    assert "the-token" not in shown.out + told.out


def test_an_app_that_has_the_settings_of_two_bundles_does_not_say_which_it_runs(
    world: World, typist: Typist
) -> None:
    deploy(world, [BEFORE, DIGEST])
    stopped = {**SITE_SHAPE["properties"], "state": "Stopped"}  # type: ignore[dict-item]
    world.answers[SITE] = {**SITE_SHAPE, "properties": stopped}
    told = typist.ask("status")
    assert told.code == 1
    assert told.out.splitlines()[4:6] == [
        "  function   predict: failed, 2048 MB",
        "             why: the app is Stopped",
    ]
    del world.answers[SITE], world.answers[f"{SITE}/functions/scheduled"]
    gone = typist.ask("status", "--json").json
    assert (gone["ready"], gone["functions"][0]["state"], gone["schedule"]["state"]) == (
        False,
        "missing",
        "missing",
    )
    assert gone["functions"][0]["why"].startswith(
        f"the function predict of {PLACE} is not there: ResourceNotFound"
    )


def test_container_apps(world: World, typist: Typist) -> None:
    deploy(world, [DIGEST])
    typist.write_outputs({**OUTPUTS, "functions": {"predict": APP}, "schedule": None, "alarms": {}})
    (function,) = typist.ask("status", "--json").json["functions"]
    assert function == {
        "name": "predict",
        "id": APP,
        "state": "ready",
        "why": None,
        "version": "churn-dev-predict--two",
        "bundle": DIGEST,
        "memory_mb": 1024,
        "min_instances": 0,
        "max_instances": 10,
        "changed_at": "2026-11-29T12:00:00Z",
        "errors_last_hour": 3,
    }
    assert world.questions[-1].startswith(
        'ContainerAppConsoleLogs | where ContainerAppName =~ "churn-dev-predict"'
    )
    revision = f"{APP}/revisions/churn-dev-predict--two"
    for changed, state, why in (
        ({"healthState": "Unhealthy", "runningState": "Failed"}, "failed", "Failed"),
        (
            {"provisioningState": "Failed", "provisioningError": "the image is gone"},
            "failed",
            "the image is gone",
        ),
        ({"provisioningState": "Provisioning", "runningState": "Processing"}, "updating", "Processing"),
    ):
        properties = {**REVISION_SHAPE["properties"], **changed}
        world.answers[revision] = {**REVISION_SHAPE, "properties": properties}
        (function,) = typist.ask("status", "--json").json["functions"]
        assert (function["state"], function["why"]) == (state, why)


@pytest.mark.parametrize(
    ("status", "code", "message", "hint"),
    [
        (
            401,
            "ExpiredAuthenticationToken",
            f"Azure does not take your credentials for {PLACE}: ExpiredAuthenticationToken: no, because.",
            "Log in again: az login. Or renew AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.",
        ),
        (
            403,
            "AuthorizationFailed",
            f"Azure does not let you see the function predict of {PLACE}: AuthorizationFailed: no, because.",
            "Are these the right credentials? az account show",
        ),
        (
            429,
            "SubscriptionRequestsThrottled",
            (
                f"Azure was asked for the function predict of {PLACE} again and again, and refused because there are "
                "too many requests: SubscriptionRequestsThrottled: no, because."
            ),
            "Wait a minute, then run it again; whoever else asks this account's API counts too.",
        ),
        (
            409,
            "Conflict",
            f"Azure did not tell the function predict of {PLACE}: Conflict: no, because.",
            "Run it again; if that stays, look at the cloud's own status page.",
        ),
    ],
)
def test_refusals(world: World, typist: Typist, status: int, code: str, message: str, hint: str) -> None:
    world.refusals = [(status, {"error": {"code": code, "message": "no, because"}})] * 5
    told = typist.ask("status")
    assert (told.code, told.out, told.err.splitlines()[:2]) == (1, "", [f"error: {message}", f"hint: {hint}"])
    assert len(world.asked) == (5 if status == 429 else 1)


def test_nobody_logged_in_no_network_and_no_sdk(
    typist: Typist, login: Login, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from azure.core.exceptions import ClientAuthenticationError

    login.error = ClientAuthenticationError("AADSTS700082: The refresh token has expired.\nTrace ID: 1")
    assert typist.ask("status").err.splitlines() == [
        f"error: Azure does not take your credentials for {PLACE}: AADSTS700082: The refresh token has expired.",
        "hint: Log in again: az login. Or renew AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.",
    ]
    login.error = None
    options["transport"]._port = 1
    gone = typist.ask("status").err
    assert gone.startswith(f"error: Azure cannot be reached for the function predict of {PLACE}: ")
    monkeypatch.setitem(client._CLIENTS, "web", ("azure.mgmt.nothing", "X", "azure-mgmt-web"))
    assert typist.ask("status").err.splitlines() == [
        "error: azure-mgmt-web is not installed, with which Azure is asked.",
        "hint: Install it: pip install 'lastmile-sls[azure]'",
    ]


def test_an_id_that_is_none_is_told() -> None:
    with pytest.raises(LastmileError) as caught:
        ResourceId.read("churn-dev-predict")
    assert caught.value.message == (
        "the stack's outputs have 'churn-dev-predict', which is no resource id of Azure's."
    )


def lines_of(form: Callable[[dict[str, Any]], dict[str, Any]]) -> list[str]:
    """What the runtime writes of two requests."""
    lines: list[str] = []
    log = Log("churn-dev-predict", lines.append, form)
    answered = Request("POST", "/v2/models/churn/infer", {"x-request-id": "r-1"}, b"")
    log.request(answered, Response(200, {}, b"", {"version": "v1"}), 0.0015)
    failed = Request("POST", "/v2/models/churn/infer", {"x-request-id": "r-2"}, b"")
    log.request(failed, Response(500, {}, b"", {"version": "v2", "error": "the model failed"}), 0.25)
    return lines


def rows(lines: list[str], at: datetime, said: list[int]) -> list[list[Any]]:
    stamps = [
        (at + timedelta(seconds=number)).isoformat().replace("+00:00", "Z") for number in range(len(lines))
    ]
    return [[stamp, line, level, "one"] for stamp, line, level in zip(stamps, lines, said, strict=True)]


def test_logs(world: World, typist: Typist) -> None:
    lines = [*lines_of(application_insights.form), "Host started"]
    world.rows = rows(lines, datetime(2026, 11, 29, 12, tzinfo=UTC), [1, 3, 1])[::-1]
    told = typist.ask("logs", "--since", "10m", "--lines", "7")
    assert told.out.splitlines() == [
        "2026-11-29T12:00:00.000Z  info     predict  200  1.5 ms  v1  POST /v2/models/churn/infer  request_id=r-1",
        (
            "2026-11-29T12:00:01.000Z  error    predict  500  250 ms  v2  POST /v2/models/churn/infer  request_id=r-2  "
            "the model failed"
        ),
        "2026-11-29T12:00:02.000Z  info     predict  Host started",
    ]
    assert world.questions[-1].splitlines() == [
        (
            'AppTraces | where AppRoleName =~ "churn-dev-predict1a2b3c4d" '
            "| extend line = Message, said = SeverityLevel, by = AppRoleInstance"
        ),
        "| where TimeGenerated >= ago(600s)",
        "| extend event = parse_json(line)",
        "| top 7 by TimeGenerated desc",
        "| project TimeGenerated, line, said, by",
    ]
    (one,) = typist.ask("logs", "--errors").out.splitlines()
    assert one.endswith("the model failed")
    (one,) = typist.ask("logs", "--request-id", "r-1").out.splitlines()
    assert "request_id=r-1" in one
    raw = [json.loads(line) for line in typist.ask("logs", "--json").out.splitlines()]
    assert raw[0]["event"] == json.loads(lines[0])
    typist.write_outputs({**OUTPUTS, "functions": {"predict": APP}})
    world.rows = rows(lines_of(cloud_logging.form), datetime(2026, 11, 29, 12, tzinfo=UTC), [-1, -1])
    assert typist.ask("logs", "--errors").out.splitlines() == [
        (
            "2026-11-29T12:00:01.000Z  error    predict  500  250 ms  v2  POST /v2/models/churn/infer  request_id=r-2  "
            "the model failed"
        ),
    ]


def test_what_is_asked_cannot_be_broken_out_of() -> None:
    query = Query(datetime(2026, 11, 29, tzinfo=UTC), 5, errors=True, request_id='x" or "1" == "1')
    assert kusto_of(ResourceId.read(SITE), query).splitlines()[1:] == [
        "| where TimeGenerated >= datetime(2026-11-29T00:00:00.000Z)",
        "| extend event = parse_json(line)",
        '| where said >= 3 or tostring(event.level) == "error" or tostring(event.severity) == "ERROR"',
        (
            r'| where tostring(event.request_id) == "x\" or \"1\" == \"1" '
            r'or tostring(event["faas.invocation_id"]) == "x\" or \"1\" == \"1"'
        ),
        "| top 5 by TimeGenerated desc",
        "| project TimeGenerated, line, said, by",
    ]


def test_following_tells_each_event_once(world: World, options: dict[str, Any], login: Login) -> None:
    stack = CloudStack(None, "azure", OUTPUTS, {})
    log = control.Control(stack, client.Azure(stack, options, login)).log("predict")
    at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    world.rows = rows(["one", "two"], at, [1, 1])
    looks = [
        rows(["late"], at - timedelta(seconds=100), [1]),
        rows(["three"], at + timedelta(seconds=9), [1]),
    ]

    def pause(_: float) -> None:
        if not looks:
            raise KeyboardInterrupt
        world.rows = [*world.rows, *looks.pop(0)]

    told: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        told.extend(event.text for event in follow(log, Query(timedelta(hours=1), 20), pause))
    assert told == ["one", "two", "late", "three"]
    assert "where TimeGenerated >= datetime(2026-11-29T11:55:01.000Z)" in world.questions[1]


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    folder = tmp_path_factory.mktemp("azurite")
    arguments = ("--queueHost", "127.0.0.1", "--queuePort", str(port), "--location", str(folder), "--silent")
    with program(node_program("azurite-queue"), *arguments, "--skipApiVersionCheck", port=port):
        yield f"http://127.0.0.1:{port}/{AZURITE_ACCOUNT}"


@pytest.fixture
def queues(azurite: str, typist: Typist, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> Any:
    """Two queues, empty, and clients of them; the commands reach them with the account's key."""
    from azure.storage.queue import QueueClient

    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", AZURITE_KEY)
    options.clear()
    urls = {"jobs": f"{azurite}/jobs", "dead_letters": f"{azurite}/jobs-poison"}
    typist.write_outputs({**OUTPUTS, "queue": urls})
    key = {"account_name": AZURITE_ACCOUNT, "account_key": AZURITE_KEY}
    made = {name: QueueClient.from_queue_url(url, credential=key) for name, url in urls.items()}
    for queue in made.values():
        queue.create_queue()
    yield made
    for queue in made.values():
        queue.delete_queue()


def set_aside(queues: Any, count: int) -> list[str]:
    ids = [f"{number:02}" for number in range(count)]
    for id_ in ids:
        queues["dead_letters"].send_message(json.dumps({"kind": "job", "id": id_}))
    return ids


def test_queue(queues: Any, typist: Typist) -> None:
    ids = set_aside(queues, 40)
    queues["jobs"].send_message('{"kind": "batch"}')
    status = typist.ask("queue status", "--json").json
    assert 0 <= status.pop("oldest_s") < 30
    assert status == {"queue": "jobs", "waiting": 1, "in_flight": None, "dead": 40}
    peeked = typist.ask("queue peek", "--count", "3", "--json").json
    assert [(message["job"], message["attempts"]) for message in peeked] == [(id_, None) for id_ in ids[:3]]
    (waits,) = typist.ask("queue peek", "--waiting", "--json").json
    assert (waits["kind"], waits["attempts"]) == ("batch", 0)
    moved = typist.ask("queue redrive", "--json")
    assert (moved.json, moved.err) == ({"queue": "jobs", "redriven": 40}, "32 so far\n40 so far\n")
    assert typist.ask("queue status", "--json").json["dead"] == 0
    found = [message.content for message in queues["jobs"].receive_messages(max_messages=41)]
    assert sorted(json.loads(text)["id"] for text in found if "job" in text) == ids
    queues["jobs"].clear_messages()


def test_redriving_loses_nothing_when_it_is_killed(
    queues: Any, typist: Typist, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lastmile_sls.control.azure.queue._HELD_S", 1)
    ids = set_aside(queues, 5)
    outputs = json.loads(typist.outputs_file.read_text())
    stack = CloudStack(None, "azure", outputs, {"AZURE_STORAGE_ACCOUNT_KEY": AZURITE_KEY})
    view: Any = control.Control(stack, client.Azure(stack, login=login)).queue()
    delete, deleted = view._dead.delete_message, 0

    def killed(message: Any) -> None:
        nonlocal deleted
        deleted += 1
        if deleted == 3:
            raise KeyboardInterrupt
        delete(message)

    view._dead.delete_message = killed
    with pytest.raises(KeyboardInterrupt):
        view.redrive(lambda count: None)
    view._dead.delete_message = delete
    moved = 0
    while moved < 3:  # what the killed one held comes back after its second
        moved += view.redrive(lambda count: None)
    found = [json.loads(m.content)["id"] for m in queues["jobs"].receive_messages(max_messages=10)]
    assert (sorted(set(found)), len(found), view.status().dead) == (ids, 6, 0)


def test_a_queue_that_is_gone_is_told(queues: Any, typist: Typist) -> None:
    outputs = json.loads(typist.outputs_file.read_text())
    outputs["queue"]["jobs"] += "-gone"
    typist.write_outputs(outputs)
    told = typist.ask("queue status")
    assert (told.code, told.err.splitlines()[0].partition(": ")[2]) == (
        1,
        f"the queue of {PLACE} is not there: The specified queue does not exist.",
    )
