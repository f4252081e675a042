"""Reads UBJSON (draft 12, ubjson.org) as XGBoost writes it; long arrays of numbers are skipped, not kept."""

from __future__ import annotations

import struct
from typing import Any

_NUMBERS = {"i": "b", "U": "B", "I": "h", "l": "i", "L": "q", "d": "f", "D": "d"}
_CONSTANTS = {"T": True, "F": False, "Z": None}
_MAX_DEPTH = 64


class UbjsonError(ValueError):
    """The bytes are not UBJSON; the message says where."""


class Skipped:
    """Stands for an array of numbers that was not kept."""


def decode(content: bytes) -> Any:
    """Return the value in the bytes. Raises UbjsonError for bytes that are cut short, too deep or something else."""
    reader = _Reader(content)
    try:
        return reader.value(reader.marker(), 0)
    except (struct.error, UnicodeDecodeError) as error:
        raise UbjsonError(f"it is cut short or garbled near byte {reader.position}") from error


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.position = 0

    def marker(self) -> str:
        while (mark := self._take("c")) == b"N":
            pass
        return str(mark, "latin1")

    def value(self, mark: str, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise UbjsonError(f"it is nested more than {_MAX_DEPTH} deep")
        if mark in _NUMBERS:
            return self._take(_NUMBERS[mark])
        if mark in _CONSTANTS:
            return _CONSTANTS[mark]
        match mark:
            case "S":
                return self._text()
            case "C":
                return str(self._take("c"), "latin1")
            case "{":
                return self._object(depth)
            case "[":
                return self._array(depth)
            case _:
                raise UbjsonError(f"byte {self.position} is {mark!r}, which begins no value")

    def _object(self, depth: int) -> dict[str, Any]:
        kind, count = self._header()
        members: dict[str, Any] = {}
        while (count is not None and len(members) < count) or (count is None and not self._closes("}")):
            name = self._text()
            if name in members:
                raise UbjsonError(f"it has {name!r} twice in one object")
            members[name] = self.value(kind or self.marker(), depth + 1)
        return members

    def _array(self, depth: int) -> list[Any] | Skipped:
        kind, count = self._header()
        if kind in _NUMBERS and count is not None:
            self._skip(count * struct.calcsize(_NUMBERS[kind]))
            return Skipped()
        if count is not None and count > len(self.content) - self.position:
            raise UbjsonError(
                f"it announces {count} items, but has {len(self.content) - self.position} bytes left"
            )
        items: list[Any] = []
        while (count is not None and len(items) < count) or (count is None and not self._closes("]")):
            items.append(self.value(kind or self.marker(), depth + 1))
        return items

    def _header(self) -> tuple[str | None, int | None]:
        kind = self.marker() if self._closes("$") else None
        count = self._length() if self._closes("#") else None
        if kind and count is None:
            raise UbjsonError(f"it announces a type without a count at byte {self.position}")
        if kind in _CONSTANTS:
            # Any number of them takes no bytes: a small file could fill the memory.
            raise UbjsonError(f"it announces items of the type {kind!r} at byte {self.position}")
        return kind, count

    def _closes(self, mark: str) -> bool:
        found = self.content[self.position : self.position + 1] == mark.encode()
        self.position += found
        return found

    def _length(self) -> int:
        mark = self.marker()
        length = self._take(_NUMBERS[mark]) if mark in "iUIlL" else -1
        if length < 0:
            raise UbjsonError(f"it has no length at byte {self.position}")
        return int(length)

    def _text(self) -> str:
        length = self._length()
        start = self.position
        self._skip(length)
        return self.content[start : self.position].decode()

    def _skip(self, size: int) -> None:
        if size > len(self.content) - self.position:
            raise UbjsonError(f"it announces {size} bytes, but has {len(self.content) - self.position} left")
        self.position += size

    def _take(self, code: str) -> Any:
        (value,) = struct.unpack_from(f">{code}", self.content, self.position)
        self.position += struct.calcsize(code)
        return value
