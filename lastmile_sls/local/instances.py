"""One process of a function: how it is started, what is known of it, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

_BACKLOG = 1024
BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from lastmile_runtime.adapters.local import main; main()"
"""What the interpreter runs; its argument is the bundle's folder."""
HOST_SOCKET = "host.sock"
"""Where functions send to queues and ask each other; in the folder of the instances' own sockets."""
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
_LAST_WORDS_S = 1.0

InstanceState = Literal["running", "ending"]


class InstanceGone(Exception):
    """The process ended before it answered."""


@dataclass(frozen=True)
class FunctionConfig:
    """What a function runs, and the room it gets."""

    name: str
    bundle: Path
    bundle_digest: str
    memory_mb: int
    timeout_s: float
    idle_timeout_s: float
    concurrency: int
    min_instances: int
    max_instances: int
    environment: Mapping[str, str]
    routing: str
    """The routing document, as JSON."""
    routing_url: str | None = None
    """Where the live one lies."""
    queue: str | None = None
    """The queue that it sends to and works on."""
    jobs_url: str | None = None
    """Where answers of the queue's requests are kept."""
    callback: Mapping[str, Any] | None = None
    """Who may be told of them: `urls`, and in `secret` the variable, of the host's own, that has the secret."""
    batch: Mapping[str, str] | None = None
    """The files that it scores when the queue says so: the stores' URLs `input` and `output`, and their `format`."""
    calls: tuple[str, ...] = ()
    """The functions that it may ask."""


class Instance:
    """A process, and the socket on which it listens."""

    def __init__(self, path: Path, process: asyncio.subprocess.Process) -> None:
        self.path = path
        self.process = process
        self.in_flight = 0
        self.served = 0
        self.idle_since = time.monotonic()
        self.state: InstanceState = "running"
        self.last_line = ""
        self.asked_to_end = False
        self.killed_for = ""
        """Why we killed it; empty when we did not."""
        self.ended = asyncio.Event()
        """Set when the process is gone and all that it said is read."""

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    def memory_mb(self) -> float:
        """Return its resident memory, in MB; 0 when it is gone."""
        try:
            return float(psutil.Process(self.pid).memory_info().rss) / 2**20
        except psutil.Error:
            return 0.0

    def end(self) -> None:
        """Tell it to finish what it has accepted and exit."""
        self.state = "ending"
        self.asked_to_end = True
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()

    def kill(self, reason: str) -> None:
        """End it at once, with whatever it started."""
        self.killed_for = reason
        self.state = "ending"
        with contextlib.suppress(
            ProcessLookupError, PermissionError
        ):  # macOS: the second, for one not reaped yet
            os.killpg(self.pid, signal.SIGKILL)

    async def explain(self) -> str:
        """Return why it gave no answer; waits a moment for its last words."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ended.wait(), _LAST_WORDS_S)
        if not self.ended.is_set():
            return "the function's process broke the connection off without an answer."
        why = f": {self.killed_for}" if self.killed_for else ""
        said = f". It said last: {self.last_line}" if self.last_line and not self.killed_for else "."
        return f"the function's process ended before it answered{why}{said}"


async def start_instance(config: FunctionConfig, path: Path) -> Instance:
    """Start a process that listens on a socket at the path; requests wait there until it is ready.

    The host's socket for functions lies in the same folder.
    """
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(_BACKLOG)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-c", BOOT, str(config.bundle)),
            cwd=config.bundle,
            env=environment(config, listener.fileno(), path.parent / HOST_SOCKET),
            pass_fds=[listener.fileno()],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    return Instance(path, process)


def exit_words(code: int) -> str:
    """Return how a process ended, in words."""
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"exited with code {code}"


def environment(config: FunctionConfig, descriptor: int, host: Path) -> dict[str, str]:
    """Return a process's whole environment.

    Args:
        config: What it runs.
        descriptor: The listening socket's, which it is handed down.
        host: The host's socket for functions.
    """
    secret = (config.callback["secret"],) if config.callback else ()
    inherited = {name: os.environ[name] for name in (*_INHERITED, *secret) if name in os.environ}
    optional = {
        "LASTMILE_ROUTING_URL": config.routing_url,
        "LASTMILE_QUEUE_URL": f"unix://{host}#{config.queue}" if config.queue else None,
        "LASTMILE_JOBS_URL": config.jobs_url,
        "LASTMILE_BATCH": json.dumps(config.batch) if config.batch else None,
        "LASTMILE_CALLBACK": json.dumps(config.callback) if config.callback else None,
        "LASTMILE_FUNCTIONS": json.dumps({name: f"unix://{host}#{name}" for name in config.calls})
        if config.calls
        else None,
    }
    return {
        **{name: value for name, value in optional.items() if value is not None},
        **inherited,
        **config.environment,
        "LASTMILE_BUNDLE": str(config.bundle),
        "LASTMILE_MANIFEST_DIGEST": config.bundle_digest,
        "LASTMILE_ROUTING": config.routing,
        "LASTMILE_SOCKET_FD": str(descriptor),
        "LASTMILE_CONCURRENCY": str(config.concurrency),
        "LASTMILE_TIMEOUT_S": f"{config.timeout_s:g}",
        "LASTMILE_FUNCTION": config.name,
        "LASTMILE_HOST_PID": str(os.getpid()),
    }
