"""An object's bytes in memory, a stretch at a time, and where in them lines end."""

from __future__ import annotations

import io

from lastmile_runtime.batch.pieces import FileRefused, Piece, Place

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lastmile_runtime.stores import Store

    FindEnd = Callable[[bytes, int], int | None]
    """Where in some bytes the first row ends that ends at or after a number of bytes; None when none does."""

MOST_ROW_BYTES = 1 << 20
"""A longer row is none: the file is something else."""
_FURTHER_BYTES = 1 << 16
BOM = b"\xef\xbb\xbf"


class Source:
    """An object of a known size."""

    def __init__(self, store: Store, path: str, size: int) -> None:
        self._store = store
        self._path = path
        self.size = size

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to before `end`, fewer at the object's end. Raises StoreError."""
        return b"".join(map(bytes, self._store.stream(self._path, start, min(end, self.size))))

    def pieces(self, piece_bytes: int, place: Place, find_end: FindEnd) -> Iterator[Piece]:
        """Cut what follows a place into pieces of at least so many bytes; an object without rows is one empty piece.

        Raises FileRefused for a row without an end, StoreError.
        """
        at, line, number = place.at, place.line, place.number
        while at < self.size or number == 0:
            content = self._piece(at, piece_bytes, find_end)
            yield Piece(number, at, at + len(content), line)
            at, line, number = at + len(content), line + content.count(b"\n"), number + 1

    def _piece(self, at: int, piece_bytes: int, find_end: FindEnd) -> bytes:
        """Return the bytes of the piece that begins at a place."""
        further = _FURTHER_BYTES
        while True:
            content = self.read(at, at + piece_bytes + further)
            if at + len(content) == self.size and len(content) <= piece_bytes:
                return content
            end = find_end(content, piece_bytes)
            if end is not None:
                return content[:end]
            if at + len(content) == self.size:
                return content
            if further >= MOST_ROW_BYTES:
                raise FileRefused(
                    f"the row that ends after byte {at + piece_bytes} has no end within {MOST_ROW_BYTES} bytes; "
                    "rows must end with a line feed."
                )
            further *= 4


class SourceFile(io.RawIOBase):
    """An object as a file that can be read anywhere, for libraries that read one themselves."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.size}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, fewer at the end. Raises StoreError."""
        end = self._source.size if size is None or size < 0 else self._at + size
        content = self._source.read(self._at, end)
        self._at += len(content)
        return content


def end_of_line(content: bytes, least: int) -> int | None:
    """Return where the first line ends that ends at or after so many bytes; None when none does."""
    end = content.find(b"\n", max(0, least - 1))
    return None if end < 0 else end + 1
