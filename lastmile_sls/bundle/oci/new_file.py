"""A file that is named after its content, so it has its name only once it is whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lastmile_sls.errors import LastmileError


class NewFile:
    """A file that is being written, under another name."""

    def __init__(self, folder: Path, file: IO[bytes]) -> None:
        self._folder = folder
        self.file = file

    def keep_as(self, name: str) -> Path:
        """Give the file its name, in place of one that has it already; return its path."""
        self.file.flush()
        return Path(self.file.name).replace(self._folder / name)


@contextmanager
def new_file(folder: Path) -> Iterator[NewFile]:
    """Write a file into a folder, which is made where it is missing; what was not kept is gone at the end.

    Raises LastmileError when it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".new-")
        os.close(descriptor)
        try:
            with Path(name).open("r+b") as file:
                yield NewFile(folder, file)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error


def cannot_write(place: Path, error: OSError) -> LastmileError:
    """Return what to tell when a place cannot be written."""
    return LastmileError(
        f"{place} could not be written: {error.strerror or error}.",
        "Free space or mend its rights, then run again.",
    )
