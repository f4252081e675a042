"""The endpoint as an ASGI application, under servers that others wrote."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from lastmile_runtime import asgi as asgi_module
from lastmile_runtime.asgi import Asgi, get_asgi
from lastmile_runtime.telemetry import Log
from tests.lastmile_runtime.bundles import MODEL, Client, matrix, python_bundle
from tests.lastmile_runtime.user_apps import USER_APP, body_of, get, run, with_app, with_key, write_app

pytestmark = pytest.mark.usefixtures("clean_imports")


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
