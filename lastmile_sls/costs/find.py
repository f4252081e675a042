"""Which files a person means: those that they name, and those below a folder, looked for lazily and within limits."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lastmile_sls.errors import LastmileError

SUFFIXES = (".parquet", ".csv", ".csv.gz")
MOST_FILES = 5_000
MOST_ENTRIES = 100_000
"""How many entries of one folder are looked at before it is refused: listing them takes a fraction of a second here, a
hundred requests at an object store."""
_MANIFEST = "manifest.json"
_HINT = "Give files of FOCUS exports, .csv, .csv.gz or .parquet, a folder of them, or a URL that begins with s3://, gs:// or az://."


@dataclass(frozen=True)
class Found:
    """A file, of data or a manifest."""

    name: str
    """As the person knows it: a path or a URL."""
    path: Path
    """On this machine."""
    size: int
    """Bytes."""
    modified: datetime


@dataclass(frozen=True)
class Finding:
    """What there is to read."""

    files: tuple[Found, ...]
    manifests: tuple[Found, ...] = ()


def find(named: Sequence[Path]) -> Finding:
    """Return the files on this machine, those of folders in the order of their paths.

    Raises LastmileError for what is not there, cannot be read, is no such file, for a folder without any, or with too many.
    """
    files: dict[str, Found] = {}
    manifests: dict[str, Found] = {}
    for path in named:
        for found in _in_folder(path) if path.is_dir() else [_named(path)]:
            (manifests if is_manifest(found.name) else files)[os.path.realpath(found.path)] = found
            if len(files) > MOST_FILES:
                raise too_many(str(path), f"more than {MOST_FILES} files of costs")
    return Finding(tuple(files.values()), tuple(manifests.values()))


def is_data(name: str) -> bool:
    """Whether a name is that of a file with rows."""
    return name.lower().endswith(SUFFIXES)


def is_manifest(name: str) -> bool:
    """Whether a name is that of an export's manifest: AWS's `NAME-Manifest.json`, Azure's `manifest.json`."""
    return name.lower().endswith(_MANIFEST)


def too_many(place: str, what: str) -> LastmileError:
    """Return the refusal of a place with too much in it."""
    return LastmileError(
        f"{place} has {what}; nothing of it was read.",
        "Name the folder of the export, or of one billing period in it, or the files themselves.",
    )


def none_in(place: str, seen: int) -> LastmileError:
    """Return the refusal of a place without files of costs."""
    holds = "it is empty" if not seen else f"none of its {seen} files ends in .csv, .csv.gz or .parquet"
    return LastmileError(f"{place} holds no costs: {holds}.", _HINT)


def _named(path: Path) -> Found:
    if not path.exists():
        raise LastmileError(f"there is no {path}.", _HINT)
    if not is_data(path.name):
        raise LastmileError(
            f"{path} is no file of costs: its name does not end in .csv, .csv.gz or .parquet.", _HINT
        )
    found = _found(str(path), path)
    if not found.size:
        raise LastmileError(f"{path} is empty: 0 bytes.", "Export it again, or leave it out.")
    if not os.access(path, os.R_OK):
        raise LastmileError(f"{path} cannot be read.", "Give yourself the right to read it, or leave it out.")
    return found


def _in_folder(folder: Path) -> list[Found]:
    """Return a folder's files of data that are not empty, and its manifests."""
    found, entries = [], 0
    try:
        for entry in _walk(str(folder)):
            entries += 1
            if entries > MOST_ENTRIES:
                raise too_many(str(folder), f"more than {MOST_ENTRIES} entries")
            if is_data(entry.name) or is_manifest(entry.name):
                found.append(_found(entry.path, Path(entry.path)))
    except OSError as error:
        raise LastmileError(f"{folder} cannot be read: {error.strerror or error}.", _HINT) from error
    if not any(is_data(file.name) for file in found):
        raise none_in(str(folder), entries)
    return sorted((file for file in found if file.size), key=lambda file: file.name)


def _walk(folder: str) -> Iterator[os.DirEntry[str]]:
    """Go through the files below a folder as the system lists them; none whose name, or folder's, begins with a dot."""
    folders = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_file():
                yield entry
    for below in folders:
        yield from _walk(below)


def _found(name: str, path: Path) -> Found:
    status = path.stat()
    return Found(name, path, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))
