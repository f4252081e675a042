"""The documentation, the user's own routes, and the protocols through ASGI."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

import lastmile_runtime
from lastmile_runtime import asgi as asgi_module
from lastmile_runtime.application import Application
from lastmile_runtime.asgi import Asgi, call, get_asgi
from lastmile_runtime.auth import KeyAuth
from lastmile_runtime.http import Request, Response
from lastmile_runtime.manifest import FILE, Manifest, digest, hash_file, render
from lastmile_runtime.telemetry import Log
from lastmile_sls.local.resources.key import digest as key_digest
from tests.lastmile_runtime.bundles import DOUBLER, MODEL, Client, matrix, python_bundle, python_version

HANDLERS = Path(lastmile_runtime.__file__).parent.parent
USER_APP = """
import asyncio
from contextlib import asynccontextmanager
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import StreamingResponse
from greetings import greet
events = []
@asynccontextmanager
async def lifespan(app):
    events.append("start")
    loop = asyncio.get_running_loop()
    yield {"answer": 42, "loop": loop}
    events.append("stop")
    assert asyncio.get_running_loop() is loop
app = FastAPI(lifespan=lifespan)
@app.get("/hello/{name}")
def hello(name: str, loud: bool = False) -> dict:
    return {"hello": greet(name, loud), "events": events}
@app.get("/state")
async def state(request: Request) -> dict:
    return {"answer": request.state.answer, "same": request.state.loop is asyncio.get_running_loop()}
@app.post("/echo")
async def echo(request: Request) -> dict:
    return {"body": (await request.body()).decode(), "headers": dict(request.headers), "query": str(request.query_params)}
@app.get("/stream")
async def stream() -> StreamingResponse:
    async def parts():
        for part in ("a", "b", "c"):
            await asyncio.sleep(0)
            yield part
    return StreamingResponse(parts(), media_type="text/plain")
@app.get("/cookies")
def cookies(response: Response) -> None:
    for name in ("a", "b", "c"):
        response.set_cookie(name, "1")
@app.get("/broken")
def broken() -> None:
    raise ZeroDivisionError("no such number")
@app.websocket("/talk")
async def talk(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello " + await socket.receive_text())
    await socket.close()
"""
GREETINGS = "def greet(name, loud):\n    return name.upper() if loud else name\n"


@pytest.fixture(autouse=True)
def clean_imports() -> Iterator[None]:
    """A process has one bundle; a test has its own."""
    modules, path = set(sys.modules), list(sys.path)
    yield
    for name in set(sys.modules) - modules:
        if (getattr(sys.modules[name], "__file__", None) or "").find("/bundle/app/") >= 0:
            del sys.modules[name]
    sys.path[:] = path


def write_app(folder: Path, source: str, file: str = "app/app.py", **others: str) -> str:
    """Write a bundle of a plain class and an application; return its digest."""
    version = python_version()
    files = {version.artifact: DOUBLER, file: source, "app/greetings.py": GREETINGS, **others}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    hashes = {name: hash_file(str(folder / name)) for name in files}
    manifest = render(Manifest(MODEL, [version], hashes, app=f"{file}:app"))
    (folder / FILE).write_bytes(manifest)
    return digest(manifest)


def with_app(folder: Path, source: str = USER_APP, file: str = "app/app.py", **others: str) -> Client:
    bundle = folder / "bundle"
    return Client(bundle, write_app(bundle, source, file, **others))


def get(client: Client, path: str, headers: dict[str, str] | None = None, query: str = "") -> Response:
    return call(client.application, Request("GET", path, headers, query=query))


def body_of(response: Response) -> Any:
    return json.loads(response.body)


def test_a_protocols_predictions_import_no_framework(tmp_path: Path) -> None:
    program = """
import asyncio, json, os, sys
from lastmile_runtime.asgi import create
asgi = create()
async def main(path, body):
    sent = []
    async def receive(): return {"type": "http.request", "body": body}
    async def send(message): sent.append(message)
    method = "POST" if body else "GET"
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
    await asgi(scope, receive, send)
    return sent
body = json.dumps({"instances": [[1, 2]]}).encode()
print(asyncio.run(main("/invocations", body))[1]["body"].decode())
asyncio.run(main("/docs", b""))
print("fastapi" in sys.modules, "starlette" in sys.modules, "pydantic" in sys.modules)
asyncio.run(main("/state", b""))
print("fastapi" in sys.modules)
"""
    found = run(program, tmp_path, write_app(tmp_path, USER_APP)).stdout.splitlines()
    lines = [line for line in found if not line.startswith('{"time"')]
    assert lines == ['{"predictions":[[2,4]]}', "False False False", "True"]
    logged = [json.loads(line) for line in found if line.startswith('{"time"')]
    assert [(line["path"], line["status"]) for line in logged] == [
        ("/invocations", 200),
        ("/docs", 200),
        ("/state", 200),
    ]


def run(program: str, bundle: Path, digest_: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ,
        "PYTHONPATH": str(HANDLERS),
        "LASTMILE_BUNDLE": str(bundle),
        "LASTMILE_MANIFEST_DIGEST": digest_,
        "LASTMILE_ROUTING": '{"champion": "v1", "weights": {"v1": 10000}}',
        **environ,
    }
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_else(tmp_path: Path) -> None:
    response = get(Client(tmp_path, python_bundle(tmp_path)), "/docs")
    assert (response.status, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"http://" not in response.body
    assert b"https://" not in response.body
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; connect-src 'self';")
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_the_documentation_is_read_only(tmp_path: Path, path: str) -> None:
    application = Client(tmp_path, python_bundle(tmp_path)).application
    response = call(application, Request("POST", path))
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")
    assert body_of(response)["detail"] == f"{path} takes GET, not POST."
    assert call(application, Request("HEAD", path)).status == 200


def test_another_path_is_none_of_ours(tmp_path: Path) -> None:
    response = get(Client(tmp_path, python_bundle(tmp_path)), "/nothing")
    assert response.status == 404
    assert body_of(response)["detail"] == "/nothing is not a path of this endpoint; /docs lists them."


def test_the_users_routes_are_answered_described_and_started_once(tmp_path: Path) -> None:
    client = with_app(tmp_path)
    for name in ("ada", "bob"):
        response = get(client, f"/hello/{name}", query="loud=true")
        assert (response.status, body_of(response)) == (200, {"hello": name.upper(), "events": ["start"]})
    assert get(client, "/nothing").status == 404
    assert body_of(get(client, "/state")) == {"answer": 42, "same": True}
    document = body_of(get(client, "/openapi.json"))
    assert {"/hello/{name}", f"/v2/models/{MODEL}/infer"} <= document["paths"].keys()
    assert "HTTPValidationError" in document["components"]["schemas"]


def test_a_request_arrives_whole_and_a_stream_is_collected(tmp_path: Path) -> None:
    client = with_app(tmp_path)
    request = Request(
        "POST", "/echo", {"x-trace": "7", "content-type": "text/plain"}, "grüß".encode(), "a=1&b=%20"
    )
    found = body_of(call(client.application, request))
    assert (found["body"], found["query"]) == ("grüß", "a=1&b=+")
    assert found["headers"] == {"x-trace": "7", "content-type": "text/plain"}
    response = get(client, "/stream")
    assert (response.body, response.headers) == (b"abc", {"content-type": "text/plain; charset=utf-8"})


def test_each_cookie_keeps_its_own_header(tmp_path: Path) -> None:
    headers = get(with_app(tmp_path), "/cookies").headers
    cookies = {name: value for name, value in headers.items() if name.lower() == "set-cookie"}
    assert list(cookies) == ["set-cookie", "Set-cookie", "sEt-cookie"]
    assert [value.partition("=")[0] for value in cookies.values()] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("source", "status", "detail", "last"),
    [
        (
            "raise ImportError('no such thing')",
            500,
            "the endpoint's own application, app/app.py, cannot be imported; the function's log says why.",
            "ImportError: no such thing",
        ),
        (
            "raise SystemExit(3)",
            500,
            "the endpoint's own application, app/app.py, cannot be imported; the function's log says why.",
            "SystemExit: 3",
        ),
        (
            "import no_such_framework.parts",
            501,
            (
                "the endpoint's own application, app/app.py, needs 'no_such_framework', which is not installed in "
                "this function. Install it there, or take endpoint.app out of the spec."
            ),
            "ModuleNotFoundError: No module named 'no_such_framework'",
        ),
        (
            "other = 1",
            500,
            "app/app.py has no 'app', which the manifest names as the application.",
            "lastmile_runtime.errors.RequestError: app/app.py has no 'app', which the manifest names as the application.",
        ),
    ],
    ids=["import", "exit", "framework", "name"],
)
def test_a_broken_application_is_told_and_predictions_go_on(
    tmp_path: Path, source: str, status: int, detail: str, last: str
) -> None:
    client = with_app(tmp_path, source)
    for _ in range(2):
        response = get(client, "/hello/ada")
        assert (response.status, body_of(response)["detail"]) == (status, detail)
        assert last in response.facts["stack"]
    assert client.infer({"inputs": [matrix([[1, 2]])]}).status == 200
    document = get(client, "/openapi.json")
    assert (document.status, document.facts["error"]) == (200, f"app/app.py:app: {detail}")


def test_a_changed_file_of_the_application_is_not_imported(tmp_path: Path) -> None:
    client = with_app(tmp_path)
    (tmp_path / "bundle/app/greetings.py").write_text("raise SystemExit")
    response = get(client, "/hello/ada")
    assert response.status == 500
    told = f"app/greetings.py has the size 16, but {len(GREETINGS)} was deployed."
    assert f"lastmile_runtime.errors.BundleError: {told}" in response.facts["stack"]


def test_an_error_of_the_application_is_its_own_500_and_told(tmp_path: Path) -> None:
    client = with_app(tmp_path)
    response = get(client, "/broken")
    assert (response.status, response.body) == (500, b"Internal Server Error")
    assert response.facts["stack"][-1] == "ZeroDivisionError: no such number"
    assert get(client, "/hello/ada").status == 200


def test_an_application_without_a_lifespan_answers(tmp_path: Path) -> None:
    source = """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 203, "headers": [(b"X-Own", b"1"), (b"x-own", b"2")]})
    await send({"type": "http.response.body", "body": scope["path"].encode()})
"""
    response = get(with_app(tmp_path, source), "/a%20b")
    assert (response.status, response.headers, response.body) == (203, {"x-own": "1, 2"}, b"/a b")


@pytest.mark.parametrize(
    ("source", "last"),
    [
        ("async def app(scope, receive, send):\n    pass\n", None),
        ("async def app(scope, receive, send):\n    1 / 0\n", "ZeroDivisionError: division by zero"),
    ],
)
def test_an_application_that_does_not_answer_is_a_500(tmp_path: Path, source: str, last: str | None) -> None:
    response = get(with_app(tmp_path, source), "/")
    assert response.status == 500
    if last is None:
        assert body_of(response)["detail"] == "the endpoint's own application sent no answer."
    else:
        assert body_of(response)["detail"] == (
            "the endpoint's own application failed; the function's log says why."
        )
        assert response.facts["stack"][-1] == last


def test_a_failed_startup_is_told_and_tried_again(tmp_path: Path) -> None:
    source = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
tries = []
@asynccontextmanager
async def lifespan(app):
    tries.append(1)
    if len(tries) == 1:
        raise OSError("the database is away")
    yield
app = FastAPI(lifespan=lifespan)
@app.get("/tries")
def count() -> int:
    return len(tries)
"""
    client = with_app(tmp_path, source)
    first = get(client, "/tries")
    assert first.status == 500
    assert body_of(first)["detail"] == (
        "the startup of the endpoint's own application failed; the function's log says why."
    )
    assert any("OSError: the database is away" in line for line in first.facts["stack"])
    assert body_of(get(client, "/tries")) == 2


def test_a_package_is_imported_as_uvicorn_does(tmp_path: Path) -> None:
    source = """
from fastapi import FastAPI
from .parts import router
from service.parts import WORD
app = FastAPI()
app.include_router(router)
"""
    parts = """
from fastapi import APIRouter
router = APIRouter()
WORD = "x"
@router.get("/word")
def word() -> str:
    return WORD
"""
    client = with_app(tmp_path, source, "app/service/main.py", **{"app/service/parts.py": parts})
    assert body_of(get(client, "/word")) == "x"


def test_no_file_of_the_application_hides_a_module_that_predictions_need(tmp_path: Path) -> None:
    client = with_app(
        tmp_path, USER_APP, **{"app/json.py": "raise SystemExit", "app/colorsys.py": "raise SystemExit"}
    )
    assert get(client, "/hello/ada").status == 200
    import colorsys

    assert "/bundle/app/" not in str(colorsys.__file__)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/hello/ada", "/nothing"])
def test_nothing_is_answered_without_the_key(tmp_path: Path, path: str) -> None:
    client = with_app(tmp_path)
    client.application._auth = KeyAuth([key_digest("secret")])
    refused = get(client, path)
    assert refused.status == 401
    assert refused.headers["www-authenticate"].startswith("Basic ")
    found = get(client, path, {"x-api-key": "secret"})
    assert found.status == (404 if path == "/nothing" else 200)
    assert get(client, path, {"authorization": "Basic eDpzZWNyZXQ="}).status == found.status
    with TestClient(get_asgi(client.application)) as http:
        assert http.get(path).status_code == 401
        assert http.get(path, headers={"X-API-Key": "secret"}).status_code == found.status


def test_the_application_does_not_see_the_key(tmp_path: Path) -> None:
    client = with_app(tmp_path)
    client.application._auth = KeyAuth([key_digest("secret")])
    with TestClient(get_asgi(client.application)) as http:
        seen = http.post("/echo", headers={"X-API-Key": "secret", "x-other": "1"}).json()["headers"]
    assert "x-api-key" not in seen
    assert seen["x-other"] == "1"
    request = Request("POST", "/echo", {"x-api-key": "secret", "x-other": "1"})
    assert body_of(call(with_key(tmp_path / "second"), request))["headers"] == {"x-other": "1"}


def with_key(folder: Path) -> Application:
    application = with_app(folder).application
    application._auth = KeyAuth([key_digest("secret")])
    return application


def test_a_server_of_asgi_answers_everything(tmp_path: Path) -> None:
    lines: list[str] = []
    application = with_app(tmp_path).application
    with TestClient(get_asgi(application, Log("f", lines.append))) as http:
        body: Any = {"inputs": [matrix([[1, 2]])]}
        answer = http.post(f"/v2/models/{MODEL}/infer", json=body)
        assert (answer.status_code, answer.json()["outputs"][0]["data"]) == (200, [2, 4])
        assert answer.headers["x-model-version"] == "v1"
        assert http.get("/hello/ada").json() == {"hello": "ada", "events": ["start"]}
        assert http.get("/state").json() == {"answer": 42, "same": True}
        assert http.get("/stream").text == "abc"
        assert [name for name, _ in http.get("/cookies").headers.multi_items()].count("set-cookie") == 3
        assert http.get("/docs").status_code == 200
        assert http.get("/v2/nothing").json()["error"].startswith("/v2/nothing is not a path")
        head = http.head("/openapi.json")
        assert (head.status_code, head.content) == (200, b"")
        assert int(head.headers["content-length"]) > 1000
        with http.websocket_connect("/talk") as socket:
            socket.send_text("ada")
            assert socket.receive_text() == "hello ada"
    logged = [json.loads(line) for line in lines]
    assert [(line["path"], line["status"]) for line in logged][:2] == [
        (f"/v2/models/{MODEL}/infer", 200),
        ("/hello/ada", 200),
    ]


def test_a_servers_shutdown_is_the_applications(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "app", raising=False)  # another test's application has the same name
    application = with_app(tmp_path).application
    with TestClient(get_asgi(application)) as http:
        http.get("/hello/ada")
        events = sys.modules["app"].events
        assert events == ["start"]
    assert events == ["start", "stop"]


def test_an_error_under_a_server_is_told(tmp_path: Path) -> None:
    lines: list[str] = []
    with TestClient(get_asgi(with_app(tmp_path).application, Log("f", lines.append))) as http:
        assert http.get("/broken").status_code == 500
    assert json.loads(lines[0])["stack"][-1] == "ZeroDivisionError: no such number"


def test_a_websocket_is_refused_without_the_key_or_an_application(tmp_path: Path) -> None:
    plain = Client(tmp_path / "plain", python_bundle(tmp_path / "plain")).application
    for application in (plain, with_key(tmp_path)):
        with TestClient(get_asgi(application)) as http, pytest.raises(WebSocketDisconnect) as caught:
            http.websocket_connect("/talk").__enter__()
        assert caught.value.code == 1008


def test_a_body_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi_module, "MAX_BODY_BYTES", 10)
    with TestClient(get_asgi(Client(tmp_path, python_bundle(tmp_path)).application)) as http:
        answer = http.post("/invocations", content=b"x" * 11)
    assert (answer.status_code, answer.json()["detail"]) == (
        413,
        "the body has more than 10 bytes, which it may have at most.",
    )


class Once:
    """A server without lifespan, as Mangum with lifespan="off": each request in whichever loop there is."""

    def __init__(self, asgi: Asgi) -> None:
        self._asgi = asgi

    def get(self, path: str, raw_path: bytes | None = None) -> tuple[int, bytes]:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": raw_path,
            "query_string": b"",
            "headers": [],
        }
        asyncio.run(self._asgi(scope, receive, send))
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def test_without_a_servers_lifespan_the_application_lives_in_one_loop(tmp_path: Path) -> None:
    client = with_app(tmp_path)
    once = Once(get_asgi(client.application))
    for _ in range(3):
        assert once.get("/state") == (200, b'{"answer":42,"same":true}')
    assert once.get("/hello/a b")[1] == b'{"hello":"a b","events":["start"]}'
    assert once.get("/hello/ada", b"/hello/ada?x=1")[1] == b'{"hello":"ada","events":["start"]}'
    assert body_of(get(client, "/hello/ada"))["events"] == ["start"]


def test_mangum_answers_every_event_with_one_lifespan(tmp_path: Path) -> None:
    mangum = pytest.importorskip("mangum")
    adapter = mangum.Mangum(get_asgi(with_app(tmp_path).application), lifespan="off")

    def ask(path: str) -> Any:
        http = {"method": "GET", "path": path, "sourceIp": "192.0.2.1"}
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {},
            "requestContext": {"http": http},
        }
        return adapter(event, None)

    for name in ("ada", "bob"):
        assert json.loads(ask(f"/hello/{name}")["body"]) == {"hello": name, "events": ["start"]}
    assert json.loads(ask("/state")["body"]) == {"answer": 42, "same": True}
    assert ask("/stream")["body"] == "abc"
    assert [cookie.partition("=")[0] for cookie in ask("/cookies")["cookies"]] == ["a", "b", "c"]
    assert ask("/broken")["statusCode"] == 500
    assert ask("/docs")["headers"]["content-type"] == "text/html; charset=utf-8"


def test_without_a_log_a_failure_is_told_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once = Once(get_asgi(with_app(tmp_path, "raise ImportError('no such thing')").application))
    assert once.get("/hello/ada")[0] == 500
    assert once.get("/docs")[0] == 200
    (line,) = capsys.readouterr().out.splitlines()
    assert (json.loads(line)["path"], json.loads(line)["level"]) == ("/hello/ada", "error")
    assert "ImportError: no such thing" in json.loads(line)["stack"]


def test_the_shutdown_runs_when_the_process_ends(tmp_path: Path) -> None:
    program = """
import os, sys
from lastmile_runtime.asgi import call
from lastmile_runtime.http import Request
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log
application = start(os.environ, Log("f", sys.stdout.write), keeps_running=False)
print(call(application, Request("GET", "/state")).body.decode())
import app
class Told(list):
    def append(self, event): print(event)
app.events = Told()
"""
    found = run(program, tmp_path, write_app(tmp_path, USER_APP))
    assert (found.stdout.splitlines(), found.stderr) == (['{"answer":42,"same":true}', "stop"], "")


def test_what_cannot_start_is_said_without_a_traceback(tmp_path: Path) -> None:
    found = run("from lastmile_runtime.asgi import create; create()", tmp_path, "sha256:0")
    assert found.returncode == 1
    assert found.stderr == (
        "the function cannot start: manifest.json cannot be read: No such file or directory.\n"
    )


def test_on_cloud_run_the_log_is_in_its_form(tmp_path: Path) -> None:
    program = """
import os
from starlette.testclient import TestClient
from lastmile_runtime.asgi import create
with TestClient(create()) as http:
    http.get("/docs")
"""
    found = run(program, tmp_path, python_bundle(tmp_path), K_SERVICE="churn")
    line = json.loads(found.stdout.splitlines()[-1])
    assert (line["severity"], line["httpRequest"]["requestUrl"]) == ("INFO", "/docs")
