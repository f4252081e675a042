"""Changes files of a structured format so that they stay of it, mostly: what the fuzzer would hardly come upon.

Each takes the bytes, a source of chance and libFuzzer's own way to change bytes, and returns other bytes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from lastmile_sls.compile.readers import xgboost_file

Mutate = Callable[[bytes], bytes]
Mutator = Callable[[bytes, Random, Mutate], bytes]

NUMBERS: list[Any] = [
    0,
    1,
    -1,
    2,
    7,
    31,
    64,
    255,
    65535,
    65536,
    2**24 - 1,
    2**24,
    2**31,
    2**32,
    2**63,
    10**9,
    0.5,
    -0.0,
    1e-35,
    1e39,
    1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
]
_VALUES: list[Any] = [
    *NUMBERS,
    *(str(number) for number in NUMBERS),
    None,
    True,
    False,
    "",
    [],
    {},
    [0],
    [[]],
]


def plain(content: bytes, chance: Random, mutate: Mutate) -> bytes:
    """Leave it to libFuzzer."""
    return mutate(content)


def json_document(content: bytes, chance: Random, mutate: Mutate, tokens: Sequence[Any] = ()) -> bytes:
    """Change values of a JSON document."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return mutate(content)
    if chance.random() < 0.1:
        return mutate(content)
    changed = _changed(document, chance, tokens)
    return json.dumps(changed, separators=(",", ":")).encode("utf-8", "surrogatepass")


def ubjson_document(content: bytes, chance: Random, mutate: Mutate, tokens: Sequence[Any] = ()) -> bytes:
    """Change values of a UBJSON document."""
    try:
        document = xgboost_file._decode(content)
    except (ValueError, MemoryError):
        return mutate(content)
    if chance.random() < 0.3:
        return mutate(content)
    return ubjson(_changed(document, chance, tokens))


def _changed(document: Any, chance: Random, tokens: Sequence[Any]) -> Any:
    root = [document]
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        places = list(_places(root))
        holder, key = chance.choice(places)
        value = holder[key]
        match chance.randrange(8):
            case 0 | 1:
                holder[key] = _copy(chance.choice([*_VALUES, *tokens, *tokens]))
            case 2:
                other, name = chance.choice(places)
                holder[key] = _copy(other[name])
            case 3 if holder is not root:
                del holder[key]
            case 4 if isinstance(holder, list) and holder is not root:
                holder.insert(key, _copy(value))
            case 5 if isinstance(value, (int, float)):
                holder[key] = value + chance.choice([1, -1, 1, 0.5])
            case 6 if isinstance(value, str) and value:
                holder[key] = chance.choice(
                    [value + value, value[:-1], f"[{value}]", f"-{value}", f"{value}0"]
                )
            case 7 if isinstance(value, (dict, list)) and chance.random() < 0.2:
                for _ in range(chance.choice([1, 70])):
                    holder[key] = [holder[key]]
    return root[0]


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _places(holder: Any) -> list[tuple[Any, Any]]:
    found, open_ = [], [holder]
    while open_:
        at = open_.pop()
        keys = list(at) if isinstance(at, dict) else range(len(at))
        for key in keys:
            found.append((at, key))
            if isinstance(at[key], (dict, list)):
                open_.append(at[key])
    return found


def ubjson(value: Any) -> bytes:
    """Write a value as XGBoost writes it: numbers of one kind as a typed array."""
    match value:
        case None:
            return b"Z"
        case bool():
            return b"T" if value else b"F"
        case int() if -(2**63) <= value < 2**63:
            return b"L" + struct.pack(">q", value)
        case int() | float():
            return b"D" + struct.pack(">d", float(value))
        case str():
            return b"S" + _ubjson_text(value)
        case dict():
            return b"{" + b"".join(_ubjson_text(name) + ubjson(inner) for name, inner in value.items()) + b"}"
        case [*_] if value and all(type(item) is int and -(2**31) <= item < 2**31 for item in value):
            return b"[$l#L" + struct.pack(f">q{len(value)}i", len(value), *value)
        case [*_] if value and all(type(item) is float for item in value):
            return b"[$D#L" + struct.pack(f">q{len(value)}d", len(value), *value)
    return b"[" + b"".join(map(ubjson, value)) + b"]"


def _ubjson_text(text: str) -> bytes:
    content = text.encode("utf-8", "surrogatepass")
    return b"L" + struct.pack(">q", len(content)) + content


def lines(content: bytes, chance: Random, mutate: Mutate, tokens: Sequence[bytes] = ()) -> bytes:
    """Change lines, and the words of a line that are parted by blanks or stand behind a = or a comma."""
    if chance.random() < 0.3:
        return mutate(content)
    parts = content.split(b"\n")
    for _ in range(chance.choice([1, 1, 2, 4])):
        at, other = chance.randrange(len(parts)), chance.randrange(len(parts))
        match chance.randrange(7):
            case 0 if len(parts) > 1:
                del parts[at]
            case 1:
                parts.insert(at, parts[other])
            case 2:
                parts[at], parts[other] = parts[other], parts[at]
            case 3 if tokens:
                parts.insert(at, chance.choice(tokens))
            case 4:
                parts[at] = mutate(parts[at])
            case _:
                parts[at] = _line(parts[at], chance, tokens)
    return b"\n".join(parts)


def _line(line: bytes, chance: Random, tokens: Sequence[bytes]) -> bytes:
    parting = chance.choice([b" ", b"=", b",", b": ", b":"])
    words = line.split(parting)
    at = chance.randrange(len(words))
    match chance.randrange(4):
        case 0:
            del words[at]
        case 1:
            words.insert(at, words[chance.randrange(len(words))])
        case 2 if tokens:
            words[at] = chance.choice(tokens)
        case _:
            words[at] = str(chance.choice(NUMBERS)).encode()
    return parting.join(words)
