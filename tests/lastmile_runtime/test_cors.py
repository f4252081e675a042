"""What browsers are told, held against Starlette's middleware, which the local gateway has, on every way in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest
from starlette.middleware.cors import CORSMiddleware

from lastmile_runtime.adapters import azure
from lastmile_runtime.adapters.azure_later import Later
from lastmile_runtime.adapters.local import answering
from lastmile_runtime.application import Application
from lastmile_runtime.asgi import Asgi, _send
from lastmile_runtime.auth import KeyAuth
from lastmile_runtime.cors import EXPOSED, METHODS, open_cors
from lastmile_runtime.errors import BundleError
from lastmile_runtime.forms.application_insights import Traces
from lastmile_runtime.http import Request
from lastmile_sls.local.resources.key import digest as key_digest
from tests.lastmile_runtime.adapters.process import container, copy_runtime
from tests.lastmile_runtime.bundles import MODEL, matrix, python_bundle
from tests.lastmile_runtime.user_apps import with_app

pytestmark = pytest.mark.usefixtures("clean_imports")

PAGE, OTHER = "https://app.example.com", "https://other.example.com"
KEY = {"x-api-key": "secret"}
INFER = f"/v2/models/{MODEL}/infer"
BODY = json.dumps({"inputs": [matrix([[1, 2]])]}).encode()
ASKS = {"access-control-request-method": "POST"}
VARYING = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    headers = [(b"vary", b"Accept"), (b"vary", b"Cookie"), (b"access-control-allow-origin", b"null")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"varies"})
"""
ORIGINS: dict[str, list[str]] = {"one": [PAGE], "two": [PAGE, "http://localhost:3000"], "all": ["*"]}
REQUESTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "no page": ("GET", "/v2", KEY),
    "a page": ("GET", "/v2", {**KEY, "origin": PAGE}),
    "another page": ("GET", "/v2", {**KEY, "origin": OTHER}),
    "a prediction": ("POST", INFER, {**KEY, "origin": PAGE}),
    "without a key": ("POST", INFER, {"origin": PAGE}),
    "no such path": ("GET", "/nothing", {**KEY, "origin": PAGE}),
    "the documentation": ("GET", "/docs", {**KEY, "origin": PAGE}),
    "the user's own": ("GET", "/varies", {**KEY, "origin": PAGE}),
    "the user's own to another": ("GET", "/varies", {**KEY, "origin": OTHER}),
    "question": ("OPTIONS", INFER, {"origin": PAGE, **ASKS}),
    "question of another page": ("OPTIONS", INFER, {"origin": OTHER, **ASKS}),
    "question with headers": (
        "OPTIONS",
        INFER,
        {"origin": PAGE, **ASKS, "access-control-request-headers": "X-Api-Key, content-type"},
    ),
    "question for a method": ("OPTIONS", INFER, {"origin": PAGE, "access-control-request-method": "PUT"}),
    "question for a HEAD": ("OPTIONS", INFER, {"origin": OTHER, "access-control-request-method": "HEAD"}),
    "question from a network": (
        "OPTIONS",
        INFER,
        {"origin": PAGE, **ASKS, "access-control-request-private-network": "true"},
    ),
    "question on the user's own path": ("OPTIONS", "/varies", {"origin": PAGE, **ASKS}),
    "no question: no method": ("OPTIONS", INFER, {**KEY, "origin": PAGE}),
    "no question: no page": ("OPTIONS", INFER, {**KEY, **ASKS}),
}
Found = tuple[int, dict[str, str], bytes]
Ask = Callable[[Application, str, str, dict[str, str]], Found]


def application_of(folder: Path, origins: list[str] | None) -> Application:
    application = with_app(folder, VARYING).application
    application._auth = KeyAuth([key_digest("secret")])
    application.cors = open_cors({"allow_origins": origins}) if origins else None
    return application


def found(status: int, headers: Any, body: bytes) -> Found:
    """Return an answer without what differs from one to the next."""
    kept = {
        name.lower(): value
        for name, value in headers
        if name.lower() not in ("content-length", "server-timing")
    }
    return status, kept, body


async def ask_app(app: Any, method: str, path: str, headers: dict[str, str]) -> Found:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": BODY if method == "POST" else b""}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": raw}
    await app(scope, receive, send)
    pairs: dict[str, str] = {}
    for name, value in sent[0]["headers"]:
        assert name not in pairs or name == b"vary"
        pairs[name.decode()] = ", ".join(filter(None, [pairs.get(name.decode()), value.decode()]))
    return found(sent[0]["status"], pairs.items(), b"".join(part.get("body", b"") for part in sent[1:]))


def by_starlette(
    application: Application, origins: list[str], method: str, path: str, headers: dict[str, str]
) -> Found:
    """Ask an application without CORS of its own, behind Starlette's."""
    answer = answering(application)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        given = {name.decode(): value.decode() for name, value in scope["headers"]}
        response = answer(Request(method, path, given, (await receive())["body"]))
        await _send(send, response, head=False)

    expose, methods = list(EXPOSED), list(METHODS)
    behind = CORSMiddleware(
        app, allow_origins=origins, allow_methods=methods, allow_headers=["*"], expose_headers=expose
    )
    return asyncio.run(ask_app(behind, method, path, headers))


def ask_directly(application: Application, method: str, path: str, headers: dict[str, str]) -> Found:
    request = Request(method, path, dict(headers), BODY if method == "POST" else b"")
    response = answering(application)(request)
    return found(response.status, response.headers.items(), response.body)


def ask_azure(application: Application, method: str, path: str, headers: dict[str, str]) -> Found:
    log = Traces("churn")
    functions = azure.Functions(application, log, Later(log), 5, 0.0)
    body = BODY if method == "POST" else b""
    given = func.HttpRequest(method, f"https://churn{path}", headers=headers, body=body)
    context: Any = SimpleNamespace(invocation_id="invocation-1")
    answer = functions.serve(given, context)
    return found(answer.status_code, answer.headers.items(), answer.get_body())


def ask_asgi(application: Application, method: str, path: str, headers: dict[str, str]) -> Found:
    return asyncio.run(ask_app(Asgi(application), method, path, headers))


@pytest.mark.parametrize("ask", [ask_directly, ask_azure, ask_asgi])
@pytest.mark.parametrize("origins", ORIGINS.values(), ids=ORIGINS)
def test_browsers_are_told_what_starlettes_middleware_tells_them(
    tmp_path: Path, origins: list[str], ask: Ask
) -> None:
    application = application_of(tmp_path, None)
    expected = {name: by_starlette(application, origins, *request) for name, request in REQUESTS.items()}
    application.cors = open_cors({"allow_origins": origins})
    assert {name: ask(application, *request) for name, request in REQUESTS.items()} == expected
    assert expected["a prediction"][0] == 200
    assert expected["without a key"][0] == 401


def test_a_stream_of_the_users_own_is_told_too(tmp_path: Path) -> None:
    """A server runs our lifespan, so the user's application sends by itself."""
    application = application_of(tmp_path, [PAGE])
    asgi = Asgi(application)
    told: list[Any] = []

    async def main() -> Found:
        events: list[dict[str, Any]] = [{"type": "lifespan.startup"}]
        up, done = asyncio.Event(), asyncio.Event()

        async def receive() -> dict[str, Any]:
            if events:
                return events.pop()
            await done.wait()
            return {"type": "lifespan.shutdown"}

        async def send(message: dict[str, Any]) -> None:
            told.append(message["type"])
            up.set()

        life = asyncio.create_task(asgi({"type": "lifespan"}, receive, send))
        await up.wait()
        answer = await ask_app(asgi, "GET", "/varies", {**KEY, "origin": PAGE})
        done.set()
        await life
        return answer

    status, headers, body = asyncio.run(main())
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert (status, body, headers["access-control-allow-origin"]) == (200, b"varies", PAGE)
    assert headers["vary"] == "Accept, Cookie, Origin"


def test_a_preflight_is_answered_before_anybody_is_asked_for_a_key(tmp_path: Path) -> None:
    status, headers, body = ask_directly(application_of(tmp_path, [PAGE]), *REQUESTS["question with headers"])
    assert (status, body) == (200, b"OK")
    assert headers == {
        "content-type": "text/plain; charset=utf-8",
        "vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, "
        "Access-Control-Request-Private-Network",
        "access-control-allow-origin": PAGE,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "X-Api-Key, content-type",
        "access-control-max-age": "600",
    }


def test_a_preflight_that_is_refused_says_why(tmp_path: Path) -> None:
    asked = {
        "origin": OTHER,
        "access-control-request-method": "PUT",
        "access-control-request-private-network": "1",
    }
    status, headers, body = ask_directly(application_of(tmp_path, [PAGE]), "OPTIONS", INFER, asked)
    assert (status, body) == (400, b"Disallowed CORS origin, method, private-network")
    assert "access-control-allow-origin" not in headers


def test_cloud_runs_container_reads_it_from_its_environment(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    copy_runtime(folder)
    digest = python_bundle(folder)
    settings = {
        "LASTMILE_CORS": json.dumps({"allow_origins": [PAGE]}),
        "LASTMILE_AUTH": json.dumps({"keys": [key_digest("secret")]}),
    }
    question = f"OPTIONS {INFER} HTTP/1.1\r\nhost: x\r\norigin: {PAGE}\r\naccess-control-request-method: POST"
    plain = f"GET /v2 HTTP/1.1\r\nhost: x\r\norigin: {PAGE}"
    with container(folder, digest, None, **settings) as function:
        function.wait_until_it_listens()
        answers = [
            function.exchange(f"{head}\r\nconnection: close\r\n\r\n".encode()) for head in (question, plain)
        ]
    assert [(status, headers["access-control-allow-origin"]) for status, headers, _ in answers] == [
        (200, PAGE),
        (401, PAGE),
    ]
    assert answers[0][2] == b"OK"


@pytest.mark.parametrize(
    "document", [None, {}, {"allow_origins": []}, {"allow_origins": "*"}, {"allow_origins": [1]}]
)
def test_anything_else_is_refused(document: Any) -> None:
    with pytest.raises(BundleError, match=r"^LASTMILE_CORS must have allow_origins, a list of origins\.$"):
        open_cors(document)
