"""Hosts one run of a program: serves the monitor on loopback, runs the program against it, handles ctrl-C."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from types import FrameType
from typing import IO

import grpc
from pulumi.runtime.proto import engine_pb2_grpc, resource_pb2_grpc

from lastmile_sls.engine.embedded.deployment import Deployment
from lastmile_sls.engine.embedded.monitor import Engine, Monitor, as_user_error
from lastmile_sls.engine.interface import EngineError, Event, OnEvent, Program

_COMMAND = (sys.executable, "-m", "lastmile_sls.engine.embedded.run_program")
_MESSAGE_LIMIT = [
    ("grpc.max_receive_message_length", 400 * 1024 * 1024),
    ("grpc.max_send_message_length", 400 * 1024 * 1024),
]


class Interrupted(EngineError):
    """The user stopped the run with ctrl-C."""


def run_program(
    program: Program, main: Path, deployment: Deployment, *, preview: bool, on_event: OnEvent
) -> None:
    """Run the program to its end against the deployment.

    Raises the first failure of a registration, else EngineError when the program itself failed, else
    Interrupted after ctrl-C, once the registration in progress has ended.
    """
    monitor = Monitor(deployment, program)
    engine = Engine(on_event)
    with _served(monitor, engine) as address:
        code = _run(_settings(program, main, address, preview=preview), program, monitor, on_event)
    monitor.wait()
    if monitor.failure:
        raise as_user_error(monitor.failure) from monitor.failure
    if code:
        raise EngineError("the Pulumi program failed.\n" + "\n".join(engine.errors).rstrip())


def _settings(program: Program, main: Path, address: str, *, preview: bool) -> bytes:
    return json.dumps(
        {
            "address": address,
            "project": program.project,
            "stack": program.stack,
            "preview": preview,
            "folder": str(program.folder.resolve()),
            "main": str(main.resolve()),
            "config": dict(program.config),
            "secret_config": sorted(program.secret_config),
        }
    ).encode()


@contextlib.contextmanager
def _served(monitor: Monitor, engine: Engine) -> Iterator[str]:
    server = grpc.server(futures.ThreadPoolExecutor(16), options=_MESSAGE_LIMIT)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None)


def _run(settings: bytes, program: Program, monitor: Monitor, on_event: OnEvent) -> int:
    # A session of its own keeps the terminal's ctrl-C from the program: the engine decides when it ends.
    process = subprocess.Popen(
        _COMMAND,
        cwd=program.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    reader = threading.Thread(target=_pass_on, args=(process.stdout, on_event), daemon=True)
    reader.start()
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(settings + b"\n")
        process.stdin.flush()
    try:
        with _interruptible():
            code = _wait(process, monitor)
    except Interrupted:
        monitor.stop()
        monitor.wait()
        raise
    finally:
        process.kill()
        process.wait()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        reader.join(timeout=5)
    return code


def _wait(process: subprocess.Popen[bytes], monitor: Monitor) -> int:
    """Wait for the program; once a registration has failed it has nothing left to do."""
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=0.1)
        if monitor.failure:
            return 1


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Turn ctrl-C and SIGTERM into Interrupted while the program runs (in the main thread only)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted(
            "stopped before the end; the step in progress was completed and noted.",
            "Run again to go on from there.",
        )

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _pass_on(stream: IO[bytes], on_event: OnEvent) -> None:
    for line in stream:
        on_event(Event("log", message=line.decode(errors="replace").rstrip()))
