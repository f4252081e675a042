"""Starts a function's process as the host of the local target does, and talks to it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import lastmile_runtime
from tests.lastmile_runtime.bundles import MODEL, routing
from tests.ports import free_port

BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from lastmile_runtime.adapters.local import main; main()"
CONTAINER = BOOT.replace("local", "gcp")
INFER = f"/v2/models/{MODEL}/infer"


def copy_runtime(folder: Path) -> None:
    """Put the runtime's sources into a bundle's folder."""
    source = Path(lastmile_runtime.__file__).parent
    shutil.copytree(source, folder / "lastmile_runtime", ignore=shutil.ignore_patterns("__pycache__"))


class FunctionProcess:
    """A running function, its address, and the lines that it wrote."""

    def __init__(self, process: subprocess.Popen[str], address: Any) -> None:
        self.process = process
        self.address = address
        self.lines: list[str] = []
        assert process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[str]) -> None:
        self.lines.extend(line.rstrip("\n") for line in stream)

    def connect(self) -> socket.socket:
        family = socket.AF_INET if isinstance(self.address, tuple) else socket.AF_UNIX
        connection = socket.socket(family)
        connection.settimeout(30)
        connection.connect(self.address)
        return connection

    def wait_until_it_listens(self, timeout_s: float = 30) -> None:
        """Wait until a connection is accepted."""
        deadline = time.monotonic() + timeout_s
        while not self._listens():
            assert self.process.poll() is None, f"it ended: {self.lines}"
            assert time.monotonic() < deadline, "it does not listen"
            time.sleep(0.01)

    def _listens(self) -> bool:
        try:
            self.connect().close()
        except ConnectionRefusedError:
            return False
        return True

    def exchange(self, raw: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send bytes and return status, headers and body; the function closes the connection."""
        with self.connect() as connection:
            connection.sendall(raw)
            return parse(read_all(connection))

    def infer(self, body: Any) -> tuple[int, dict[str, str], Any]:
        status, headers, answer = self.exchange(post(body))
        return status, headers, json.loads(answer)

    def finish(self, timeout_s: float = 20) -> int:
        """Wait for the process to end; return its exit code, its log complete."""
        code = self.process.wait(timeout_s)
        self._reader.join(timeout_s)
        return code

    def kill(self) -> None:
        """End the process and its children, and read what it said to its end before anybody closes the pipe."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.finish()


def post(body: Any, path: str = INFER) -> bytes:
    content = json.dumps(body).encode()
    return (
        f"POST {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {len(content)}\r\n\r\n".encode()
        + content
    )


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """Read on a connection that stays open until what was read ends so."""
    received = b""
    while not received.endswith(end):
        chunk = connection.recv(65_536)
        assert chunk, received
        received += chunk
    return received


def read_all(connection: socket.socket) -> bytes:
    received = bytearray()
    while chunk := connection.recv(65_536):
        received += chunk
    return bytes(received)


def parse(raw: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split(" ")[1]), dict(line.split(": ", 1) for line in lines), body


def environment(folder: Path, digest: str, descriptor: int, concurrency: int = 1) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "LASTMILE_BUNDLE": str(folder),
        "LASTMILE_MANIFEST_DIGEST": digest,
        "LASTMILE_ROUTING": json.dumps(routing()),
        "LASTMILE_SOCKET_FD": str(descriptor),
        "LASTMILE_CONCURRENCY": str(concurrency),
        "LASTMILE_FUNCTION": "predict",
    }


@contextmanager
def running(
    folder: Path, digest: str, concurrency: int = 1, *, tcp: bool = False
) -> Iterator[FunctionProcess]:
    """Start the function of a bundle whose folder holds the runtime, on a Unix or a TCP socket."""
    # Unix sockets' paths are limited to about 100 bytes, which pytest's folders exceed.
    with (
        tempfile.TemporaryDirectory() as short,
        socket.socket(socket.AF_INET if tcp else socket.AF_UNIX) as listener,
    ):
        listener.bind(("127.0.0.1", 0) if tcp else f"{short}/s")
        listener.listen(1024)
        environ = environment(folder, digest, listener.fileno(), concurrency)
        argv = ["-I", "-c", BOOT, str(folder)]
        with _started(argv, folder, environ, listener.getsockname(), listener.fileno()) as function:
            yield function


@contextmanager
def _started(
    argv: list[str], folder: Path, environ: dict[str, str], address: Any, *handed_down: int
) -> Iterator[FunctionProcess]:
    """Start Python with these arguments, and kill what is left of it at the end."""
    process = subprocess.Popen(
        [sys.executable, *argv],
        cwd=folder,
        env=environ,
        pass_fds=handed_down,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        function = FunctionProcess(process, address)
        try:
            yield function
        finally:
            function.kill()


@contextmanager
def container(
    folder: Path, digest: str, argv: list[str] | None = None, **environ: str
) -> Iterator[FunctionProcess]:
    """Start a bundle as Cloud Run starts a container; by default through our own adapter."""
    port = int(environ.setdefault("PORT", str(free_port())))
    known = {
        "PATH": os.environ["PATH"],
        "K_SERVICE": "churn",
        "LASTMILE_BUNDLE": str(folder),
        "LASTMILE_MANIFEST_DIGEST": digest,
        "LASTMILE_ROUTING": json.dumps(routing()),
    }
    address = ("127.0.0.1", int(environ.get("AIP_HTTP_PORT", port)))
    argv = argv or ["-I", "-c", CONTAINER, str(folder)]
    with _started(argv, folder, {**known, **environ}, address) as function:
        yield function
