"""Sees to it that a reader only reads: Python tells of whatever else is done, which is then stopped and remembered."""

from __future__ import annotations

import os
import resource
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

_HARMLESS = frozenset(
    (
        "array.__new__",
        "builtins.id",
        "mmap.__new__",
        "object.__getattr__",
        "object.__setattr__",
        "os.listdir",
        "os.scandir",
        "sys._getframe",
    )
)
"""Events of docs.python.org/3/library/audit_events.html that run nothing, import nothing and change nothing outside."""
_SPARE_BYTES = 192 << 20
_BYTES_PER_BYTE = 2000
"""A reader may take this much memory for each byte of a file."""


class Forbidden(BaseException):
    """A reader did something else than read. No reader catches it."""


class _Watch:
    def __init__(self) -> None:
        self.folder: str | None = None
        self.allowed: tuple[str, ...] = ()
        self.seen: list[str] = []

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.folder is None or event in _HARMLESS or (event == "open" and self._only_reads(*arguments)):
            return
        folder, self.folder = self.folder, None  # what looks at it must not be looked at
        try:
            told = " ".join((event, *map(str, arguments[:2])))
            if any(fnmatchcase(told, pattern) for pattern in self.allowed):
                return
            self.seen.append(told[:500])
        finally:
            self.folder = folder
        raise Forbidden(told[:500])

    def _only_reads(self, path: Any, mode: str | None, flags: int) -> bool:
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        told = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        # Which version of a package is installed stands in METADATA, in one of the places of sys.path.
        return not writes and (
            told.startswith(f"{self.folder}{os.sep}") or told.endswith("METADATA") or told in sys.path
        )


_watch = _Watch()
_hooked: list[bool] = []


@contextmanager
def only_reading(folder: Path, size: int, allowed: tuple[str, ...] = ()) -> Iterator[None]:
    """Raise AssertionError for whatever is not reading files in a folder, and for memory out of proportion.

    Args:
        folder: Where the reader may read.
        size: How large the file is (bytes).
        allowed: What else it may do: patterns of an event, followed by its first two arguments.
    """
    if not _hooked:
        sys.addaudithook(_watch.hook)
        _hooked.append(True)
    before = _peak_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # showing one reads the source
        _watch.folder, _watch.allowed, _watch.seen = str(folder), allowed, []
        try:
            yield
        except Forbidden:
            pass  # it was seen
        finally:
            _watch.folder = None
    assert not _watch.seen, f"it did something else than read: {'; '.join(_watch.seen)}"
    taken = _peak_bytes() - before
    assert taken < _SPARE_BYTES + size * _BYTES_PER_BYTE, f"{size} bytes took {taken} bytes of memory"


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
