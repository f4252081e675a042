"""Lambda's Runtime API on this machine, and functions that run against it, as their runtime starts them."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

from tests.lastmile_runtime.adapters.process import copy_runtime
from tests.lastmile_runtime.bundles import DOUBLER, MODEL, matrix, python_bundle, routing

INFER = f"/v2/models/{MODEL}/infer"
BODY = json.dumps({"inputs": [matrix([[1, 2]])]})
API = "/2018-06-01/runtime"
BOOTSTRAP, MANAGED = "bootstrap", "awslambdaric"
RUNTIMES = pytest.mark.parametrize(
    "runtime", [BOOTSTRAP, pytest.param(MANAGED, marks=pytest.mark.conformance)]
)
"""Both; AWS's own needs its package."""
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:predict"
TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Outcome:
    """What a function said of an event, or of its start."""

    kind: str
    """The last part of the path: response or error."""
    document: Any
    headers: dict[str, str] = field(repr=False)


class RuntimeApi:
    """Hands out events and takes their outcomes; for one function at a time."""

    def __init__(self, *, chunked: bool = False) -> None:
        """Send events in chunks (as Lambda does, when they are large), or with their length."""
        self.chunked = chunked
        self.asking = threading.Event()
        """Set while the function waits for an event: from then on Lambda freezes it."""
        self.restoring = threading.Event()
        """Set once the function waits for its restore: Lambda takes its snapshot then."""
        self.restore = threading.Event()
        """To be set when the function may come back from the snapshot."""
        self.outcomes: dict[str, queue.Queue[Outcome]] = {}
        self.start: queue.Queue[Outcome] = queue.Queue()
        """What the function said of a start, or a restore, that failed."""
        self.connections = 0
        self._events: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._count = 0
        self._ended = False
        # A server of its own, because http.server would take longer than the function that is measured here.
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> RuntimeApi:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        # A thread that waits in accept holds the socket open; a connection lets it see that it is over.
        self._ended = True
        with suppress(OSError), socket.create_connection(self._listener.getsockname()):
            pass
        self._accepting.join(TIMEOUT_S)
        self._listener.close()

    def invoke(self, event: Any, timeout_s: float = TIMEOUT_S) -> Outcome:
        """Hand out an event; return its outcome."""
        return self.outcome(self.send(event), timeout_s)

    def send(self, event: Any) -> str:
        """Hand out an event; return its id."""
        self._count += 1
        id_ = f"8476a536-e9f4-11e8-9739-{self._count:012d}"
        self.outcomes[id_] = queue.Queue()
        content = event if isinstance(event, bytes) else json.dumps(event).encode()
        self._events.put((id_, content))
        return id_

    def outcome(self, id_: str, timeout_s: float = TIMEOUT_S) -> Outcome:
        return self.outcomes[id_].get(timeout=timeout_s)

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._ended:
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream, suppress(OSError):
            while line := stream.readline():
                method, path, _ = line.decode().split(" ")
                headers = {}
                while (line := stream.readline()) != b"\r\n":
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                content = stream.read(int(headers.get("content-length", "0")))
                if method == "GET":
                    self._give(connection, path)
                else:
                    self._take(connection, path, headers, content)

    def _give(self, connection: socket.socket, path: str) -> None:
        if path == f"{API}/restore/next":
            self.restoring.set()
            self.restore.wait(TIMEOUT_S)
            connection.sendall(_render(200, b""))
        elif path == f"{API}/invocation/next":
            self.asking.set()
            id_, content = self._events.get()
            self.asking.clear()
            connection.sendall(_render(200, content, _headers(id_), chunked=self.chunked))
        else:
            connection.sendall(_render(404, b"{}"))

    def _take(self, connection: socket.socket, path: str, headers: dict[str, str], content: bytes) -> None:
        where, _, kind = path.removeprefix(f"{API}/").rpartition("/")
        # The answer first: who has the outcome may end the function.
        connection.sendall(_render(202, b'{"status":"OK"}'))
        outcome = Outcome(kind, json.loads(content), headers)
        if where in ("init", "restore"):
            self.start.put(outcome)
        else:
            self.outcomes[where.removeprefix("invocation/")].put(outcome)


def _render(
    status: int, content: bytes, headers: dict[str, str] | None = None, *, chunked: bool = False
) -> bytes:
    lines = [f"HTTP/1.1 {status} OK", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
        half = len(content) // 2
        parts = [content[:half], content[half:], b""]
        content = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    else:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


def _headers(id_: str) -> dict[str, str]:
    return {
        "Lambda-Runtime-Aws-Request-Id": id_,
        "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 30_000),
        "Lambda-Runtime-Invoked-Function-Arn": ARN,
        "Lambda-Runtime-Trace-Id": f"Root=1-5bef4de7-{id_[-12:]}0000abcdef01;Parent=9a9197af755a6419;Sampled=1",
    }


class LambdaProcess:
    """A running function, and the lines that it wrote."""

    def __init__(self, process: subprocess.Popen[bytes], api: RuntimeApi) -> None:
        self.process = process
        self.api = api
        self.lines: list[str] = []
        assert process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[bytes]) -> None:
        # Lambda ends an event of the log at a line feed, and not at a carriage return.
        self.lines.extend(line.decode().rstrip("\n") for line in stream)

    def invoke(self, event: Any) -> Any:
        """Return the answer to an event; fails with the error, if that is what it is answered with."""
        outcome = self.api.invoke(event)
        assert outcome.kind == "response", (outcome.document, self.lines)
        return outcome.document

    def finish(self) -> int:
        """Wait for the process to end; return its exit code, its log complete."""
        code = self.process.wait(TIMEOUT_S)
        self._reader.join(TIMEOUT_S)
        return code

    def events(self) -> list[dict[str, Any]]:
        """End the function, as Lambda does; return its log's events."""
        self.process.kill()
        self.finish()
        return [json.loads(line) for line in self.lines if line.startswith("{")]


def environment(folder: Path, digest: str, api: RuntimeApi) -> dict[str, str]:
    """Return what Lambda and the deployment set."""
    return {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_FUNCTION_NAME": "predict",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "LAMBDA_TASK_ROOT": str(folder),
        "LASTMILE_MANIFEST_DIGEST": digest,
        "LASTMILE_ROUTING": json.dumps(routing()),
    }


HANDLER = "lastmile_runtime.adapters.aws.handler"


def command(runtime: str, folder: Path, handler: str = HANDLER) -> list[str]:
    """Return how a runtime starts the function of a bundle whose folder holds `lastmile_runtime`."""
    if runtime == BOOTSTRAP:
        # As Lambda calls an exec wrapper: with the command that it would run without one.
        wrapper = folder / "lastmile_runtime/adapters/aws_bootstrap"
        return [str(wrapper), sys.executable, "/var/runtime/bootstrap.py"]
    return [sys.executable, "-m", "awslambdaric", handler]


@contextmanager
def running(
    runtime: str,
    folder: Path,
    digest: str,
    *,
    chunked: bool = False,
    handler: str = HANDLER,
    environ: dict[str, str] | None = None,
) -> Iterator[LambdaProcess]:
    """Start a function of a bundle whose folder holds the runtime; `environ` is set in its environment too."""
    with RuntimeApi(chunked=chunked) as api:
        given = {**environment(folder, digest, api), **(environ or {})}
        if runtime == MANAGED:
            # Lambda's own runtime has the function's folder on its path.
            given["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
        process = subprocess.Popen(
            command(runtime, folder, handler),
            cwd=folder,
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with process:
            try:
                yield LambdaProcess(process, api)
            finally:
                process.kill()


def wait_until(condition: Callable[[], Any], timeout_s: float = TIMEOUT_S) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def make_bundle(folder: Path, source: str = DOUBLER, ids: tuple[str, ...] = ("v1",)) -> tuple[Path, str]:
    """Make a bundle of plain classes in a folder, with the runtime in it; return it and its digest."""
    made = folder / "bundle"
    copy_runtime(made)
    return made, python_bundle(made, source, ids)


def outputs(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a prediction's outputs; fails for an answer that is an error."""
    assert answer["statusCode"] == 200, answer
    return {tensor["name"]: tensor["data"] for tensor in json.loads(answer["body"])["outputs"]}
