"""Bundles with an application of the user's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import lastmile_runtime
from lastmile_runtime.application import Application
from lastmile_runtime.asgi import call
from lastmile_runtime.auth import KeyAuth
from lastmile_runtime.http import Request, Response
from lastmile_runtime.manifest import FILE, Manifest, digest, hash_file, render
from lastmile_sls.local.resources.key import digest as key_digest
from tests.lastmile_runtime.bundles import DOUBLER, MODEL, Client, python_version

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


def with_key(folder: Path) -> Application:
    application = with_app(folder).application
    application._auth = KeyAuth([key_digest("secret")])
    return application
