"""Packs files into an image's layer: the same bytes whoever packs them, when, where and in which order they lie on disk."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import Self

from lastmile_sls.bundle.oci.descriptor import LAYER, Descriptor
from lastmile_sls.bundle.oci.gzip_writer import GzipWriter
from lastmile_sls.bundle.oci.new_file import new_file
from lastmile_sls.errors import LastmileError

_WHITEOUT = ".wh."
"""Files named so delete others when an image is unpacked (image specification, Whiteouts)."""


@dataclass(frozen=True)
class Layer:
    """A layer on disk."""

    name: str
    """What the image's history calls it."""
    path: Path
    digest: str
    """Of the compressed bytes: what registries know it by."""
    diff_id: str
    """Of the tar in it: what stands for its files, whichever zlib compressed them."""
    size: int
    """Compressed bytes."""
    media_type: str = LAYER

    @property
    def descriptor(self) -> Descriptor:
        """What a manifest says of it."""
        return Descriptor(self.media_type, self.digest, self.size)


def make_layer(
    source: Path,
    target: PurePosixPath,
    destination: Path,
    *,
    files: Iterable[str] | None = None,
    name: str = "",
) -> Layer:
    """Pack a folder, or some of its files, into a layer.

    Entries are sorted; times are the epoch, owners root, modes 0755 for folders and what its owner may execute, else
    0644. Symbolic links stay what they are. Folders above the target get no entry, so that those of the base
    image, which may be links, stay as they are. The layer's digest is the same wherever zlib compresses the same
    (zlib-ng and other versions may not); its diff_id is the same everywhere.

    Args:
        source: The folder.
        target: Where its files will be in the image; absolute.
        destination: A folder for layers; the file is named after its digest.
        files: The files and folders to take, relative to the source; by default all that is in it. Several layers may
            share a source, so that what changes seldom is pushed seldom.
        name: What the image's history calls the layer; by default its target.

    Raises LastmileError for what cannot be in a layer: a link that leads out of the source, a device, a whiteout's
    name; and when something cannot be read or written. Nothing is then left of the layer.
    """
    if not target.is_absolute() or ".." in target.parts:
        raise ValueError(f"the target {target} is not an absolute path without ..")
    names = _below(source, ".") if files is None else _chosen(source, files)
    with new_file(destination) as made:
        with GzipWriter(made.file) as writer:
            _pack(source, str(target).strip("/"), sorted(names), writer)
        path = made.keep_as(writer.digest.removeprefix("sha256:"))
    return Layer(name or str(target), path, writer.digest, writer.diff_id, writer.size)


def _below(source: Path, folder: str) -> set[str]:
    """Return all that is in a folder, relative to the source; links to folders are links."""

    def fail(error: OSError) -> None:
        raise _refuse(error.filename, str(error.strerror), "Mend it, then run again.")

    found = set()
    for path, folders, files in os.walk(source / folder, onerror=fail):
        found |= {(Path(path) / entry).relative_to(source).as_posix() for entry in (*folders, *files)}
    return found


def _chosen(source: Path, files: Iterable[str]) -> set[str]:
    """Return some files and folders, and the folders between them and the source, which must not be links."""
    found = set()
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError(f"the file {name!r} is not relative to the source without ..")
        folders = [folder for folder in path.parents if folder.parts]
        for folder in folders:
            if (source / folder).is_symlink():
                raise _refuse(
                    source / path, f"{folder} is a link", "Name the file by the folder that it is in."
                )
        found |= {str(part) for part in (path, *folders)}
        if (source / path).is_dir() and not (source / path).is_symlink():
            found |= _below(source, str(path))
    return found


def _pack(source: Path, root: str, names: list[str], writer: GzipWriter) -> None:
    with tarfile.TarFile(
        mode="w",
        fileobj=writer,  # type: ignore[arg-type]  # nothing is read while it writes
        format=tarfile.PAX_FORMAT,
        encoding="utf-8",
        copybufsize=2**20,
    ) as tar:
        if root:
            tar.addfile(_entry(root, tarfile.DIRTYPE, 0o755))
        for name in names:
            _add(tar, source, source / name, f"{root}/{name}" if root else name)


def _add(tar: tarfile.TarFile, source: Path, path: Path, placed: str) -> None:
    if path.name.startswith(_WHITEOUT):
        raise _refuse(path, "in an image, its name means a deletion", "Rename it.")
    try:
        status = path.lstat()
        link = str(path.readlink()) if stat.S_ISLNK(status.st_mode) else ""
    except OSError as error:
        raise _refuse(path, str(error.strerror), "Mend it, then run again.") from error
    match stat.S_IFMT(status.st_mode):
        case stat.S_IFDIR:
            tar.addfile(_entry(placed, tarfile.DIRTYPE, 0o755))
        case stat.S_IFLNK:
            _require_inside(source, path, link)
            entry = _entry(placed, tarfile.SYMTYPE, 0o777)
            entry.linkname = link
            tar.addfile(entry)
        case stat.S_IFREG:
            entry = _entry(placed, tarfile.REGTYPE, 0o755 if status.st_mode & stat.S_IXUSR else 0o644)
            entry.size = status.st_size
            with _Content(path) as content:
                tar.addfile(entry, content)
        case _:
            raise _refuse(path, "it is no file, folder or link", "Remove it.")


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)  # the epoch, root's
    entry.type = kind
    entry.mode = mode
    return entry


def _require_inside(source: Path, path: Path, link: str) -> None:
    """Refuse a link that leads out of the source, on the way or at its end: in the image, it would lead elsewhere."""
    parts = PurePosixPath(link).parts
    depth = len(path.parent.relative_to(source).parts)
    levels = accumulate((-1 if part == ".." else 1 for part in parts), initial=depth)
    end = Path(os.path.realpath(path))
    if link.startswith("/") or min(levels) < 0 or not end.is_relative_to(os.path.realpath(source)):
        raise _refuse(
            path, f"the link leads to {link}, out of {source}", "Put what it leads to in its place."
        )


class _Content:
    """A file to pack; what goes wrong in reading is not taken for a failure to write."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        try:
            self._file = self._path.open("rb")
        except OSError as error:
            raise _refuse(self._path, str(error.strerror), "Mend it, then run again.") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int = -1, /) -> bytes:
        try:
            content = self._file.read(size)
        except OSError as error:
            raise _refuse(self._path, str(error.strerror), "Mend it, then run again.") from error
        if len(content) < size:
            raise _refuse(
                self._path, "it became shorter while it was read", "Run again when nothing writes it."
            )
        return content


def _refuse(path: Path | str, why: str, hint: str) -> LastmileError:
    return LastmileError(f"{path} cannot be packed: {why}.", hint)
