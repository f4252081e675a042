"""The documentation and the user's own routes, through the application."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lastmile_runtime.asgi import call, get_asgi
from lastmile_runtime.auth import KeyAuth
from lastmile_runtime.http import Request
from lastmile_sls.local.resources.key import digest as key_digest
from tests.lastmile_runtime.bundles import MODEL, Client, matrix, python_bundle
from tests.lastmile_runtime.user_apps import (
    GREETINGS,
    USER_APP,
    body_of,
    get,
    run,
    with_app,
    with_key,
    write_app,
)

pytestmark = pytest.mark.usefixtures("clean_imports")


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
