"""Requests that were answered later, and their answers, as files: how long they are kept."""

from __future__ import annotations

import contextlib
from pathlib import Path

_RESULT = ".result.json"
_LATER = (_RESULT, ".callback.json")
"""What the names of files end with that are written after a job's record."""


def forget_old(folder: Path, before: float) -> int:
    """Delete the jobs of which nothing was written since `before` (seconds since 1970); return how many.

    A job's answer goes before its record, so that no later job with the same idempotency-key can meet it.
    """
    count = 0
    for record in folder.glob("[!.]*.json"):
        id_ = record.name.partition(".")[0]
        later = [record.with_name(id_ + ending) for ending in _LATER]
        if record in later:
            # Its record was deleted, and then the host was killed.
            if not record.with_name(f"{id_}.json").exists():
                _delete(record, before)
        elif max(_written_at(record), *map(_written_at, later)) < before:
            for file in (*later, record):
                file.unlink(missing_ok=True)
            count += 1
    for half in folder.glob(".half-*"):  # left by a killed writer (lastmile_runtime.stores.file)
        _delete(half, before)
    return count


def _delete(path: Path, before: float) -> None:
    if _written_at(path) < before:
        path.unlink(missing_ok=True)


def _written_at(path: Path) -> float:
    """Return when a file was written; 0 when there is none."""
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime
    return 0.0
