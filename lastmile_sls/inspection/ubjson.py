"""Reads UBJSON, as XGBoost writes it (ubjson.org, draft 12): values only, bounded, nothing is run."""

from __future__ import annotations

import struct
from typing import Any

_NUMBERS = {"i": ">b", "U": ">B", "I": ">h", "l": ">i", "L": ">q", "d": ">f", "D": ">d"}
_CONSTANTS = {"T": True, "F": False, "Z": None}
_MAX_DEPTH = 64


class NotUbjsonError(ValueError):
    """The bytes are not UBJSON."""


def loads(content: bytes) -> Any:
    """Return the value in the bytes. Raises NotUbjsonError. Long typed arrays are skipped and become their length."""
    return _Reader(content).value(depth=0)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = memoryview(content)
        self._at = 0

    def value(self, depth: int, marker: str = "") -> Any:
        if depth > _MAX_DEPTH:
            raise NotUbjsonError("nested too deeply")
        marker = marker or self._marker()
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker in _NUMBERS:
            return self._number(marker)
        match marker:
            case "S":
                return self._text()
            case "[":
                return self._array(depth)
            case "{":
                return self._object(depth)
        raise NotUbjsonError(f"unknown marker {marker!r}")

    def _take(self, size: int) -> memoryview:
        if size < 0 or self._at + size > len(self._content):
            raise NotUbjsonError("it ends too early")
        taken = self._content[self._at : self._at + size]
        self._at += size
        return taken

    def _marker(self) -> str:
        return chr(self._take(1)[0])

    def _peek(self) -> str:
        return chr(self._content[self._at]) if self._at < len(self._content) else ""

    def _number(self, marker: str) -> Any:
        form = _NUMBERS[marker]
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _length(self) -> int:
        marker = self._marker()
        if marker not in "iUIlL":
            raise NotUbjsonError(f"{marker!r} is no length")
        return int(self._number(marker))

    def _text(self) -> str:
        return bytes(self._take(self._length())).decode("utf-8", errors="replace")

    def _array(self, depth: int) -> Any:
        if self._peek() == "$":
            self._take(1)
            kind = self._marker()
            if kind not in _NUMBERS or self._marker() != "#":
                raise NotUbjsonError("a typed array needs a number type and a count")
            count = self._length()
            self._take(count * struct.calcsize(_NUMBERS[kind]))
            return count
        if self._peek() == "#":
            self._take(1)
            return [self.value(depth + 1) for _ in range(self._length())]
        items = []
        while (marker := self._marker()) != "]":
            items.append(self.value(depth + 1, marker))
        return items

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self._peek() == "#":
            self._take(1)
            for _ in range(self._length()):
                name = self._text()
                found[name] = self.value(depth + 1)
            return found
        while self._peek() != "}":
            name = self._text()
            found[name] = self.value(depth + 1)
        self._take(1)
        return found
