"""Starts, reaches and stops a deployment's host process."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.files import make_private_folder
from lastmile_sls.local.home import Place

START_DEADLINE_S = 20.0
_ANSWER_DEADLINE_S = 20.0
_LOG_LINES = 5


def is_running(place: Place) -> bool:
    """Tell whether the host lives: it holds a lock for as long as it does, so a pid given anew cannot mislead."""
    try:
        with place.host_lock.open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def ensure(place: Place) -> None:
    """Make sure that the host runs and serves what the records say. Raises LastmileError with its last words."""
    if is_running(place):
        reload(place)
    else:
        _start(place)


def reload(place: Place) -> None:
    """Let a running host take changed records up; without one there is nothing to do."""
    if is_running(place):
        answer = ask(place, "reload")
        if answer.get("error"):
            raise LastmileError(answer["error"], f"See {place.host_log}.")


def stop(place: Place) -> None:
    """End the host and its functions; requests in flight are answered first."""
    if is_running(place):
        ask(place, "stop")
        deadline = time.monotonic() + _ANSWER_DEADLINE_S
        while is_running(place) and time.monotonic() < deadline:
            time.sleep(0.02)


def ask(place: Place, command: str) -> dict[str, Any]:
    """Send the host a command over its control socket and return its answer."""
    try:
        path = json.loads(place.host_file.read_text(encoding="utf-8"))["control"]
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_ANSWER_DEADLINE_S)
            connection.connect(path)
            connection.sendall(command.encode() + b"\n")
            with connection.makefile("rb") as stream:
                answer: dict[str, Any] = json.loads(stream.readline())
                return answer
    except (OSError, ValueError, KeyError) as error:
        raise LastmileError(
            f"the host of {place.deployment} does not answer: {error}.",
            f"See {place.host_log}; ending its process and running `lastmile up` starts a new one.",
        ) from error


def _start(place: Place) -> None:
    make_private_folder(place.logs)
    place.host_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "lastmile_sls.local.host", str(place.root)]
    descriptor = os.open(place.host_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as log:
        start_of_log = log.tell()
        process = subprocess.Popen(
            command,
            cwd=place.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(LastmileError):
            answer = ask(place, "status") if place.host_file.exists() else None
            if answer is not None:
                return
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise LastmileError(
        f"the host of {place.deployment} did not start: {_last_words(place.host_log, start_of_log)}",
        f"See {place.host_log}.",
    )


def _last_words(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").strip().splitlines()
    return "\n".join(lines[-_LOG_LINES:]) or "it said nothing."
