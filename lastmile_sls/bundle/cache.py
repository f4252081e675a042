"""What was made once and is used again: folders by a key that says all that went into them.

A folder appears whole or not at all, and is never changed: who needs its files copies them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lastmile_sls.errors import LastmileError

KEPT_S = 30 * 86400
"""What nobody used for this long is removed."""
_KEY_CHARACTERS = 32


def find_cache(environ: Mapping[str, str]) -> Path:
    """Return the cache's folder: LASTMILE_CACHE, or `lastmile` below the user's caches."""
    if environ.get("LASTMILE_CACHE"):
        return Path(environ["LASTMILE_CACHE"])
    if environ.get("XDG_CACHE_HOME"):
        return Path(environ["XDG_CACHE_HOME"]) / "lastmile"
    return Path.home() / ".cache" / "lastmile"


def key_of(value: Any) -> str:
    """Return a key for a value of JSON's types: the same for the same content."""
    content = json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(content).hexdigest()[:_KEY_CHARACTERS]


class Cache:
    """Folders by kind and key."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def folder(self, kind: str, key: str, make: Callable[[Path], None]) -> Path:
        """Return the folder of a key; where there is none, have it made.

        Args:
            kind: What such folders hold.
            key: From `key_of`.
            make: Fills an empty folder; what it raises is passed on, and nothing is kept.

        Raises LastmileError when the cache cannot be written.
        """
        found = self._root / kind / key
        if found.is_dir():
            self._touch(found)
            return found
        try:
            found.parent.mkdir(parents=True, exist_ok=True)
            half = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=found.parent))
        except OSError as error:
            raise _unwritable(self._root, error) from error
        try:
            make(half)
            half.chmod(0o755)
            try:
                half.rename(found)
            except OSError:
                if not found.is_dir():  # somebody else was quicker, with the same content
                    raise
        except OSError as error:
            raise _unwritable(self._root, error) from error
        finally:
            shutil.rmtree(half, ignore_errors=True)
        return found

    def drop(self, kind: str, key: str) -> None:
        """Remove a folder, which is not what it was."""
        shutil.rmtree(self._root / kind / key, ignore_errors=True)

    def clean(self, now: float) -> None:
        """Remove what nobody used for long, and what interrupted builds left."""
        for path in self._root.glob("*/*"):
            try:
                if now - path.stat().st_mtime > KEPT_S:
                    shutil.rmtree(path, ignore_errors=True)
            except FileNotFoundError:
                continue

    def _touch(self, folder: Path) -> None:
        try:
            os.utime(folder)
        except OSError:
            return  # somebody else's cache is read all the same


class FileDigests:
    """The digests of files, which are read anew only when a file's size, time or inode changed."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known: dict[str, list[Any]] = {}
        try:
            known = json.loads(memory.read_text(encoding="utf-8"))
            self._known = known if isinstance(known, dict) else {}
        except (OSError, ValueError):
            pass  # they are computed anew
        self._used: dict[str, list[Any]] = {}

    def of(self, path: Path) -> str:
        """Return the SHA-256 of a file's content, or of a folder's files and their names. Raises OSError."""
        if not path.is_dir():
            return self._of_file(path)
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return key_of([[file.relative_to(path).as_posix(), self._of_file(file)] for file in files])

    def save(self) -> None:
        """Remember what was asked for."""
        if self._used == self._known:
            return
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            half = self._memory.with_name(f".{self._memory.name}.{os.getpid()}")
            half.write_text(json.dumps(self._used), encoding="utf-8")
            half.replace(self._memory)
        except OSError:
            return  # they are computed anew

    def _of_file(self, path: Path) -> str:
        state = path.stat()
        # A file that was written in the last moments may be written again within its time's resolution.
        settled = time.time_ns() - state.st_mtime_ns > 2_000_000_000
        mark = [state.st_size, state.st_mtime_ns, state.st_ino]
        name = str(path.resolve())
        known = self._known.get(name) or self._used.get(name)
        if isinstance(known, list) and known[:3] == mark:
            self._used[name] = known
            return str(known[3])
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if settled:
            self._used[name] = [*mark, digest]
        return digest


def _unwritable(root: Path, error: OSError) -> LastmileError:
    return LastmileError(
        f"the cache in {root} could not be written: {error.strerror or error}.",
        "Free space, or name another folder in LASTMILE_CACHE.",
    )
