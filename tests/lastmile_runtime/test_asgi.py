"""The documentation, the user's own routes, and the protocols through ASGI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from lastmile_runtime.asgi import call, get_asgi
from lastmile_runtime.auth import KeyAuth
from lastmile_runtime.http import Request
from lastmile_runtime.manifest import FILE, Manifest, digest, hash_file, render
from lastmile_sls.local.resources.key import digest as key_digest
from tests.lastmile_runtime.bundles import DOUBLER, MODEL, Client, matrix, python_bundle, python_version

USER_APP = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
starts = []
@asynccontextmanager
async def lifespan(app):
    starts.append(1)
    yield
app = FastAPI(lifespan=lifespan)
@app.get("/hello/{name}")
def hello(name: str, loud: bool = False) -> dict:
    return {"hello": name.upper() if loud else name, "starts": len(starts)}
"""


def with_app(folder: Path, source: str = USER_APP) -> Client:
    version = python_version()
    files = {version.artifact: DOUBLER, "app/app.py": source}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    hashes = {name: hash_file(str(folder / name)) for name in files}
    manifest = render(Manifest(MODEL, [version], hashes, app="app/app.py:app"))
    (folder / FILE).write_bytes(manifest)
    return Client(folder, digest(manifest))


def test_the_examples_of_the_document_are_answered(tmp_path: Path) -> None:
    client = Client(tmp_path, python_bundle(tmp_path))
    document = json.loads(call(client.application, Request("GET", "/openapi.json")).body)
    asked = 0
    for path, item in document["paths"].items():
        for method in item.keys() & {"get", "post"}:
            target = path.replace("{version}", "v1")
            body = item[method].get("requestBody", {}).get("content", {}).get("application/json", {})
            content = json.dumps(body["example"]).encode() if body else b""
            response = client.application.handle(Request(method.upper(), target, {}, content))
            assert response.status == 200, (path, response.body)
            schema = item[method]["responses"]["200"]["content"]["application/json"]["schema"]
            jsonschema.validate(
                json.loads(response.body or b"null"), {**schema, "components": document["components"]}
            )
            asked += 1
    assert asked == 15


def test_the_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    client = Client(tmp_path, python_bundle(tmp_path))
    response = call(client.application, Request("GET", "/docs"))
    assert (response.status, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"http://" not in response.body
    assert b"https://" not in response.body


def test_the_users_routes_are_answered_described_and_started_once(tmp_path: Path) -> None:
    client = with_app(tmp_path)
    for name in ("ada", "bob"):
        response = call(client.application, Request("GET", f"/hello/{name}", query="loud=true"))
        assert (response.status, json.loads(response.body)) == (200, {"hello": name.upper(), "starts": 1})
    assert call(client.application, Request("GET", "/nothing")).status == 404
    paths = json.loads(call(client.application, Request("GET", "/openapi.json")).body)["paths"]
    assert {"/hello/{name}", f"/v2/models/{MODEL}/infer"} <= paths.keys()


def test_a_broken_application_is_told_and_predictions_go_on(tmp_path: Path) -> None:
    client = with_app(tmp_path, "raise ImportError('no such library')")
    response = call(client.application, Request("GET", "/hello/ada"))
    assert response.status == 500
    assert "ImportError: no such library" in response.facts["stack"]
    assert client.infer({"inputs": [matrix([[1, 2]])]}).status == 200


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/hello/ada", "/nothing"])
def test_nothing_is_answered_without_the_key(tmp_path: Path, path: str) -> None:
    client = with_app(tmp_path)
    client.application._auth = KeyAuth([key_digest("secret")])
    refused = call(client.application, Request("GET", path))
    assert refused.status == 401
    assert refused.headers["www-authenticate"].startswith("Basic ")
    found = call(client.application, Request("GET", path, {"x-api-key": "secret"}))
    assert found.status == (404 if path == "/nothing" else 200)
    browser = Request("GET", path, {"authorization": "Basic eDpzZWNyZXQ="})
    assert call(client.application, browser).status == found.status


def test_a_server_of_asgi_answers_everything(tmp_path: Path) -> None:
    application = with_app(tmp_path).application
    with TestClient(get_asgi(application)) as http:
        body: Any = {"inputs": [matrix([[1, 2]])]}
        answer = http.post(f"/v2/models/{MODEL}/infer", json=body)
        assert (answer.status_code, answer.json()["outputs"][0]["data"]) == (200, [2, 4])
        assert http.get("/hello/ada").json() == {"hello": "ada", "starts": 1}
        assert http.get("/docs").status_code == 200
        assert http.get("/v2/nothing").json()["error"].startswith("/v2/nothing is not a path")
