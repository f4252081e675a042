"""Sees from the outside when files are opened and closed: how far a start is, at no cost to it.

It rests on inotify, so Linux alone has it; elsewhere nothing is seen, and a start is one phase.
"""

from __future__ import annotations

import ctypes
import os
import select
import struct
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_IN_OPEN, _IN_CLOSE_NOWRITE, _IN_ISDIR = 0x20, 0x10, 0x4000_0000
_HEAD = struct.Struct("iIII")
_READ_BYTES = 1 << 16


@dataclass(frozen=True)
class Touch:
    """A file was opened, or closed."""

    at: float
    """When, by `time.perf_counter`."""
    path: Path
    opened: bool
    """False when it was closed."""


class Watch:
    """Looks at the files that lie directly in some folders; use it as a context manager."""

    def __init__(self, folders: Iterable[Path]) -> None:
        """Look at nothing yet.

        Args:
            folders: Those that do not exist are left out.
        """
        self.touches: list[Touch] = []
        """In order."""
        self._folders = [folder for folder in folders if folder.is_dir()]
        self._places: dict[int, Path] = {}
        self._reader: threading.Thread | None = None

    def __enter__(self) -> Watch:
        if sys.platform != "linux":
            return self
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._descriptor < 0:  # the system's limit of watches is reached
            return self
        for folder in self._folders:
            place = libc.inotify_add_watch(
                self._descriptor, os.fsencode(folder), _IN_OPEN | _IN_CLOSE_NOWRITE
            )
            if place >= 0:
                self._places[place] = folder
        self._wake_read, self._wake_write = os.pipe()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._reader is None:
            return
        os.write(self._wake_write, b"\0")
        self._reader.join()
        self._reader = None
        for descriptor in (self._descriptor, self._wake_read, self._wake_write):
            os.close(descriptor)

    def _read(self) -> None:
        while True:
            ready, _, _ = select.select([self._descriptor, self._wake_read], [], [])
            at = time.perf_counter()
            with suppress(BlockingIOError):
                self._note(os.read(self._descriptor, _READ_BYTES), at)
            if self._wake_read in ready:
                return

    def _note(self, events: bytes, at: float) -> None:
        start = 0
        while start < len(events):
            place, mask, _, length = _HEAD.unpack_from(events, start)
            start += _HEAD.size
            name = events[start : start + length].rstrip(b"\0")
            start += length
            if name and place in self._places and not mask & _IN_ISDIR:
                path = self._places[place] / os.fsdecode(name)
                self.touches.append(Touch(at, path, bool(mask & _IN_OPEN)))
