"""Processes of the things that are measured: each in a session of its own, and all of it gone at the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass
class Running:
    """A process, and where what it says goes."""

    process: subprocess.Popen[bytes]
    log: Path
    processor_s: float = 0.0
    """User and system time of the process and its descendants; known at its end."""

    def last_words(self) -> str:
        """Return the end of its log, in one line."""
        text = self.log.read_bytes()[-2000:].decode(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return " ".join(lines[-3:])[-400:] or "it said nothing"


@contextmanager
def running(
    command: list[str],
    environ: Mapping[str, str],
    folder: Path,
    log: Path,
    core: int | None = None,
    stdin: int = subprocess.DEVNULL,
) -> Iterator[Running]:
    """Run a command, on one core if given, and end it with everything that it started.

    Args:
        command: What to run.
        environ: Its whole environment.
        folder: Its working folder.
        log: The file for its output.
        core: The only processor that it may use.
        stdin: As subprocess takes it.
    """
    allowed = os.sched_getaffinity(0)
    with log.open("wb") as stream:
        try:
            if core is not None:
                os.sched_setaffinity(0, {core})  # a child begins with its parent's
            process = subprocess.Popen(
                command,
                env=dict(environ),
                cwd=folder,
                stdin=stdin,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        finally:
            os.sched_setaffinity(0, allowed)
    found = Running(process, log)
    try:
        yield found
    finally:
        found.processor_s = _end(process)


def _end(process: subprocess.Popen[bytes]) -> float:
    """End a process and its descendants, some of which lead a session of their own; return their processor time."""
    descendants = _descendants(process.pid)
    theirs = sum(map(_processor_s, descendants))
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for descendant in descendants:
        with suppress(psutil.Error):
            descendant.kill()
    if process.returncode is not None:
        return 0.0
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.stdin:
        process.stdin.close()
    return usage.ru_utime + usage.ru_stime + theirs


def processor_s(process: subprocess.Popen[bytes]) -> float:
    """Return the user and system time of a running process and its descendants, in steps of a hundredth."""
    with suppress(psutil.Error):
        return sum(map(_processor_s, [psutil.Process(process.pid), *_descendants(process.pid)]))
    return 0.0


def _descendants(pid: int) -> list[psutil.Process]:
    with suppress(psutil.Error):
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
        return found
    return []


def _processor_s(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        return float(sum(process.cpu_times()[:4]))  # its own and its ended children's, user and system
    return 0.0


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nothing listens on."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@contextmanager
def object_store(folder: Path, log: Path) -> Iterator[str]:
    """Serve a folder over HTTP on loopback; its URL."""
    script = Path(__file__).parent / "object_store.py"
    (port,) = free_ports(1)
    command = [sys.executable, str(script), str(folder), "--port", str(port)]
    with running(command, os.environ, folder, log) as store:
        while store.process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                yield f"http://127.0.0.1:{port}"
                return
        raise RuntimeError(f"the object store ended: {store.last_words()}")
