"""Reads ELF files, the format of Linux programs and libraries: whom they are for, what they load, how they are laid out."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

MAGIC = b"\x7fELF"
MACHINES = {"x86_64": 62, "arm64": 183}
"""The number of each processor (https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html)."""
LOAD, DYNAMIC = 1, 2
"""Kinds of segments."""
NULL, SYMBOLS, STRINGS, NO_BITS = 0, 2, 3, 8
"""Kinds of sections."""
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
SECTION = struct.Struct("<IIQQQQIIQQ")
_NAMES = {3: "x86", 40: "arm", 62: "x86_64", 183: "arm64", 243: "riscv"}
_NEEDED, _TEXTS = 1, 5
_RUNTIMES = (
    *("ld-linux", "libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libutil.so"),
    *("libresolv.so", "libnsl.so", "libanl.so", "libgcc_s.so", "libstdc++.so", "libz.so"),
)


class Segment(NamedTuple):
    """What the loader reads, in the order of the file."""

    kind: int
    flags: int
    offset: int
    address: int
    physical: int
    size: int
    memory: int
    alignment: int


class Section(NamedTuple):
    """What linkers and debuggers read, in the order of the file."""

    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry: int

    @property
    def range(self) -> tuple[int, int]:
        """Which bytes of the file it takes."""
        return self.offset, self.offset + (0 if self.kind in (NULL, NO_BITS) else self.size)


@dataclass(frozen=True)
class Layout:
    """Where everything is in a file."""

    kind: int
    """2: a program; 3: a library."""
    segments_at: int
    segments: list[Segment]
    sections_at: int
    sections: list[Section]
    names: int
    """Which section has the sections' names."""


def read_layout(content: bytes) -> Layout | None:
    """Return a file's layout; None for what is not of 64 bits and little-endian. Raises struct.error when it is cut."""
    if content[:7] != MAGIC + b"\x02\x01\x01":
        return None
    header = HEADER.unpack_from(content)
    segments_at, sections_at = header[5], header[6]
    segments = [Segment(*SEGMENT.unpack_from(content, segments_at + 56 * i)) for i in range(header[10])]
    sections = [Section(*SECTION.unpack_from(content, sections_at + 64 * i)) for i in range(header[12])]
    return Layout(header[1], segments_at, segments, sections_at, sections, header[13])


def machine(path: Path) -> int | None:
    """Return the number of the processor that a file is for; None for what is not ELF."""
    with path.open("rb") as file:
        head = file.read(20)
    if len(head) < 20 or not head.startswith(MAGIC):
        return None
    return int.from_bytes(head[18:20], "big" if head[5] == 2 else "little")


def machine_name(path: Path) -> str:
    """Return what people call the processor of an ELF file."""
    number = machine(path)
    return _NAMES.get(number or 0, f"processor {number}")


def foreign_binaries(folder: Path, processor: str) -> list[Path]:
    """Return the ELF files in a folder that `processor`, `x86_64` or `arm64`, cannot run."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return [path for path in files if machine(path) not in (None, MACHINES[processor])]


def system_libraries(folder: Path) -> dict[str, Path]:
    """Return the libraries that binaries in a folder load from outside of it, each with the first that does.

    Those of the C and C++ runtimes, which every image with CPython has, are not among them.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    inside = {path.name for path in files}
    found: dict[str, Path] = {}
    for path in files:
        if machine(path) is not None:
            for name in _needed(path.read_bytes()):
                if name not in inside and not name.startswith(_RUNTIMES):
                    found.setdefault(name, path)
    return dict(sorted(found.items()))


def _needed(content: bytes) -> list[str]:
    """Return the libraries that the loader looks for; none where the file is not understood."""
    try:
        layout = read_layout(content)
        if layout is None:
            return []
        pairs = [
            pair
            for segment in layout.segments
            if segment.kind == DYNAMIC
            for pair in struct.iter_unpack("<QQ", content[segment.offset :][: segment.size // 16 * 16])
        ]
        address = next(value for tag, value in pairs if tag == _TEXTS)
        texts = next(
            segment.offset + address - segment.address
            for segment in layout.segments
            if segment.kind == LOAD and segment.address <= address < segment.address + segment.size
        )
        starts = [texts + value for tag, value in pairs if tag == _NEEDED]
        return [content[start : content.index(b"\0", start)].decode("utf-8", "replace") for start in starts]
    except (struct.error, StopIteration, ValueError):
        return []
