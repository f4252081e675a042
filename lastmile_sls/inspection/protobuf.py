"""Reads protocol buffers' wire format (protobuf.dev/programming-guides/encoding), one message at a time."""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10


class ProtobufError(ValueError):
    """The bytes are not a message."""


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield each field's number and value: an integer, or bytes (text or a message). Nothing is copied."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(kind)
        if kind == _BYTES:
            size, position = _varint(message, position)
        if size is None or number == 0 or size > len(message) - position:
            raise ProtobufError(f"it is cut short or garbled at byte {position}")
        yield number, message[position : position + size]
        position += size


def messages(message: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the messages in one repeated field."""
    for found, value in fields(message):
        if found == number and isinstance(value, memoryview):
            yield value


def text(message: memoryview, number: int) -> str:
    """Return a text field; empty when it is not there."""
    return "".join(bytes(value).decode("utf-8") for value in messages(message, number))


def integer(message: memoryview, number: int) -> int:
    """Return an integer field; 0 when it is not there."""
    return next((value for found, value in fields(message) if found == number and isinstance(value, int)), 0)


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(message[position : position + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    raise ProtobufError(f"it is cut short or garbled at byte {position}")
