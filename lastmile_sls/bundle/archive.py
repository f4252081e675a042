"""Zip archives whose bytes depend on their files' names and content alone, as Lambda and Azure Functions take them.

`zipfile` writes times and cannot take what is compressed already; a bundle's packages are compressed once and copied into
each archive that holds them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zipfile import ZipFile

from lastmile_sls.errors import LastmileError

LARGEST_BYTES = 0xFFFFFFFF
"""Beyond it other archives would be needed, which no cloud takes."""
MOST_FILES = 0xFFFF
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_DATE = 1 << 5 | 1
"""1 January 1980, the first day that an archive can name."""
_UTF8 = 1 << 11
_UNIX = 3 << 8
_VERSION = 20
_DEFLATED = 8
_STORED = 0
_FILE = 0o100000


@dataclass(frozen=True)
class _Entry:
    name: bytes
    mode: int
    method: int
    crc: int
    compressed: int
    size: int
    offset: int


class Archive:
    """An archive that is being written; its files must come sorted by name, each once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._entries: list[_Entry] = []
        self._position = 0

    def add(self, name: str, content: bytes, *, executable: bool = False) -> None:
        """Add a file. Raises LastmileError for what no archive holds."""
        packer = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = packer.compress(content) + packer.flush()
        method = _DEFLATED if len(packed) < len(content) else _STORED
        data = packed if method == _DEFLATED else content
        self._write(name, 0o755 if executable else 0o644, method, zlib.crc32(content), len(content), data)

    def copy(self, source: ZipFile, file: BinaryIO, prefix: str = "") -> None:
        """Add the files of an archive that this class wrote, as they are.

        Args:
            source: The archive.
            file: The same, opened to be read.
            prefix: What their names begin with here.
        """
        for info in source.infolist():
            file.seek(info.header_offset + _LOCAL.size + len(info.filename.encode()))
            data = file.read(info.compress_size)
            mode = info.external_attr >> 16 & 0o777
            self._write(prefix + info.filename, mode, info.compress_type, info.CRC, info.file_size, data)

    def close(self) -> None:
        """Write the directory at the end."""
        start = self._position
        for entry in self._entries:
            head = _CENTRAL.pack(
                *(b"PK\x01\x02", _UNIX | _VERSION, _VERSION, _UTF8, entry.method, 0, _DATE),
                *(entry.crc, entry.compressed, entry.size, len(entry.name), 0, 0, 0, 0),
                *((_FILE | entry.mode) << 16, entry.offset),
            )
            self._file.write(head + entry.name)
            self._position += len(head) + len(entry.name)
        count = len(self._entries)
        self._file.write(_END.pack(b"PK\x05\x06", 0, 0, count, count, self._position - start, start, 0))

    def _write(self, name: str, mode: int, method: int, crc: int, size: int, data: bytes) -> None:
        encoded = name.encode()
        if self._entries and encoded <= self._entries[-1].name:
            raise ValueError(f"{name} does not come after {self._entries[-1].name.decode()}")
        if self._position + len(data) + size > LARGEST_BYTES or len(self._entries) >= MOST_FILES:
            raise LastmileError(
                f"the bundle is too large for an archive at {name}: it holds 4 GB and {MOST_FILES} files.",
                "Deploy it as an image, or leave packages out.",
            )
        head = _LOCAL.pack(
            b"PK\x03\x04", _VERSION, _UTF8, method, 0, _DATE, crc, len(data), size, len(encoded), 0
        )
        self._file.write(head + encoded + data)
        self._entries.append(_Entry(encoded, mode, method, crc, len(data), size, self._position))
        self._position += len(head) + len(encoded) + len(data)


def write_archive(folder: Path, destination: Path, packed: Path | None = None, place: str = "") -> None:
    """Write a folder's files as an archive, whole or not at all.

    Args:
        folder: The folder.
        destination: The archive.
        packed: An archive of the files that the folder has below `place`, which are taken from there.
        place: Relative to the folder.

    Raises LastmileError when it cannot be written.
    """
    half = destination.with_name(f".{destination.name}.new")
    try:
        with half.open("wb") as file:
            archive = Archive(file)
            _fill(archive, folder, packed, f"{place}/")
            archive.close()
        half.replace(destination)
    except OSError as error:
        raise LastmileError(
            f"{destination} could not be written: {error.strerror or error}.", "Free space, then run again."
        ) from error
    finally:
        half.unlink(missing_ok=True)


def _fill(archive: Archive, folder: Path, packed: Path | None, prefix: str) -> None:
    names = sorted(_names(folder), key=str.encode)
    if packed is None:
        _add(archive, folder, names)
        return
    # What the prefix begins with is one run of the sorted names.
    own = [name for name in names if not name.startswith(prefix)]
    _add(archive, folder, (name for name in own if name.encode() < prefix.encode()))
    with packed.open("rb") as file, ZipFile(packed) as source:
        archive.copy(source, file, prefix)
    _add(archive, folder, (name for name in own if name.encode() > prefix.encode()))


def _add(archive: Archive, folder: Path, names: Iterable[str]) -> None:
    for name in names:
        path = folder / name
        archive.add(name, path.read_bytes(), executable=bool(path.stat().st_mode & 0o100))


def _names(folder: Path) -> Iterable[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
