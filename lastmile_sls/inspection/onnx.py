"""What an ONNX model says about itself. The file is read as bytes: no graph is built and nothing is run.

The numbers of fields and types are those of onnx.proto (github.com/onnx/onnx/blob/main/onnx/onnx.proto, IR 13).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts
from lastmile_sls.inspection.protobuf import ProtobufError, fields, integer, messages, text

NAME = "onnx"
LABEL = "ONNX"

MAX_BYTES = 2 << 30
"""A protocol buffer is no larger."""
_IR_VERSION_TAG = 0x08
_DATATYPES = {
    1: "FP32", 2: "UINT8", 3: "INT8", 4: "UINT16", 5: "INT16", 6: "INT32", 7: "INT64", 8: "BYTES", 9: "BOOL",
    10: "FP16", 11: "FP64", 12: "UINT32", 13: "UINT64",
}  # fmt: skip
_PRODUCER, _PRODUCER_VERSION, _GRAPH, _OPSETS = 2, 3, 7, 8
_NODES, _INITIALIZERS, _INPUTS, _OUTPUTS = 1, 5, 11, 12
_NODE_ATTRIBUTES, _TENSOR_NAME, _TENSOR_EXTERNAL = 5, 8, 13
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = (5, 10), (6, 11)
_TENSOR_TYPE, _SEQUENCE_TYPE, _MAP_TYPE = 1, 4, 5
_MAX_DEPTH = 16


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether a file is an ONNX model: it begins with a small IR version, and another field follows."""
    begins = len(head) > 3 and head[0] == _IR_VERSION_TAG and 0 < head[1] < 0x40
    return begins and (path.suffix == ".onnx" or head[2] in (0x12, 0x1A, 0x3A, 0x42))


def read(path: Path, *, trust: bool = False) -> ModelFacts:
    """Return what the model says.

    Raises LastmileError for a file that is cut short, has weights in other files, or an input of no known type.
    """
    if (size := path.stat().st_size) > MAX_BYTES:
        raise LastmileError(f"{path.name} has {size} bytes, but an ONNX file has at most {MAX_BYTES}.")
    model = memoryview(path.read_bytes())
    try:
        graph = _graph(model)
        _refuse_other_files(path, graph)
        return _describe(model, graph)
    except (ProtobufError, UnicodeDecodeError) as error:
        raise LastmileError(f"{path.name} is not a whole ONNX model: {error}.", "Export it anew.") from error


def _graph(model: memoryview) -> memoryview:
    for graph in messages(model, _GRAPH):
        return graph
    raise ProtobufError("it has no graph")


def _describe(model: memoryview, graph: memoryview) -> ModelFacts:
    constants = {text(tensor, _TENSOR_NAME) for tensor in messages(graph, _INITIALIZERS)}
    inputs = tuple(_column(value) for value in messages(graph, _INPUTS) if text(value, 1) not in constants)
    outputs = tuple(_column(value) for value in messages(graph, _OUTPUTS))
    opsets = ", ".join(f"{text(o, 1) or 'ai.onnx'} {integer(o, 2)}" for o in messages(model, _OPSETS))
    maker = f"{text(model, _PRODUCER)} {text(model, _PRODUCER_VERSION)}".strip() or "an unnamed program"
    return ModelFacts(
        framework=NAME,
        requirements=("onnxruntime",),
        inputs=inputs,
        outputs=outputs,
        notes=(f"Made by {maker}; operator sets: {opsets or 'not named'}.",),
    )


def _column(value: memoryview) -> ColumnFacts:
    name = text(value, 1)
    kinds = {number: part for kind in messages(value, 2) for number, part in fields(kind)}
    tensor = kinds.get(_TENSOR_TYPE)
    if isinstance(tensor, memoryview):
        return ColumnFacts(name, _datatype(name, integer(tensor, 1)), _shape(tensor))
    sequence = kinds.get(_SEQUENCE_TYPE)
    if isinstance(sequence, memoryview):
        for element in messages(sequence, 1):
            for mapping in messages(element, _MAP_TYPE):
                return ColumnFacts(name, _map_datatype(name, mapping), (-1, -1))
    raise ProtobufError(f"{name} is neither a tensor nor a list of dictionaries of numbers")


def _map_datatype(name: str, mapping: memoryview) -> str:
    """Return the type of a ZipMap's values: the runtime makes a matrix of them."""
    for value in messages(mapping, 2):
        for tensor in messages(value, _TENSOR_TYPE):
            return _datatype(name, integer(tensor, 1))
    raise ProtobufError(f"{name} holds dictionaries of no known type")


def _datatype(name: str, code: int) -> str:
    if code not in _DATATYPES:
        raise ProtobufError(
            f"{name} has the element type {code}, which the Open Inference Protocol has no name for"
        )
    return _DATATYPES[code]


def _shape(tensor: memoryview) -> tuple[int, ...]:
    for shape in messages(tensor, 2):
        sizes = [integer(size, 1) or -1 for size in messages(shape, 1)]
        return tuple(size if 0 < size < 1 << 31 else -1 for size in sizes)
    return (-1,)


def _refuse_other_files(path: Path, graph: memoryview) -> None:
    for tensor in _tensors(graph, 0):
        for entry in messages(tensor, _TENSOR_EXTERNAL):
            if text(entry, 1) == "location":
                raise LastmileError(
                    f"{path.name} keeps the tensor {text(tensor, _TENSOR_NAME)!r} in another file, "
                    f"{text(entry, 2)!r}, but a version is one file.",
                    "Save it as one: onnx.save(onnx.load(path), path, save_as_external_data=False)",
                )


def _tensors(graph: memoryview, depth: int) -> Iterator[memoryview]:
    """Yield every tensor of a graph and of the graphs in its nodes."""
    if depth > _MAX_DEPTH:
        raise ProtobufError(f"it has graphs in graphs, more than {_MAX_DEPTH} deep")
    yield from messages(graph, _INITIALIZERS)
    for node in messages(graph, _NODES):
        for attribute in messages(node, _NODE_ATTRIBUTES):
            for number in _ATTRIBUTE_TENSORS:
                yield from messages(attribute, number)
            for number in _ATTRIBUTE_GRAPHS:
                for inner in messages(attribute, number):
                    yield from _tensors(inner, depth + 1)
