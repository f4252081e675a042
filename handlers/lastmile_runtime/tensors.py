"""Tensors as plain Python values: checked when they come in, named and typed when they go out."""

from __future__ import annotations

from math import isfinite, isnan

from lastmile_runtime.errors import RequestError

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

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
FLOAT_LIMITS = {"FP16": 65504.0, "FP32": 3.4028234663852886e38, "FP64": 1.7976931348623157e308}
"""The largest finite numbers (IEEE 754)."""
DATATYPES = ("BOOL", *INTEGER_RANGES, *FLOAT_LIMITS, "BYTES")
_DATATYPES = frozenset(DATATYPES)
_FLOATS, _INTEGERS = {float}, {int}
_INFINITY = float("inf")
_WORDS = {None: float("nan"), "NaN": float("nan"), "Infinity": _INFINITY, "-Infinity": -_INFINITY}
"""What stands in JSON for the numbers that it does not have: null for a NaN, as KServe's and MLServer's writers
put it, and the words of protobuf's JSON mapping, which numpy reads as well."""
_KINDS: tuple[tuple[str, set[Any]], ...] = (
    ("FP64", {float, type(None)}),
    ("BOOL", {bool}),
    ("INT64", {int}),
    ("FP64", {int, float, type(None)}),
    ("BYTES", {str}),
)
"""The types of values that a datatype holds; of no values, it is the first."""
_PLAIN = {float, int, str, bool, bytes, list, tuple, type(None)}
"""What is not an array, whatever it holds."""
_EXACT: dict[str, set[Any]] = {"BOOL": {bool}, "BYTES": {str}}


class Tensor:
    """A named array: its datatype, its shape, and its values, flat, in row-major order. BYTES are `str` here."""

    __slots__ = ("data", "datatype", "name", "shape")

    def __init__(self, name: str, datatype: str, shape: list[int], data: list[Any]) -> None:
        self.name = name
        self.datatype = datatype
        self.shape = shape
        self.data = data

    def nested(self) -> Any:
        """Return the values nested as the shape says; of the shape [], the one value."""
        if not self.shape:
            return self.data[0]
        values: list[Any] = self.data
        for axis in range(len(self.shape) - 1, 0, -1):
            size = self.shape[axis]
            rows = product(self.shape[:axis])
            values = [values[row * size : (row + 1) * size] for row in range(rows)]
        return values

    def to_json(self) -> dict[str, Any]:
        """Return it as the protocol has it, its data flat; NaNs and infinities are still numbers in it."""
        return {"name": self.name, "shape": self.shape, "datatype": self.datatype, "data": self.data}


def read(entry: Any) -> Tensor:
    """Check one input of a request and return it. Raises RequestError (400) naming the tensor and the rule."""
    name, datatype, shape = read_head(entry)
    parameters = entry.get("parameters")
    if isinstance(parameters, dict) and "binary_data_size" in parameters:
        raise RequestError(
            400, f"input {name!r} is binary, but the request has no header inference-header-content-length."
        )
    if not isinstance(entry.get("data"), list):
        raise RequestError(
            400, f"input {name!r} has no data; it must be a list, flat or nested as its shape."
        )
    data = check_values(name, datatype, _flat(name, shape, entry["data"]))
    return Tensor(name, datatype, shape, data)


def read_head(entry: Any) -> tuple[str, str, list[int]]:
    """Return an input's name, datatype and shape. Raises RequestError (400)."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise RequestError(400, "each of inputs must be an object with a name.")
    name, datatype, shape = entry["name"], entry.get("datatype"), entry.get("shape")
    if type(datatype) is not str or datatype not in _DATATYPES:
        known = ", ".join(DATATYPES)
        raise RequestError(400, f"input {name!r} has the datatype {datatype!r}; it must be one of {known}.")
    if not isinstance(shape, list) or (shape and (set(map(type, shape)) != _INTEGERS or min(shape) < 0)):
        raise RequestError(400, f"input {name!r} has the shape {shape!r}; it must be a list of sizes from 0.")
    return name, datatype, shape


def _flat(name: str, shape: list[int], data: list[Any]) -> list[Any]:
    """Return data that is flat, or nested exactly as the shape says, as a flat list."""
    if len(shape) > 1 and list in set(map(type, data)):
        if len(data) != shape[0]:
            raise RequestError(
                400, f"input {name!r} has {len(data)} rows, but its shape {shape} says {shape[0]}."
            )
        for size in shape[1:]:
            if any(type(row) is not list or len(row) != size for row in data):
                raise RequestError(400, f"input {name!r} is not nested as its shape {shape} says.")
            data = [value for row in data for value in row]
    if len(data) != product(shape):
        raise RequestError(
            400, f"input {name!r} has {len(data)} values, but its shape {shape} takes {product(shape)}."
        )
    return data


def check_values(name: str, datatype: str, data: list[Any]) -> list[Any]:
    """Return the values of an input, those that stand for NaN and infinities as numbers.

    Raises RequestError (400) naming the first value that is not of the datatype.
    """
    kinds = set(map(type, data))
    if kinds == _FLOATS and datatype == "FP64":
        return data
    if limit := FLOAT_LIMITS.get(datatype):
        if kinds - {float, int}:
            data = [_number(value) for value in data]
        bad = _beyond(data, limit)
    elif datatype in INTEGER_RANGES:
        low, high = INTEGER_RANGES[datatype]
        ok = not kinds - {int} and (not data or (min(data) >= low and max(data) <= high))
        bad = [] if ok else [value for value in data if type(value) is not int or not low <= value <= high]
    else:
        bad = (
            [value for value in data if type(value) not in _EXACT[datatype]]
            if kinds - _EXACT[datatype]
            else []
        )
    if bad:
        shown = repr(bad[0])
        raise RequestError(
            400,
            f"input {name!r} has the value {shown if len(shown) < 80 else shown[:77] + '...'}, which is not {datatype}.",
        )
    return data


def _number(value: Any) -> Any:
    return _WORDS.get(value, value) if value is None or type(value) is str else value


def _beyond(data: list[Any], limit: float) -> list[Any]:
    """Return what is not a number of a float type; NaN and infinities are."""
    return [
        value
        for value in data
        if type(value) not in (float, int)
        or not (-limit <= value <= limit or (type(value) is float and not isfinite(value)))
    ]


def product(sizes: list[int]) -> int:
    """Return how many values a shape holds."""
    total = 1
    for size in sizes:
        total *= size
    return total


def from_nested(name: str, values: Any, datatype: str | None = None) -> Tensor:
    """Return what a Python class answered, nested lists, a numpy array or a single value, as a tensor.

    `datatype` is what the manifest declares; a float type is kept for whole numbers too, otherwise the datatype
    follows from the values. Raises ValueError when they are ragged, TypeError when they are not of one kind.
    """
    if hasattr(values, "tolist"):
        values = values.tolist()
    shape: list[int] = []
    level = [values]
    while level and isinstance(level[0], (list, tuple)):
        size = len(level[0])
        for row in level:
            if not isinstance(row, (list, tuple)) or len(row) != size:
                raise ValueError(f"output {name!r} is ragged")
        shape.append(size)
        level = list(level[0]) if len(level) == 1 else [value for row in level for value in row]
        if not _PLAIN.issuperset(map(type, level)):
            level = [value.tolist() if hasattr(value, "tolist") else value for value in level]
    kinds = set(map(type, level))
    if kinds == _FLOATS and datatype in (None, "FP64"):
        return Tensor(name, "FP64", shape or [1], level)
    if any(isinstance(value, (list, tuple)) for value in level):
        raise ValueError(f"output {name!r} is ragged")
    flat = [value.decode() if isinstance(value, bytes) else value for value in level]
    found = _datatype_of(name, flat)
    if datatype in FLOAT_LIMITS and found != "BYTES":
        found = datatype
    if found in FLOAT_LIMITS:
        flat = [float("nan") if value is None else value for value in flat]
    return Tensor(name, found, shape or [1], flat)


def _datatype_of(name: str, values: list[Any]) -> str:
    kinds = set(map(type, values))
    for datatype, members in _KINDS:
        if kinds <= members:
            return _integer_type(values) if datatype == "INT64" and values else datatype
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise TypeError(
        f"output {name!r} holds values of the types {names}; it may hold numbers, booleans or text"
    )


def _integer_type(values: list[Any]) -> str:
    low, high = min(values), max(values)
    for datatype in ("INT64", "UINT64"):
        least, most = INTEGER_RANGES[datatype]
        if least <= low and high <= most:
            return datatype
    return "FP64"


def finite(value: Any) -> Any:
    """Return what JSON can hold: a NaN becomes null, an infinity the word "Infinity" or "-Infinity"."""
    match value:
        case float() if not isfinite(value):
            return None if isnan(value) else "Infinity" if value > 0 else "-Infinity"
        case list():
            return [finite(entry) for entry in value]
        case dict():
            return {name: finite(entry) for name, entry in value.items()}
    return value
