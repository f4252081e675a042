"""Writes small ONNX models, in protobuf's wire format (onnx.proto3), so that the tests need no `onnx` package."""

from __future__ import annotations

import struct
from dataclasses import dataclass

FLOAT, INT64, STRING, DOUBLE = 1, 7, 8, 11
_VARINT, _BYTES = 0, 2


@dataclass(frozen=True)
class Array:
    """An input or output of a model."""

    name: str
    kind: int
    shape: tuple[int, ...]
    """-1: any size."""

    def encode(self) -> bytes:
        dims = b"".join(_bytes(1, _text(2, "n") if size < 0 else _number(1, size)) for size in self.shape)
        return _text(1, self.name) + _bytes(2, _bytes(1, _number(1, self.kind) + _bytes(2, dims)))


@dataclass(frozen=True)
class ClassScores:
    """An output that is a sequence of maps from class to score, as ZipMap makes it."""

    name: str

    def encode(self) -> bytes:
        scores = _number(1, INT64) + _bytes(2, _bytes(1, _number(1, FLOAT)))
        return _text(1, self.name) + _bytes(2, _bytes(4, _bytes(1, _bytes(5, scores))))


def node(
    operator: str, inputs: list[str], outputs: list[str], domain: str = "", attribute: bytes = b""
) -> bytes:
    names = b"".join(_text(1, name) for name in inputs) + b"".join(_text(2, name) for name in outputs)
    attributes = _bytes(5, attribute) if attribute else b""
    return names + _text(4, operator) + attributes + _text(7, domain)


def weights(name: str, shape: tuple[int, ...], values: list[float]) -> bytes:
    dims = b"".join(_number(1, size) for size in shape)
    return dims + _number(2, FLOAT) + _text(8, name) + _bytes(9, struct.pack(f"<{len(values)}f", *values))


def model(
    nodes: list[bytes],
    inputs: list[Array],
    outputs: list[Array | ClassScores],
    initializers: tuple[bytes, ...] = (),
) -> bytes:
    graph = b"".join(_bytes(1, content) for content in nodes) + _text(2, "graph")
    graph += b"".join(_bytes(5, content) for content in initializers)
    graph += b"".join(_bytes(11, array.encode()) for array in inputs)
    graph += b"".join(_bytes(12, array.encode()) for array in outputs)
    opsets = _bytes(8, _text(1, "") + _number(2, 13)) + _bytes(8, _text(1, "ai.onnx.ml") + _number(2, 1))
    return _number(1, 8) + opsets + _bytes(7, graph)


def linear() -> bytes:
    """y = x w + 1, from two columns to one, w = (10, 100)."""
    return model(
        [node("MatMul", ["x", "w"], ["p"]), node("Add", ["p", "one"], ["y"])],
        [Array("x", FLOAT, (-1, 2))],
        [Array("y", FLOAT, (-1, 1))],
        (weights("w", (2, 1), [10, 100]), weights("one", (1,), [1])),
    )


def identity(*arrays: Array) -> bytes:
    """Each input `name` as the output `name_out`."""
    return model(
        [node("Identity", [array.name], [f"{array.name}_out"]) for array in arrays],
        list(arrays),
        [Array(f"{array.name}_out", array.kind, array.shape) for array in arrays],
    )


def zipped() -> bytes:
    """The input `x` as scores of the classes 7 and 3."""
    classes = _text(1, "classlabels_int64s") + _number(8, 7) + _number(8, 3) + _number(20, 7)
    zip_map = node("ZipMap", ["x"], ["scores"], "ai.onnx.ml", classes)
    return model([zip_map], [Array("x", FLOAT, (-1, 2))], [ClassScores("scores")])


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(content)) + content


def _text(field: int, content: str) -> bytes:
    return _bytes(field, content.encode())


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
