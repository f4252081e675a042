"""Requests that were answered later, and their answers, as files: how long they are kept."""

from __future__ import annotations

import contextlib
from pathlib import Path

_RESULT = ".result.json"


def forget_old(folder: Path, before: float) -> int:
    """Delete the jobs of which nothing was written since `before` (seconds since 1970); return how many.

    A job's answer goes before its record, so that no later job with the same idempotency-key can meet it.
    """
    count = 0
    for record in folder.glob("[!.]*.json"):
        result = record.with_name(record.name.removesuffix(".json") + _RESULT)
        if record.name.endswith(_RESULT):
            # Its record was deleted, and then the host was killed.
            if not record.with_name(record.name.removesuffix(_RESULT) + ".json").exists():
                _delete(record, before)
        elif max(_written_at(record), _written_at(result)) < before:
            result.unlink(missing_ok=True)
            record.unlink(missing_ok=True)
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
