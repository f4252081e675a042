"""Cloud Run's container contract: it listens on $PORT, is probed, answers HTTP/1.1, and ends by SIGTERM.

cloud.google.com/run/docs/container-contract
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from lastmile_sls.check.contract import Answer, Contract, Finding, Function, Setting
from lastmile_sls.check.exchange import connect, exchange
from lastmile_sls.check.process import NoAnswer, Process, exit_words

_BOOT = "import sys; sys.path[:0] = sys.argv[1:]; from lastmile_runtime.adapters.gcp import main; main()"
_PROBE_PATH = "/v2/health/ready"
_RETRY_S = 0.002
GRACE_S = 10.0
"""What Cloud Run gives an instance after SIGTERM (container-contract, instance shutdown)."""


class ContainerFunction:
    """A container's process, and the port that it is to listen on."""

    def __init__(self, process: Process, port: int, startup_s: float) -> None:
        self.process = process
        self.started_at: float | None = None
        self._address = ("127.0.0.1", port)
        self._startup_s = startup_s

    def ask(self, path: str, body: bytes, within_s: float) -> Answer:
        """Send a request, the first as soon as something listens. Raises NoAnswer."""
        if self.started_at is None:
            self._wait_until_it_listens()
        return exchange(self._address, "POST", path, body, self.process, within_s)

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + self._startup_s
        while self.started_at is None:
            with suppress(OSError), connect(self._address):
                self.started_at = time.perf_counter()
                return
            self.process.watch()
            if time.monotonic() > deadline:
                told = f"nothing listens on $PORT after {self._startup_s:g} s."
                raise NoAnswer(told, self.process.last_words())
            time.sleep(_RETRY_S)

    def finish(self) -> list[Finding]:
        """Probe it as Cloud Run's startup probe would, and have it end."""
        return [self._probe(), self._end()]

    def _probe(self) -> Finding:
        try:
            answer = exchange(self._address, "GET", _PROBE_PATH, b"", self.process, self._startup_s)
        except NoAnswer as error:
            return Finding("startup probe", False, f"GET {_PROBE_PATH} got no answer: {error.message}")
        told = f"GET {_PROBE_PATH} answers {answer.status}"
        if answer.status != 200:
            return Finding("startup probe", False, f"{told}, but must answer 200: {answer.body[:300]!r}.")
        return Finding("startup probe", True, f"{told}.")

    def _end(self) -> Finding:
        began = time.perf_counter()
        code = self.process.terminate(GRACE_S)
        if code is None:
            return Finding(
                "SIGTERM", False, f"it runs on {GRACE_S:g} s after SIGTERM; Cloud Run kills it then."
            )
        took_ms = (time.perf_counter() - began) * 1000
        if code != 0:
            words = self.process.last_words()
            return Finding(
                "SIGTERM", False, f"it {exit_words(code)} after SIGTERM, but must exit with 0. {words}"
            )
        return Finding("SIGTERM", True, f"it ended {took_ms:.0f} ms after SIGTERM.")


@contextmanager
def _launch(setting: Setting) -> Iterator[Function]:
    port = _free_port()
    environ = {
        **setting.environ(),
        "PORT": str(port),
        "K_SERVICE": setting.model,
        "K_REVISION": f"{setting.model}-00001-abc",
        "K_CONFIGURATION": setting.model,
    }
    places = [str(place) for place in (setting.folder, setting.packages) if place]
    command = [str(setting.python), *setting.flags, "-I", "-c", _BOOT, *places]
    with Process(command, environ, setting.folder, memory_mb=setting.memory_mb) as process:
        yield ContainerFunction(process, port, setting.startup_s)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


CONTAINER = Contract("gcp container", "Cloud Run, container", _launch)
CONTAINER_APP = Contract("azure container", "Azure Container Apps, container", _launch)
"""It asks the same of a container: HTTP on its port, and an end after SIGTERM
(learn.microsoft.com/azure/container-apps/containers, /application-lifecycle-management)."""
