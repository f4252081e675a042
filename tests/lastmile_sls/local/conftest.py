"""A cloud in a temporary folder, whose processes are ended after each test, whatever happened."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from lastmile_sls.local import supervise
from lastmile_sls.local.cloud import Cloud
from lastmile_sls.local.home import Place
from lastmile_sls.local.resources import route
from lastmile_sls.local.resources.key import digest
from tests.ports import free_port

FAKE = Path(__file__).with_name("fake_function.py")
KEY = "k-correct"


def write_bundle(folder: Path, model: str = "m") -> str:
    """Write a bundle around the fake function and return its digest."""
    adapters = folder / "lastmile_runtime" / "adapters"
    adapters.mkdir(parents=True)
    (adapters.parent / "__init__.py").touch()
    (adapters / "__init__.py").touch()
    (adapters / "local.py").write_bytes(FAKE.read_bytes())
    artifact = folder / "models" / "v1" / "model.py"
    artifact.parent.mkdir(parents=True)
    artifact.write_text("class Model: ...\n")
    files = {}
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        entry = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        files[str(path.relative_to(folder))] = entry
    version = {"id": "v1", "predictor": "python", "artifact": "models/v1/model.py", "entry": "Model",
               "columns": [], "frame": False, "inputs": [], "outputs": []}  # fmt: skip
    document = {"format": "lastmile.manifest/1", "model": model, "versions": [version], "files": files}
    rendered = (json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()
    (folder / "manifest.json").write_bytes(rendered)
    return f"sha256:{hashlib.sha256(rendered).hexdigest()}"


def wait_until(condition: Callable[[], object], deadline_s: float = 10.0) -> None:
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


class World:
    """A cloud, and the shortest way to a served function in it."""

    def __init__(self, folder: Path) -> None:
        self.cloud = Cloud(folder / "home", "embedded")
        self.bundle = folder / "bundle"
        self.digest = write_bundle(self.bundle)

    def place(self, deployment: str = "demo-dev") -> Place:
        return Place.of(self.cloud.home, deployment)

    def apply(self, kind: str, name: str, deployment: str = "demo-dev", **inputs: Any) -> Mapping[str, Any]:
        given = {"deployment": deployment, "name": name, **inputs}
        return self.cloud.apply(kind, f"urn:{deployment}:{kind}:{name}", given)[1]

    def function(self, deployment: str = "demo-dev", **changes: Any) -> None:
        inputs = {
            "source": str(self.bundle), "bundleDigest": self.digest, "memoryMb": 256, "timeoutS": 10,
            "idleTimeoutS": 60, "concurrency": 4, "minInstances": 0, "maxInstances": 2, "environment": {},
            "routing": {"champion": "v1", "weights": {"v1": 10000}}, "tags": {"owner": "me"},
        }  # fmt: skip
        self.apply("function", "predict", deployment, **{**inputs, **changes})

    def route(self, deployment: str = "demo-dev", **changes: Any) -> str:
        inputs = {"function": "predict", "port": free_port(), "auth": "key", "keyDigests": [digest(KEY)], "cors": None,
                  "rateLimit": None}  # fmt: skip
        return str(self.apply("route", "endpoint", deployment, **{**inputs, **changes})["url"])

    def serve(self, deployment: str = "demo-dev", **changes: Any) -> str:
        self.function(deployment, **changes)
        return self.route(deployment)

    def host_pid(self) -> int:
        pid: int = json.loads(self.place().host_file.read_text())["pid"]
        return pid

    def end(self) -> None:
        for file in self.cloud.home.glob("local/*/host.json"):
            place = Place(file.parent, file.parent.name)
            whereabouts = json.loads(file.read_text())
            if supervise.is_running(place):
                _kill_family(whereabouts["pid"])
                wait_until(partial(_is_down, place))
            shutil.rmtree(Path(whereabouts["control"]).parent, ignore_errors=True)


def _kill_family(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        host = psutil.Process(pid)
        for process in (host, *host.children(recursive=True)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)


def _is_down(place: Place) -> bool:
    return not supervise.is_running(place)


def get(url: str, path: str = "/echo", key: str | None = KEY, **options: Any) -> httpx.Response:
    headers = {**({"x-api-key": key} if key else {}), **options.pop("headers", {})}
    return httpx.request(options.pop("method", "GET"), url + path, headers=headers, timeout=20, **options)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    # Tests run beside each other: each looks for a free port in a range of its own.
    monkeypatch.setattr(route, "FIRST_PORT", free_port())
    made = World(tmp_path)
    yield made
    made.end()
