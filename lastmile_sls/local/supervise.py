"""Starts, reaches and stops a deployment's host process."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from lastmile_sls import __version__
from lastmile_sls.errors import LastmileError
from lastmile_sls.files import make_private_folder
from lastmile_sls.local.home import Place

START_DEADLINE_S = 15.0
_ANSWER_DEADLINE_S = 20.0
_POLL_S = 0.02
_LOG_LINES = 5
_MAX_LOG_BYTES = 10 * 1024 * 1024


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


def is_current(place: Place) -> bool:
    """Tell whether the host lives and is of the version that is installed now."""
    live = ask(place, "status")
    return live is not None and live.get("version") == __version__


def ensure(place: Place) -> None:
    """Make sure that a host of this version runs and serves what the records say.

    Raises LastmileError with its last words when it does not.
    """
    if not is_current(place):
        stop(place)
    if not reload(place):
        _start(place)


def reload(place: Place) -> bool:
    """Let a running host take changed records up; return whether one runs then.

    A host whose last route is gone ends; this returns when it has. Raises LastmileError when it cannot serve them.
    """
    answer = ask(place, "reload")
    if answer is None:
        return False
    if answer.get("error"):
        raise LastmileError(answer["error"], answer.get("hint") or f"See {place.host_log}.")
    if answer.get("ending"):
        _wait_for_end(place)
        return False
    return True


def stop(place: Place) -> None:
    """End the host and its functions; requests in flight are answered first. Without a host, do nothing."""
    if ask(place, "stop") is not None:
        _wait_for_end(place)


def ask(place: Place, command: str) -> dict[str, Any] | None:
    """Send the host a command over its control socket and return its answer; None when no host runs.

    A host that starts is waited for, and so is one that ends. Raises LastmileError when it does not answer in 20 s.
    """
    deadline = time.monotonic() + _ANSWER_DEADLINE_S
    while is_running(place):
        try:
            return _ask_once(place, command)
        except (OSError, ValueError, KeyError) as error:
            if time.monotonic() > deadline:
                raise LastmileError(
                    f"the host of {place.deployment} does not answer: {error}.",
                    f"See {place.host_log}; ending its process and running `lastmile up` starts a new one.",
                ) from error
        time.sleep(_POLL_S)
    return None


def _ask_once(place: Place, command: str) -> dict[str, Any]:
    path = json.loads(place.host_file.read_text(encoding="utf-8"))["control"]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_ANSWER_DEADLINE_S)
        connection.connect(path)
        connection.sendall(command.encode() + b"\n")
        with connection.makefile("rb") as stream:
            answer: dict[str, Any] = json.loads(stream.readline())
            return answer


def _wait_for_end(place: Place) -> None:
    deadline = time.monotonic() + _ANSWER_DEADLINE_S
    while is_running(place):
        if time.monotonic() > deadline:
            raise LastmileError(
                f"the host of {place.deployment} did not end within {_ANSWER_DEADLINE_S:g} s.",
                f"See {place.host_log}, then end its process.",
            )
        time.sleep(_POLL_S)


def _start(place: Place) -> None:
    """Start the host detached, and wait until it answers. One that another run started meanwhile is as good."""
    log_start = _prepare_log(place)
    process = _spawn(place)
    deadline = time.monotonic() + START_DEADLINE_S
    while process.poll() is None and time.monotonic() < deadline:
        pid = _answering_pid(place)
        if pid == process.pid:
            return
        if pid is not None:
            break
        time.sleep(_POLL_S)
    process.kill()
    process.wait()
    if reload(place):
        return
    raise LastmileError(
        f"the host of {place.deployment} did not start: {_last_words(place.host_log, log_start)}",
        f"See {place.host_log}.",
    )


def _prepare_log(place: Place) -> int:
    make_private_folder(place.logs)
    log = place.host_log
    if log.exists() and log.stat().st_size > _MAX_LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    return log.stat().st_size if log.exists() else 0


def _spawn(place: Place) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "lastmile_sls.local.host", str(place.root)]
    descriptor = os.open(place.host_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as log:
        return subprocess.Popen(
            command, cwd=place.root, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _answering_pid(place: Place) -> int | None:
    try:
        return int(_ask_once(place, "status")["pid"])
    except (OSError, ValueError, KeyError):
        return None


def _last_words(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").strip().splitlines()
    return "\n".join(lines[-_LOG_LINES:]) or "it said nothing."
