"""Deployments of the real runtime that answer later, in the tests' cloud."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx

import lastmile_runtime
from lastmile_runtime.manifest import Version
from tests.lastmile_runtime.bundles import DOUBLER, MODEL, matrix, python_version, routing, write_bundle
from tests.lastmile_sls.local.conftest import KEY, World

INFER = f"/v2/models/{MODEL}/infer"
FAILING = "class Model:\n    def predict(self, inputs):\n        raise ZeroDivisionError('broken')\n"


def runtime_bundle(folder: Path, source: str = DOUBLER, *more: str) -> str:
    """Write a bundle of the runtime and versions v1, v2 ...; return its digest."""
    versions: list[Version] = [python_version(f"v{number + 1}") for number in range(1 + len(more))]
    files: dict[str, bytes | str] = {
        version.artifact: text for version, text in zip(versions, (source, *more), strict=True)
    }
    runtime = Path(lastmile_runtime.__file__).parent
    for path in sorted(path for path in runtime.rglob("*") if path.is_file()):
        if "__pycache__" not in path.parts:
            files[f"lastmile_runtime/{path.relative_to(runtime)}"] = path.read_bytes()
    return write_bundle(folder, versions, files)


class Later:
    """A served deployment with a queue."""

    def __init__(self, world: World, source: str = DOUBLER, *more: str, attempts: int = 3) -> None:
        self.world = world
        world.bundle = world.bundle.with_name("runtime")
        world.digest = runtime_bundle(world.bundle, source, *more)
        world.apply("bucket", "state")
        self.queue = Path(world.apply("queue", "jobs", maxAttempts=attempts, visibilityTimeoutS=60)["path"])
        self.jobs = Path(world.place().root / "buckets" / "state" / "results")
        self.url = ""

    def serve(self, **changes: Any) -> Later:
        self.function(**changes)
        self.url = self.world.route()
        return self

    def function(self, **changes: Any) -> None:
        self.world.function(
            **{
                "queue": "jobs",
                "jobs": "results",
                "bucket": "state",
                "routing": routing(),
                "concurrency": 2,
                **changes,
            }
        )

    def replace_model(self, source: str, *more: str) -> None:
        self.world.bundle = self.world.bundle.with_name("replaced")
        self.world.digest = runtime_bundle(self.world.bundle, source, *more)
        self.function()

    def ask(self, value: float, **headers: str) -> httpx.Response:
        content = json.dumps({"inputs": [matrix([[value, 0]])]})
        return self.request("POST", INFER, content=content, headers=headers)

    def accept(self, value: float, **headers: str) -> httpx.Response:
        return self.ask(value, prefer="respond-async", **headers)

    def accept_from_one_that_dies(self, value: float) -> httpx.Response:
        """Ask until a process lives long enough to say that it accepted; all of it is one job."""
        deadline = time.monotonic() + 30
        while (accepted := self.accept(value, idempotency_key="once")).status_code == 502:
            assert time.monotonic() < deadline, accepted.text
        return accepted

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"x-api-key": KEY, **options.pop("headers", {})}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.request(method, self.url + path, headers=named, timeout=30, **options)

    def wait_for(self, accepted: httpx.Response, deadline_s: float = 30.0) -> httpx.Response:
        """Return the answer of an accepted request; whoever asks for it may meet a process that dies."""
        assert accepted.status_code == 202, accepted.text
        deadline = time.monotonic() + deadline_s
        while (answer := self.request("GET", accepted.headers["location"])).status_code in (202, 502, 503):
            assert time.monotonic() < deadline, "the job was not answered in time"
            time.sleep(0.02)
        return answer


def doubled(response: httpx.Response) -> Any:
    """Return the first value that a version answered."""
    return response.json()["outputs"][0]["data"][0]
