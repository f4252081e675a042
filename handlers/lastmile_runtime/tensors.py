"""Tensors as plain Python values: checked when they come in, shaped when they go out."""

from __future__ import annotations

from typing import Any

from lastmile_runtime.errors import RequestError

INTEGER_RANGES = {
    "INT8": (-(2**7), 2**7 - 1),
    "INT16": (-(2**15), 2**15 - 1),
    "INT32": (-(2**31), 2**31 - 1),
    "INT64": (-(2**63), 2**63 - 1),
    "UINT8": (0, 2**8 - 1),
    "UINT16": (0, 2**16 - 1),
    "UINT32": (0, 2**32 - 1),
    "UINT64": (0, 2**64 - 1),
}
FLOATS = ("FP16", "FP32", "FP64")
DATATYPES = ("BOOL", *INTEGER_RANGES, *FLOATS, "BYTES")


class Tensor:
    """A named array: its datatype, its shape, and its values, flat, in row-major order."""

    __slots__ = ("data", "datatype", "name", "shape")

    def __init__(self, name: str, datatype: str, shape: list[int], data: list[Any]) -> None:
        self.name = name
        self.datatype = datatype
        self.shape = shape
        self.data = data

    def nested(self) -> Any:
        """Return the values nested as the shape says."""
        values: list[Any] = self.data
        for size in reversed(self.shape[1:]):
            values = [values[start : start + size] for start in range(0, len(values), size)] if size else []
        return values


def from_nested(name: str, values: Any) -> Tensor:
    """Return nested lists as a tensor; its datatype follows from the values. Raises ValueError when they are ragged."""
    shape: list[int] = []
    level = values
    while isinstance(level, (list, tuple)):
        shape.append(len(level))
        level = level[0] if level else None
    flat = flatten(values)
    if product(shape) != len(flat):
        raise ValueError(f"output {name!r} is ragged")
    return Tensor(name, datatype_of(flat), shape or [1], flat if shape else [values])


def datatype_of(values: list[Any]) -> str:
    """Return the datatype that holds all the values."""
    if all(isinstance(value, bool) for value in values):
        return "BOOL"
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return "INT64"
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return "FP64"
    return "BYTES"


def read(entry: Any) -> Tensor:
    """Check one input of a request and return it. Raises RequestError (400) naming the tensor and the rule."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise RequestError(400, "each of inputs must be an object with a name.")
    name, datatype, shape = entry["name"], entry.get("datatype"), entry.get("shape")
    if (entry.get("parameters") or {}).get("binary_data_size") is not None:
        raise RequestError(400, f"input {name!r} is binary, but this server takes JSON data only.")
    if datatype not in DATATYPES:
        known = ", ".join(DATATYPES)
        raise RequestError(
            400, f"input {name!r} has the datatype {datatype!r}, but it must be one of {known}."
        )
    if not isinstance(shape, list) or not all(
        isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in shape
    ):
        raise RequestError(400, f"input {name!r} has the shape {shape!r}, but it must be a list of sizes.")
    if not isinstance(entry.get("data"), list):
        raise RequestError(400, f"input {name!r} has no data; it must be a list.")
    data = flatten(entry["data"])
    if len(data) != product(shape):
        raise RequestError(
            400, f"input {name!r} has {len(data)} values, but its shape {shape} takes {product(shape)}."
        )
    _check(name, datatype, data)
    return Tensor(name, datatype, shape, data)


def _check(name: str, datatype: str, data: list[Any]) -> None:
    for value in data:
        if datatype in FLOATS:
            good = isinstance(value, (int, float)) and not isinstance(value, bool)
        elif datatype == "BYTES":
            good = isinstance(value, str)
        elif datatype == "BOOL":
            good = isinstance(value, bool)
        else:
            low, high = INTEGER_RANGES[datatype]
            good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        if not good:
            raise RequestError(400, f"input {name!r} has the value {value!r}, which is not {datatype}.")


def flatten(values: Any) -> list[Any]:
    """Return nested lists as one flat list, row-major."""
    if not isinstance(values, (list, tuple)):
        return [values]
    if not any(isinstance(value, (list, tuple)) for value in values):
        return list(values)
    flat: list[Any] = []
    for value in values:
        flat.extend(flatten(value))
    return flat


def product(sizes: list[int]) -> int:
    """Return how many values a shape holds."""
    total = 1
    for size in sizes:
        total *= size
    return total


def as_rows(tensors: list[Tensor], columns: list[str]) -> list[list[Any]]:
    """Return a table's rows, from one two-dimensional tensor or from one tensor per column.

    Raises RequestError (400) when the tensors are neither.
    """
    width = len(columns)
    if len(tensors) == 1 and len(tensors[0].shape) == 2 and (width != 1 or tensors[0].name != columns[0]):
        (tensor,) = tensors
        if tensor.shape[1] != width:
            raise RequestError(
                400, f"input {tensor.name!r} has {tensor.shape[1]} columns, but the model takes {width}."
            )
        return [tensor.data[start : start + width] for start in range(0, len(tensor.data), width)]
    by_name = _by_name(tensors, columns)
    rows = {len(tensor.data) for tensor in tensors}
    if len(rows) != 1:
        raise RequestError(400, f"the inputs have different numbers of rows: {sorted(rows)}.")
    return [list(row) for row in zip(*(by_name[column].data for column in columns), strict=True)]


def _by_name(tensors: list[Tensor], columns: list[str]) -> dict[str, Tensor]:
    by_name = {tensor.name: tensor for tensor in tensors}
    unknown = [name for name in by_name if name not in columns]
    missing = [column for column in columns if column not in by_name]
    if unknown or missing:
        told = f"unknown inputs: {unknown[:5]}; " if unknown else ""
        told += f"missing inputs: {missing[:5]}; " if missing else ""
        raise RequestError(
            400, f"{told}send one tensor of shape [rows, {len(columns)}], or one tensor per column."
        )
    for tensor in tensors:
        if tensor.shape not in ([len(tensor.data)], [len(tensor.data), 1]):
            raise RequestError(
                400,
                f"input {tensor.name!r} has the shape {tensor.shape}, but a column is [rows] or [rows, 1].",
            )
    return by_name
