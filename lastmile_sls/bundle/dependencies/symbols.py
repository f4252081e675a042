"""Leaves out of ELF files what only a debugger reads, for any processor.

What is loaded into memory keeps its bytes and its addresses: the rest of the file moves up by whole pages, as the loader
needs it. No tool that every user has does this for the other processor, and binutils' own strip can break libraries that
auditwheel has repaired (pypa/auditwheel#716).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from lastmile_sls.bundle.dependencies.elf import (
    HEADER,
    LOAD,
    SECTION,
    SEGMENT,
    STRINGS,
    SYMBOLS,
    Layout,
    Section,
    Segment,
    read_layout,
)

_RUNNABLE = (2, 3)
_ALLOCATED = 2
_DEBUG = (b".debug", b".zdebug", b".gdb_index")
_Ranges = Sequence[tuple[int, int]]
_Places = Sequence[tuple[int, int, int]]
"""Where each part of a file begins, ends, and begins anew; in order."""


def without_symbols(content: bytes) -> bytes:
    """Return an ELF file without its symbol table and debug sections, which the loader never reads.

    It stays as it is when it is no program or library of 64 bits, is not laid out as its headers say, or has data
    after its end, which its own program may look for there.
    """
    try:
        layout = read_layout(content)
        if layout is None or layout.kind not in _RUNNABLE or not 0 < layout.names < len(layout.sections):
            return content
        if layout.sections[layout.names].kind != STRINGS:
            return content
        unneeded = _unneeded(content, layout.sections, layout.names)
        shortened = _moved(content, layout, unneeded, _places(content, layout, unneeded))
    except (struct.error, ValueError):
        return content
    return shortened if len(shortened) < len(content) else content


def _unneeded(content: bytes, sections: Sequence[Section], names: int) -> set[int]:
    """Return the numbers of the sections that only a debugger reads."""

    def name(section: Section) -> bytes:
        start = sections[names].offset + section.name
        return content[start : content.index(b"\0", start)]

    loose = {
        i for i, section in enumerate(sections) if not section.flags & _ALLOCATED and i not in (0, names)
    }
    found = {i for i in loose if sections[i].kind == SYMBOLS or name(sections[i]).startswith(_DEBUG)}
    found -= {section.link for i, section in enumerate(sections) if i not in found}
    texts = {sections[i].link for i in found if sections[i].kind == SYMBOLS} & loose
    texts -= {section.link for i, section in enumerate(sections) if i not in found}
    return found | {i for i in texts if sections[i].kind == STRINGS}


def _places(content: bytes, layout: Layout, unneeded: set[int]) -> _Places:
    """Return what of a file is kept, and where. Raises ValueError where the file has more than its layout says."""
    kept = [section for number, section in enumerate(layout.sections) if number not in unneeded]
    used = [
        (0, HEADER.size),
        (layout.segments_at, layout.segments_at + SEGMENT.size * len(layout.segments)),
        (layout.sections_at, layout.sections_at + SECTION.size * len(layout.sections)),
        *((segment.offset, segment.offset + segment.size) for segment in layout.segments),
        *(section.range for section in kept),
    ]
    gone = [layout.sections[number].range for number in unneeded]
    end = max(stop for _, stop in (*used, *gone))
    if end > len(content) or content[end:].strip(b"\0"):
        raise ValueError
    return _closed_up(_without([(0, end)], _without(gone, used)), layout.segments, kept)


def _closed_up(blocks: _Ranges, segments: Iterable[Segment], sections: Iterable[Section]) -> _Places:
    """Move blocks towards the beginning, each by a multiple of what its parts need."""
    needs = [(s.offset, s.offset + s.size, s.alignment) for s in segments if s.kind == LOAD]
    needs += [(*section.range, section.alignment) for section in sections]
    places, free = [], 0
    for start, stop in blocks:
        step = max([8, *(need for first, last, need in needs if first < stop and start < last)])
        new = start - (start - free) // step * step
        places.append((start, stop, new))
        free = new + stop - start
    return places


def _moved(content: bytes, layout: Layout, unneeded: set[int], places: _Places) -> bytes:
    """Return the file with its parts at their places, and headers that say so."""

    def at(offset: int) -> int:
        return next((new + offset - start for start, _, new in reversed(places) if start <= offset), offset)

    result = bytearray(max(new + stop - start for start, stop, new in places))
    for start, stop, new in places:
        result[new : new + stop - start] = content[start:stop]
    header = list(HEADER.unpack_from(content))
    header[5], header[6] = at(layout.segments_at), at(layout.sections_at)
    HEADER.pack_into(result, 0, *header)
    for number, segment in enumerate(layout.segments):
        offset = at(segment.offset) if segment.size else segment.offset % max(segment.alignment, 1)
        SEGMENT.pack_into(result, header[5] + SEGMENT.size * number, *segment._replace(offset=offset))
    for number, section in enumerate(layout.sections):
        kept = Section(*[0] * 10) if number in unneeded else section._replace(offset=at(section.offset))
        SECTION.pack_into(result, header[6] + SECTION.size * number, *kept)
    return bytes(result)


def _without(ranges: _Ranges, taken: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what of some ranges is in no other, sorted, none of them empty."""
    left = sorted(ranges)
    for first, last in taken:
        cut = [part for start, stop in left for part in ((start, min(stop, first)), (max(start, last), stop))]
        left = [(start, stop) for start, stop in cut if start < stop] if first < last else left
    return left
