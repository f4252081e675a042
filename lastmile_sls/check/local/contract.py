"""The local target: a function's process as its host starts it, on a socket that it is handed down."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lastmile_sls.check.contract import Answer, Contract, Finding, Function, Setting
from lastmile_sls.check.exchange import exchange
from lastmile_sls.check.process import Process, exit_words
from lastmile_sls.local.functions import GRACE_S
from lastmile_sls.local.instances import BOOT, HOST_SOCKET, FunctionConfig, environment

_BACKLOG = 1024


class LocalFunction:
    """A process, and the socket that requests wait in from the start."""

    started_at: float | None = None
    """Its host does not see when it listens: the socket does so before it is started."""

    def __init__(self, process: Process, socket_: Path) -> None:
        self.process = process
        self._socket = socket_

    def ask(self, path: str, body: bytes, within_s: float) -> Answer:
        """Send a request. Raises NoAnswer."""
        return exchange(self._socket, "POST", path, body, self.process, within_s)

    def finish(self) -> list[Finding]:
        """Have it end, as its host does when it is idle."""
        code = self.process.terminate(GRACE_S)
        if code == 0:
            return [Finding("SIGTERM", True, "it ended after SIGTERM.")]
        told = f"it runs on {GRACE_S:g} s after SIGTERM." if code is None else f"it {exit_words(code)}."
        return [Finding("SIGTERM", False, told)]


@contextmanager
def _launch(setting: Setting) -> Iterator[Function]:
    # A Unix socket's path may have about 100 bytes, which TMPDIR's folders can exceed.
    with (
        tempfile.TemporaryDirectory(dir="/tmp", prefix="lastmile-check-") as short,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        path = Path(short) / "function.sock"
        listener.bind(str(path))
        listener.listen(_BACKLOG)
        descriptor = listener.fileno()
        environ = {
            **setting.environ(),
            **environment(_config(setting), descriptor, Path(short) / HOST_SOCKET),
        }
        command = [str(setting.given_python), *setting.flags, "-I", "-c", BOOT, str(setting.folder)]
        with Process(
            command, environ, setting.folder, memory_mb=setting.memory_mb, handed_down=[descriptor]
        ) as process:
            yield LocalFunction(process, path)


def _config(setting: Setting) -> FunctionConfig:
    return FunctionConfig(
        name=setting.model,
        bundle=setting.folder,
        bundle_digest=setting.digest,
        memory_mb=setting.memory_mb,
        timeout_s=setting.timeout_s,
        idle_timeout_s=setting.timeout_s,
        concurrency=1,
        min_instances=0,
        max_instances=1,
        environment=setting.environment,
        routing=setting.routing,
    )


PROCESS = Contract("local process", "This machine, process", _launch)
