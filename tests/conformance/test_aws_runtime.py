"""What is only so under AWS's own runtime client: its cost, and the user's routes through Mangum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.manifest import FILE, Manifest, digest, hash_file, render
from tests.lastmile_runtime.adapters import aws_samples as samples
from tests.lastmile_runtime.adapters.process import copy_runtime
from tests.lastmile_runtime.adapters.runtime_api import MANAGED, running
from tests.lastmile_runtime.bundles import DOUBLER, MODEL, matrix, python_bundle, python_version

pytestmark = pytest.mark.conformance

BODY = json.dumps({"inputs": [matrix([[1, 2]])]})
# An ASGI application without a framework: what it was asked for, with two cookies, text or bytes.
USER_APP = """
import json

starts = []

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        starts.append((await receive())["type"])
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return
    body = (await receive())["body"]
    asked = {name: scope[name] for name in ("method", "path")}
    asked |= {"query": scope["query_string"].decode(), "body": body.decode("latin-1"), "starts": starts}
    asked["request_id"] = scope["aws.context"].aws_request_id
    binary = scope["path"] == "/image"
    kind = b"image/png" if binary else b"application/json"
    headers = [(b"content-type", kind), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": bytes([255, 0]) if binary else json.dumps(asked).encode()})
"""


def with_app(folder: Path) -> str:
    """Write a bundle with an application of the user's own; return its digest."""
    copy_runtime(folder)
    version = python_version()
    for name, content in {version.artifact: DOUBLER, "app/app.py": USER_APP}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    hashes = {name: hash_file(str(folder / name)) for name in (version.artifact, "app/app.py")}
    manifest = render(Manifest(MODEL, [version], hashes, app="app/app.py:app"))
    (folder / FILE).write_bytes(manifest)
    return digest(manifest)


def test_the_users_own_routes_are_answered_through_mangum(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    found_digest = with_app(folder)
    http = samples.http_api("/prod/hello%20you", body="ü")
    http["requestContext"]["stage"] = "prod"
    asked = {"method": "POST", "path": "/hello you", "body": "ü".encode().decode("latin-1")}
    with running(MANAGED, folder, found_digest) as function:
        # The lifespan is started once, and not around each event.
        for number, query, event in (
            (1, "a=1&b=x%20y", http),
            (2, "a=1&a=2&b=x+y", samples.rest_api("/hello%20you", body="ü")),
        ):
            answer = function.invoke(event)
            expected = {**asked, "query": query, "starts": ["lifespan.startup"]}
            told: dict[str, Any] = json.loads(answer["body"])
            assert told.pop("request_id").endswith(f"{number}")
            assert (answer["statusCode"], told) == (201, expected)
            cookies = answer.get("cookies") or answer["multiValueHeaders"]["set-cookie"]
            assert cookies == ["a=1", "b=2"]
        image = function.invoke(samples.http_api("/image", "GET"))
        assert (image["isBase64Encoded"], image["body"]) == (True, "/wA=")
        # Predictions do not pass through it.
        assert function.invoke(samples.http_api(body=BODY))["statusCode"] == 200
        lines = function.events()
    assert [(line["path"], line["status"]) for line in lines] == [
        ("/hello%20you", 201),
        ("/hello%20you", 201),
        ("/image", 201),
        (f"/v2/models/{MODEL}/infer", 200),
    ]


LIST = "import sys\ndef handler(event, context):\n    return sorted(sys.modules)\n"
AFTER_ONE = """
import sys
class Model:
    def predict(self, inputs):
        return {"modules": sorted(sys.modules)}
"""


def test_beside_an_empty_handler_it_imports_itself_and_little_of_the_standard_library(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    copy_runtime(folder)
    found_digest = python_bundle(folder, AFTER_ONE)
    (folder / "empty.py").write_text(LIST)
    with running(MANAGED, folder, found_digest, handler="empty.handler") as function:
        empty = set(function.invoke({}))
    with running(MANAGED, folder, found_digest) as function:
        function.invoke(samples.http_api(body=BODY))
        answer = function.invoke(samples.http_api(body=BODY))
        ours = set(json.loads(answer["body"])["outputs"][0]["data"])
    added = {name for name in ours - empty if not name.startswith("lastmile_")}
    # Hashing is the interpreter's own, whichever it has.
    assert added <= {"_sha2", "_sha256"}
