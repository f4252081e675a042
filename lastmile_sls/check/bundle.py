"""A built bundle as it is checked: its manifest, its size, the Python that it is made for, and a copy to run."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import FILE, Manifest, parse
from lastmile_sls.check.interpreter import Interpreter
from lastmile_sls.errors import LastmileError

RUNTIME = "lastmile_runtime"
_BUILD_AGAIN = "Build the bundle again: lastmile build."
_LEVEL = 1
"""Of compression: the quickest, for bundles of hundreds of megabytes."""


@dataclass(frozen=True)
class Size:
    """What a bundle takes (bytes)."""

    unpacked: int
    compressed: int
    """As a zip file at the quickest level of compression; tools that take their time make it a tenth smaller."""
    files: int


def read_manifest(folder: Path) -> Manifest:
    """Return what a bundle says of itself. Raises LastmileError for a folder that is no bundle."""
    try:
        return parse((folder / FILE).read_bytes())
    except OSError as error:
        told = f"{folder} is no bundle: {FILE} cannot be read: {error.strerror}."
        raise LastmileError(told, _BUILD_AGAIN) from error
    except BundleError as error:
        raise LastmileError(f"{folder} is no bundle: {error}", _BUILD_AGAIN) from error


def measure(folder: Path) -> Size:
    """Return a bundle's size, unpacked and as a zip file, which is not written."""
    files = list(_files(folder))
    sink = _Sink()
    with _zip(sink) as archive:
        for path in files:
            archive.write(path, path.relative_to(folder).as_posix())
    return Size(sum(path.stat().st_size for path in files), sink.size, len(files))


def _zip(sink: _Sink) -> zipfile.ZipFile:
    return zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL, strict_timestamps=False)


class _Sink:
    """Counts what is written, and forgets it."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, content: bytes) -> int:
        """Count bytes."""
        self.size += len(content)
        return len(content)

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def made_for_another(folder: Path, interpreter: Interpreter) -> str | None:
    """Return why a bundle was not made for an interpreter, naming the file; None when it was.

    Bytecode of another Python is compiled anew by each cold start, and extension modules of another do not load.
    """
    packs = sorted(path.name.partition(".")[2] for path in (folder / RUNTIME).glob("pack.*"))
    if packs and interpreter.cache_tag not in packs:
        return (
            f"its bytecode is for {', '.join(packs)}, but the interpreter is {interpreter.cache_tag} "
            f"({RUNTIME}/pack.{packs[0]})."
        )
    for path in _files(folder):
        tag = _tag(path.name)
        if tag and f".{tag}{path.suffix}" not in interpreter.extension_suffixes:
            wanted = interpreter.extension_suffixes[0]
            return f"{path.relative_to(folder).as_posix()} is made for {tag}, but the interpreter loads {wanted}."
    return None


def _tag(name: str) -> str | None:
    """Return the interpreter and platform in an extension module's name; None for a name without."""
    parts = name.split(".")
    if len(parts) > 2 and parts[-1] in ("so", "pyd") and parts[-2].startswith(("cpython-", "cp3", "pypy")):
        return parts[-2]
    return None


class Copy:
    """A bundle's copy, which its function may write to as little as the cloud's lets it: each start finds it as new."""

    def __init__(self, bundle: Path, folder: Path) -> None:
        """Copy a bundle to a folder, which must not exist."""
        shutil.copytree(bundle, folder, symlinks=True)
        self.folder = folder
        self._files = set(folder.rglob("*"))

    def add(self, source: Path) -> None:
        """Put a folder's files beside the bundle's, except those that it has."""
        for path in source.iterdir():
            place = self.folder / path.name
            if path.is_file() and not place.exists():
                shutil.copyfile(path, place)
                self._files.add(place)

    def refresh(self) -> None:
        """Take away what a function wrote, such as bytecode, which the cloud's read-only files never get."""
        for path in sorted(self.folder.rglob("*"), reverse=True):
            if path not in self._files:
                if path.is_dir() and not path.is_symlink():
                    path.rmdir()
                else:
                    path.unlink()
