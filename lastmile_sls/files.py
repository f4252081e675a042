"""Files that hold state: written whole or not at all, for their owner only."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from lastmile_sls.errors import LastmileError


def write_private(path: Path, content: bytes) -> None:
    """Replace a file's content atomically, mode 0600, its folders 0700.

    Raises LastmileError when the disk is full or the place cannot be written; the old content then stands.
    """
    try:
        make_private_folder(path.parent)
        _replace(path, content)
    except OSError as error:
        raise LastmileError(
            f"{path} could not be written: {error.strerror}.",
            "Nothing was lost: the file is as it was. Free space or mend the folder's rights, then run again.",
        ) from error


def make_private_folder(folder: Path) -> None:
    """Make the folder and its missing parents, readable by their owner only."""
    for missing in reversed([f for f in (folder, *folder.parents) if not f.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def _replace(path: Path, content: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def size_of(path: Path) -> int:
    """Return how large a file is, or all files of a folder, bytes."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
