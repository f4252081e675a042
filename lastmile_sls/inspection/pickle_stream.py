"""Opens a pickle, compressed by joblib or not, so that no more is read than is there, or than is sane."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

from lastmile_sls.inspection.refused import RefusedPickleError

MAX_UNPACKED_BYTES = 2 << 30
"""What a compressed file may unpack to: a small one can otherwise fill the memory."""
_CHUNK_BYTES = 1 << 20
_LZ4 = b"\x04\x22\x4d\x18"


class Source(Protocol):
    """Something to read bytes from."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes."""


class PickleStream:
    """Reads bytes and lines in order; asking for more than there can be is refused before memory is taken."""

    def __init__(self, source: IO[bytes] | Source, limit_bytes: int) -> None:
        self._source = source
        self._left = limit_bytes
        self._ahead = b""

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer at the end."""
        if size and not self._left and not self._ahead:
            raise RefusedPickleError("it is cut short", "Save the model again.")
        if size > self._left + len(self._ahead):
            raise RefusedPickleError(f"it asks for {size} bytes where at most {self._left} are left")
        parts, wanted = [self._ahead[:size]], size - len(self._ahead[:size])
        self._ahead = self._ahead[size:]
        while wanted and (part := self._source.read(min(wanted, _CHUNK_BYTES))):
            parts.append(part)
            wanted -= len(part)
            self._left -= len(part)
        return b"".join(parts)

    def readline(self) -> bytes:
        """Return the bytes to the next line end, which is in them."""
        line = bytearray()
        while not line.endswith(b"\n") and (byte := self.read(1)):
            line += byte
        return bytes(line)

    def at_end(self) -> bool:
        """Tell whether nothing follows."""
        self._ahead = self._ahead or self._source.read(1)
        return not self._ahead


class _Deflated:
    """One zlib or gzip stream. joblib would read on into a second one; a model's file has none."""

    def __init__(self, file: IO[bytes], window_bits: int) -> None:
        self._file = file
        self._inflate = zlib.decompressobj(window_bits)

    def read(self, size: int, /) -> bytes:
        while not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._file.read(_CHUNK_BYTES)
            content = self._inflate.decompress(packed, size)
            if content or not packed:
                return content
        if self._inflate.unused_data or self._file.read(1):
            raise RefusedPickleError("it goes on after the model's end")
        return b""


def _lz4(file: IO[bytes]) -> Source:
    try:
        from lz4.frame import LZ4FrameFile  # type: ignore[import-not-found,unused-ignore]  # optional
    except ImportError as error:
        raise RefusedPickleError(
            "it is compressed with lz4, which is not installed", "pip install lz4"
        ) from error
    source: Source = LZ4FrameFile(file)
    return source


# The order and the first bytes that joblib goes by (joblib.compressor, 1.6).
_PACKERS: dict[bytes, Callable[[IO[bytes]], Source]] = {
    b"\x78": lambda file: _Deflated(file, zlib.MAX_WBITS),
    b"\x1f\x8b": lambda file: _Deflated(file, 16 + zlib.MAX_WBITS),
    b"BZ": bz2.BZ2File,
    b"\x5d\x00": lzma.LZMAFile,
    b"\xfd\x37\x7a\x58\x5a": lzma.LZMAFile,
    _LZ4: _lz4,
}


def unpacked(path: Path, file: IO[bytes]) -> PickleStream:
    """Return the stream of an open file's pickle. Raises RefusedPickleError for joblib's format from before 2016."""
    head = file.read(8)
    file.seek(0)
    if head.startswith(b"ZF"):
        raise RefusedPickleError(
            "it was written by joblib 0.9 or older, whose files are spread over several",
            "Load it with the joblib that made it, and save it with a newer one.",
        )
    for magic, unpack in _PACKERS.items():
        if head.startswith(magic):
            return PickleStream(unpack(file), MAX_UNPACKED_BYTES)
    return PickleStream(file, path.stat().st_size)
