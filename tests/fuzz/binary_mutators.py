"""Changes pickles, operation by operation, and protocol buffers, field by field; as the others in `mutators`."""

from __future__ import annotations

import pickletools
import struct
import zlib
from random import Random
from typing import Any

from lastmile_sls.inspection import globals as table
from tests.fuzz.mutators import NUMBERS, Mutate


def pickled(content: bytes, chance: Random, mutate: Mutate) -> bytes:
    """Change the operations of a pickle, in a zlib stream or not."""
    if content.startswith(b"\x78"):
        try:
            inner = zlib.decompress(content)
        except zlib.error:
            return mutate(content)
        return mutate(content) if chance.random() < 0.2 else zlib.compress(pickled(inner, chance, mutate), 1)
    if chance.random() < 0.2:
        return mutate(content)
    codes = _operations(content)
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        at, other = chance.randrange(len(codes)), chance.randrange(len(codes))
        match chance.randrange(7):
            case 0 if len(codes) > 1:
                del codes[at]
            case 1:
                codes.insert(at, codes[other])
            case 2:
                codes[at], codes[other] = codes[other], codes[at]
            case 3:
                codes[at] = codes[other]
            case 4:
                codes[at] = mutate(codes[at])
            case _:
                codes.insert(at, _operation(chance))
    return b"".join(codes)


def _operations(content: bytes) -> list[bytes]:
    """Return the operations one by one; what follows raw bytes, as joblib has them, as one piece."""
    places: list[int] = []
    try:
        places += (place for _, _, place in pickletools.genops(content) if place is not None)
    except Exception:  # genops raises what it likes
        places.append(len(content))
    starts = sorted({0, *places})
    return [content[begin:end] for begin, end in zip(starts, [*starts[1:], len(content)], strict=True)] or [
        b""
    ]


_SIMPLE = [*(bytes([code]) for code in b"N)](}0d1tal2sbue\x81R\x85\x86\x87\x88\x89\x8f\x90\x91\x94.")]
_PAIRS = sorted({*table.CALLS, *table.CLASSES, *table.VALUES})


def _operation(chance: Random) -> bytes:
    match chance.randrange(5):
        case 0:
            return b"c" + "\n".join(chance.choice(_PAIRS)).encode() + b"\n"
        case 1:
            return b"h" + bytes([chance.randrange(40)])
        case 2:
            return b"J" + struct.pack("<i", chance.choice([0, 1, -1, 2, 1000, 2**31 - 1]))
        case 3:
            return b"G" + struct.pack(">d", float(chance.choice(NUMBERS)))
        case _:
            return chance.choice(_SIMPLE)


def protobuf(content: bytes, chance: Random, mutate: Mutate) -> bytes:
    """Change the fields of a message and of the messages in it."""
    root = _message(content, 0)
    if root is None or chance.random() < 0.2:
        return mutate(content)
    for _ in range(chance.choice([1, 1, 2, 4])):
        messages = [root]
        for message in messages:
            messages += (value for _, value in message if isinstance(value, list))
        message = chance.choice([message for message in messages if message] or [[]])
        if not message:
            return mutate(content)
        at = chance.randrange(len(message))
        number, value = message[at]
        match chance.randrange(6):
            case 0:
                del message[at]
            case 1:
                message.insert(at, message[chance.randrange(len(message))])
            case 2:
                message[at] = (chance.randrange(1, 26), value)
            case 3:
                message[at] = (number, chance.choice([0, 1, 2, 16, 2**31, 2**63, 2**64 - 1]))
            case 4 if isinstance(value, list):
                for _ in range(chance.choice([1, 20, 80])):
                    value = [(number, value)]
                message[at] = (number, value)
            case _:
                found = (
                    value if isinstance(value, bytes) else _written(value) if isinstance(value, list) else b""
                )
                message[at] = (number, mutate(found))
    return _written(root)


def _message(content: bytes, depth: int) -> list[tuple[int, Any]] | None:
    """Return the fields, those that look like messages as such; None for what is none."""
    found: list[tuple[int, Any]] = []
    at = 0
    try:
        while at < len(content):
            tag, at = _varint(content, at)
            if tag & 7 == 0:
                value, at = _varint(content, at)
                found.append((tag >> 3, value))
                continue
            size = {1: 8, 5: 4}.get(tag & 7)
            if tag & 7 == 2:
                size, at = _varint(content, at)
            if size is None or tag < 8 or at + size > len(content):
                return None
            part = content[at : at + size]
            at += size
            inner = _message(part, depth + 1) if len(part) > 1 and depth < 30 and tag & 7 == 2 else None
            found.append((tag >> 3, (tag & 7, part) if tag & 7 != 2 else part if inner is None else inner))
    except IndexError:
        return None
    return found


def _written(fields: list[tuple[int, Any]]) -> bytes:
    parts = []
    for number, value in fields:
        match value:
            case int():
                parts.append(_number(number << 3) + _number(value))
            case tuple():
                parts.append(_number(number << 3 | value[0]) + value[1])
            case _:
                part = _written(value) if isinstance(value, list) else value
                parts.append(_number(number << 3 | 2) + _number(len(part)) + part)
    return b"".join(parts)


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (content[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if content[at - 1] < 0x80:
            return value, at


def _number(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
