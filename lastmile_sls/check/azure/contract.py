"""Azure Functions: a worker that its host has load the app, and that answers the host's invocations over gRPC."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lastmile_sls.check.azure.host import SCRIPT, Host, require_success
from lastmile_sls.check.contract import Answer, Contract, Finding, Function, Setting
from lastmile_sls.check.tools import AZURE_WORKER

TEMPLATE = Path("lastmile_runtime/adapters/azure_app")
"""What a bundle for Azure has at its root, relative to the bundle."""


class AzureFunction:
    """A worker, and the host that it talks to."""

    def __init__(self, host: Host, folder: Path, startup_s: float) -> None:
        self.process = host.process
        self.started_at: float | None = None
        self._host = host
        self._folder = folder
        self._startup_s = startup_s

    def ask(self, path: str, body: bytes, within_s: float) -> Answer:
        """Invoke the function of a request, the first time after having it loaded. Raises NoAnswer."""
        if self.started_at is None:
            require_success(self._host.initialize(self._folder, self._startup_s))
            self._host.index(self._folder)
            self.started_at = time.perf_counter()
        headers = {"content-type": "application/json"}
        answer = self._host.http("POST", path, body, headers, within_s)
        at = time.perf_counter()
        lowered = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(at, int(answer.status_code), lowered, answer.body.bytes)

    def finish(self) -> list[Finding]:
        """Say which functions the worker has found."""
        names = ", ".join(sorted(self._host.functions))
        return [Finding("functions", "predict" in self._host.functions, f"the worker finds {names}.")]


@contextmanager
def _launch(setting: Setting) -> Iterator[Function]:
    environ = {**setting.environ(), "WEBSITE_SITE_NAME": setting.model}
    environ["PYTHONPATH"] = os.pathsep.join(str(place) for place in (setting.tool, setting.packages) if place)
    host = Host(setting.python, environ, bridge="proxy", folder=setting.folder, memory_mb=setting.memory_mb)
    with host:
        yield AzureFunction(host, setting.folder, setting.startup_s)


WORKER = Contract(
    "azure worker", "Azure Functions, Azure's worker", _launch, AZURE_WORKER, TEMPLATE, (SCRIPT.parent,)
)
