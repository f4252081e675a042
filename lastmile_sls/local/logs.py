"""Logs of functions and of the host: kept, bounded in size, and read."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from lastmile_sls.local.home import Place

MAX_BYTES = 10 * 1024 * 1024
KEPT_FILES = 3
_POLL_S = 0.2


class FunctionLog:
    """Writes a function's output, each line with its UTC time and the process that said it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handler = RotatingFileHandler(
            path, maxBytes=MAX_BYTES, backupCount=KEPT_FILES, encoding="utf-8"
        )
        self._handler.setFormatter(logging.Formatter("%(message)s"))

    def write(self, pid: int | None, line: str) -> None:
        """Add a line."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
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
    position = 0
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from (line.rstrip("\n") for line in deque(file, maxlen=lines))
            position = file.tell()
    while follow:
        time.sleep(_POLL_S)
        if not path.exists():
            continue
        if path.stat().st_size < position:
            position = 0
        with path.open(encoding="utf-8", errors="replace") as file:
            file.seek(position)
            yield from (line.rstrip("\n") for line in file)
            position = file.tell()
