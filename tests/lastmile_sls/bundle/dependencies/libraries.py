"""Libraries that tests make, as linkers and auditwheel lay them out, and what the loader reads of them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

LOAD, DYNAMIC, STACK = 1, 2, 0x6474E551
PROGBITS, SYMTAB, STRTAB, NOBITS = 1, 2, 3, 8
ALLOCATED = 2
SEGMENT, SECTION = struct.Struct("<IIQQQQQQ"), struct.Struct("<IIQQQQIIQQ")


@dataclass(frozen=True)
class Part:
    """A piece of a file: loaded into memory where it has an alignment, else a section of its own."""

    data: bytes
    name: str = ".text"
    kind: int = PROGBITS
    alignment: int = 0
    link: int = 0


def build(parts: Sequence[Part], *, kind: int = 3, names: str = ".shstrtab", tail: bytes = b"") -> bytes:
    """Return a library with a segment for each part that is loaded, and a section for every part, in that order.

    Section i + 1 is part i; the last is that of the names. The section headers come last, then `tail`.
    """
    loaded = [part for part in parts if part.alignment]
    texts = b"\0" + b"".join(part.name.encode() + b"\0" for part in parts) + names.encode() + b"\0"
    content = bytearray(64 + 56 * (len(loaded) + 1))
    segments, sections, address = [(STACK, 6, 0, 0, 0, 0, 0, 16)], [(0,) * 10], 0
    for part in [*parts, Part(texts, names, STRTAB)]:
        if part.alignment:
            address += 2 * part.alignment - address % part.alignment
            content += bytes((address + 8 - len(content)) % part.alignment)
            size = len(part.data)
            segments.append(
                (LOAD, 5, len(content), address + 8, address + 8, size, size + 16, part.alignment)
            )
            address += 8 + size
        flags, step = (ALLOCATED, 8) if part.alignment else (0, 1)
        where = segments[-1][3] if part.alignment else 0
        name = texts.index(b"\0" + part.name.encode() + b"\0") + 1
        sections.append((name, part.kind, flags, where, len(content), len(part.data), part.link, 0, step, 0))
        content += b"" if part.kind == NOBITS else part.data
    content += bytes(-len(content) % 8)
    at = len(content)
    content += b"".join(SECTION.pack(*section) for section in sections) + tail
    counts = (64, 56, len(segments), 64, len(sections), len(sections) - 1)
    head = (b"\x7fELF\x02\x01\x01" + bytes(9), kind, 62, 1, 0, 64, at, 0, *counts)
    struct.pack_into("<16sHHIQQQIHHHHHH", content, 0, *head)
    for number, segment in enumerate(segments):
        SEGMENT.pack_into(content, 64 + 56 * number, *segment)
    return bytes(content)


def loaded(content: bytes) -> list[tuple[int, int, bytes]]:
    """Return where the loader puts which bytes, after the checks that it makes itself."""
    at, size, count = struct.unpack_from("<Q", content, 32)[0], *struct.unpack_from("<HH", content, 54)
    found = []
    for number in range(count):
        kind, _, offset, address, _, length, memory, alignment = SEGMENT.unpack_from(
            content, at + size * number
        )
        if kind == LOAD:
            assert (address - offset) % alignment == 0
            assert offset + length <= len(content)
            found.append((address, memory, content[offset : offset + length]))
    return found


def sections(content: bytes) -> dict[str, bytes]:
    """Return the sections that are left, by name, as a debugger finds them."""
    at, count, names = struct.unpack_from("<Q", content, 40)[0], *struct.unpack_from("<HH", content, 60)
    headers = [SECTION.unpack_from(content, at + 64 * number) for number in range(count)]
    start = headers[names][4]
    return {
        content[start + header[0] : content.index(b"\0", start + header[0])].decode(): content[
            header[4] : header[4] + header[5]
        ]
        for header in headers
        if header[1] not in (0, NOBITS)
    }


CODE, DATA = Part(b"code" * 300, alignment=0x1000), Part(b"data" * 9, ".data", alignment=0x1000)
SYMBOLS, TEXTS = Part(b"s" * 9000, ".symtab", SYMTAB, link=3), Part(b"t" * 9000, ".strtab", STRTAB)


def linked(*names: str) -> bytes:
    """Return a library that loads others."""
    texts = b"\0" + b"".join(name.encode() + b"\0" for name in names)
    starts = [texts.index(b"\0" + name.encode() + b"\0") + 1 for name in names]
    at = 64 + 2 * 56
    dynamic = b"".join(
        struct.pack("<QQ", tag, value) for tag, value in [*((1, s) for s in starts), (5, 0x5000), (0, 0)]
    )
    head = (b"\x7fELF\x02\x01\x01" + bytes(9), 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 64, 0, 0)
    return b"".join(
        [
            struct.pack("<16sHHIQQQIHHHHHH", *head),
            SEGMENT.pack(LOAD, 4, at, 0x5000, 0x5000, len(texts), len(texts), 1),
            SEGMENT.pack(DYNAMIC, 4, at + len(texts), 0, 0, len(dynamic), len(dynamic), 8),
            texts,
            dynamic,
        ]
    )
