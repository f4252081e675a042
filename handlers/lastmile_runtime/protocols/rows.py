"""Rows, columns and CSV, as data frames are sent, made into the tensors of a version's signature.

A table model (`Version.columns`) is given one matrix [rows, columns] where the rows come in its columns' order, else
one tensor per column, which may be fewer than it takes: its contract may put in the rest. Any other model is given its
inputs by name, each with the rows along its first axis.
"""

from __future__ import annotations

from lastmile_runtime.errors import RequestError
from lastmile_runtime.manifest import TensorSpec
from lastmile_runtime.protocols.cells import is_binary, read_texts, to_tensor

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.manifest import Version
    from lastmile_runtime.tensors import Tensor

_UNNAMED = "input"
"""What the only input is called when neither the request nor the model says it."""


def from_instances(instances: Any, version: Version) -> list[Tensor]:
    """Return the inputs for a list of rows, as KServe and TensorFlow Serving send them.

    A row is an object of values by name; a list of values in the order of the model's columns or inputs; or, for a
    model with one input, that input's value. Raises RequestError (400) naming the row.
    """
    if not isinstance(instances, list) or not instances:
        raise RequestError(400, "instances must be a list of at least one row.")
    if all(type(row) is dict and not is_binary(row) for row in instances):
        return from_records(instances, version)
    names = _names(version)
    if version.columns or len(names) > 1:
        return _from_lists(names, instances, version)
    name = names[0] if names else _UNNAMED
    return [to_tensor(name, instances, _spec(version, name))]


def from_records(records: Any, version: Version) -> list[Tensor]:
    """Return the inputs for a list of objects, values by name; one that a row lacks is no value.

    Raises RequestError (400) naming the row.
    """
    if not isinstance(records, list) or not records:
        raise RequestError(400, "the records must be a list of at least one object.")
    for index, record in enumerate(records):
        if type(record) is not dict or not record:
            raise RequestError(400, f"row {index} must be an object of values by name.")
    names = _names(version) or list(records[0])
    known = set(names)
    for index, record in enumerate(records):
        for name in record.keys() - known:
            told = f"row {index} has the unknown input {name!r}; the inputs are {_some(names)}."
            raise RequestError(400, told)
    given = [name for name in names if any(name in record for record in records)]
    return from_columns({name: [record.get(name) for record in records] for name in given}, version)


def from_split(frame: Any, version: Version) -> list[Tensor]:
    """Return the inputs for a data frame in pandas' `split` orientation: columns, index (not read), data.

    Without columns, or with pandas' default ones (0, 1, ...), values are in the model's order.
    Raises RequestError (400).
    """
    if not isinstance(frame, dict) or not isinstance(frame.get("data"), list) or not frame["data"]:
        raise RequestError(
            400, "a data frame must be an object with columns and data, a list of at least one row."
        )
    columns, rows = frame.get("columns"), frame["data"]
    if columns is None or (isinstance(columns, list) and columns == list(range(len(columns)))):
        return from_instances(rows, version)
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise RequestError(400, "columns must be a list of names.")
    if len(set(columns)) < len(columns):
        raise RequestError(400, "columns has a name twice.")
    return (
        from_instances(rows, version)
        if _is_unknown(columns, version)
        else _from_lists(columns, rows, version)
    )


def from_columns(columns: Any, version: Version) -> list[Tensor]:
    """Return the inputs for an object of lists by name. Raises RequestError (400)."""
    if not isinstance(columns, dict) or not columns:
        raise RequestError(400, "the columns must be an object of lists by name.")
    return [to_tensor(name, values, _spec(version, name)) for name, values in columns.items()]


def from_inputs(inputs: Any, version: Version) -> list[Tensor]:
    """Return the inputs for MLflow's and KServe's `inputs`: an object of lists by name, or rows."""
    return from_columns(inputs, version) if isinstance(inputs, dict) else from_instances(inputs, version)


def from_csv(text: str, version: Version, *, header: bool) -> list[Tensor]:
    """Return the inputs for CSV (RFC 4180), with the columns' names in its first line or in the model's order.

    An empty field is no value, a text where the model takes text. Raises RequestError (400).
    """
    rows = _read_csv(text)
    columns = rows.pop(0) if header and rows else None
    if not rows:
        raise RequestError(400, "the CSV has no row.")
    if columns is not None and len(set(columns)) < len(columns):
        raise RequestError(400, "the CSV's first line has a name twice.")
    return from_texts(columns, rows, version)


def from_texts(columns: list[str] | None, rows: list[list[str]], version: Version) -> list[Tensor]:
    """Return the inputs for rows of CSV's fields, in the order of `columns`, or without them in the model's.

    Raises RequestError (400).
    """
    names = _names(version)
    if columns is None or _is_unknown(columns, version):
        if not version.columns and len(names) < 2:
            return [_one_tensor(names[0] if names else _UNNAMED, rows, version)]
        columns = names
    _require_width(columns, rows)
    matrix = _matrix(version)
    if matrix and columns == version.columns and matrix.datatype not in ("BOOL", "BYTES"):
        flat = read_texts([text for row in rows for text in row], matrix.datatype)
        width = len(columns)
        nested = [flat[start : start + width] for start in range(0, len(flat), width)]
        return [to_tensor(matrix.name, nested, matrix)]
    typed = {}
    for name, values in zip(columns, zip(*rows, strict=True), strict=True):
        spec = _spec(version, name)
        typed[name] = read_texts(list(values), spec.datatype if spec else None)
    if columns == version.columns and _matrix(version):
        return _from_lists(columns, [list(row) for row in zip(*typed.values(), strict=True)], version)
    return from_columns(typed, version)


def used_columns(columns: list[str], version: Version) -> list[str]:
    """Return those of a table's columns that a version takes, in its order; all where it names none."""
    if not _names(version) or _is_unknown(columns, version):
        return columns
    return [name for name in _names(version) if name in columns]


def missing_columns(columns: list[str], version: Version) -> list[str]:
    """Return the columns that a version takes and a table has not."""
    return [] if _is_unknown(columns, version) else [name for name in _names(version) if name not in columns]


def _from_lists(columns: list[str], rows: list[Any], version: Version) -> list[Tensor]:
    """Return the inputs for lists of values in the order of `columns`; of one column, the values themselves do."""
    if len(columns) == 1:
        rows = [row if type(row) is list else [row] for row in rows]
    _require_width(columns, rows)
    matrix = _matrix(version)
    if matrix and columns == version.columns:
        return [to_tensor(matrix.name, rows, matrix)]
    return from_columns(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)), version)


def _require_width(columns: list[str], rows: list[Any]) -> None:
    for index, row in enumerate(rows):
        if type(row) is not list or len(row) != len(columns):
            told = f"{len(row)} values" if type(row) is list else "one value"
            raise RequestError(
                400, f"row {index} has {told}, but there are {len(columns)}: {_some(columns)}."
            )


def _one_tensor(name: str, rows: list[list[str]], version: Version) -> Tensor:
    """Return the fields of CSV as the matrix that a model takes."""
    width = len(rows[0])
    for index, row in enumerate(rows):
        if len(row) != width:
            raise RequestError(400, f"row {index} has {len(row)} values, but row 0 has {width}.")
    spec = _spec(version, name)
    flat = read_texts([text for row in rows for text in row], spec.datatype if spec else None)
    return to_tensor(name, [flat[start : start + width] for start in range(0, len(flat), width)], spec)


def _read_csv(text: str) -> list[list[str]]:
    import csv
    import io

    try:
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise RequestError(400, f"the body is not CSV: {error}.") from error


def _names(version: Version) -> list[str]:
    return version.columns or [spec.name for spec in version.inputs]


def _matrix(version: Version) -> TensorSpec | None:
    """Return how a table model's one matrix is declared; None when it takes a tensor per column."""
    if not version.columns or version.frame:
        return None
    if not version.inputs:
        return TensorSpec(_UNNAMED, "FP64", [-1, len(version.columns)])
    return version.inputs[0] if len(version.inputs[0].shape) == 2 else None


def _spec(version: Version, name: str) -> TensorSpec | None:
    """Return how an input, or a column of a matrix, is declared; None when it is not."""
    for spec in version.inputs:
        if spec.name == name:
            return spec
    matrix = _matrix(version)
    return TensorSpec(name, matrix.datatype, [-1]) if matrix else None


def _is_unknown(columns: list[str], version: Version) -> bool:
    """Tell whether columns are a data frame's own, around the one matrix of a model that names no columns."""
    return not version.columns and len(version.inputs) == 1 and version.inputs[0].name not in columns


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
