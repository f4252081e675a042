"""Logs of functions and of the host: kept, bounded in size, and read."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from lastmile_sls.files import make_private_folder
from lastmile_sls.local.home import Place

MAX_BYTES = 10 * 1024 * 1024
KEPT_FILES = 3
"""The current one included."""
_POLL_S = 0.2


def _now() -> datetime:
    return datetime.now(UTC)


class _PrivateFiles(RotatingFileHandler):
    """Rotated files for their owner only, whatever the umask."""

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        os.fchmod(stream.fileno(), 0o600)
        return stream


class FunctionLog:
    """Writes a function's output, each line with its UTC time and the process that said it."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, clock: Callable[[], datetime] = _now) -> None:
        make_private_folder(path.parent)
        self._clock = clock
        self._handler = _PrivateFiles(
            path, maxBytes=max_bytes, backupCount=KEPT_FILES - 1, encoding="utf-8", errors="replace"
        )
        self._handler.setFormatter(logging.Formatter("%(message)s"))

    def write(self, pid: int | None, line: str) -> None:
        """Add a line."""
        stamp = self._clock().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        text = f"{stamp}Z [{pid}] {line}"
        self._handler.emit(logging.LogRecord("function", logging.INFO, "", 0, text, None, None))

    def close(self) -> None:
        """Close the file."""
        self._handler.close()


def log_file(place: Place, function: str) -> Path:
    """Return where a function's log is kept."""
    return place.logs / f"{function}.log"


def tail(path: Path, lines: int, *, follow: bool) -> Iterator[str]:
    """Return the last lines of a log; with `follow`, go on with what is added, across rotations, until interrupted."""
    file = _open(path)
    try:
        if file:
            yield from (line.rstrip("\n") for line in deque(file, maxlen=lines))
        while follow:
            time.sleep(_POLL_S)
            if file:
                yield from _whole_lines(file)
            if _is_another(path, file):
                if file:
                    file.close()
                file = _open(path)
    finally:
        if file:
            file.close()


def _open(path: Path) -> TextIO | None:
    try:
        return path.open(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _whole_lines(file: TextIO) -> Iterator[str]:
    """Return what was added, without a last line whose end is still to come."""
    while True:
        position = file.tell()
        line = file.readline()
        if not line.endswith("\n"):
            file.seek(position)
            return
        yield line.rstrip("\n")


def _is_another(path: Path, file: TextIO | None) -> bool:
    """Tell whether the log was rotated, or has only now come into being."""
    try:
        return file is None or not os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
