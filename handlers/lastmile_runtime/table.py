"""Tables in a request: one matrix, or one tensor per column, into the columns that a model takes."""

from __future__ import annotations

from lastmile_runtime.errors import RequestError

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.tensors import Tensor


def columns_of(tensors: list[Tensor], names: list[str]) -> dict[str, Tensor]:
    """Return a table's columns, each a tensor of the shape [rows], in the order of `names`.

    The table is one tensor of the shape [rows, len(names)] under any name, or one tensor per column, of the
    shape [rows] or [rows, 1]. Raises RequestError (400) when the tensors are neither, or hold no row.
    """
    matrix = matrix_of(tensors, names)
    if matrix is not None:
        from lastmile_runtime.tensors import Tensor as Column

        rows, width = matrix.shape
        return {
            name: Column(name, matrix.datatype, [rows], matrix.data[index::width])
            for index, name in enumerate(names)
        }
    return _named(tensors, names)


def rows_of(tensors: list[Tensor], names: list[str]) -> list[list[Any]]:
    """Return a table's rows, their values in the order of `names`. Raises as `columns_of` does."""
    matrix = matrix_of(tensors, names)
    if matrix is not None:
        width = len(names)
        return [matrix.data[start : start + width] for start in range(0, len(matrix.data), width)]
    return [
        list(row) for row in zip(*(column.data for column in _named(tensors, names).values()), strict=True)
    ]


def first_value(tensors: list[Tensor], columns: list[str], name: str) -> Any:
    """Return the first value of an input or of a column of that name; None when the request has none."""
    for tensor in tensors:
        if tensor.name == name:
            return tensor.data[0] if tensor.data else None
    if name in columns and len(tensors) == 1 and tensors[0].shape[1:] == [len(columns)] and tensors[0].data:
        return tensors[0].data[columns.index(name)]
    return None


def matrix_of(tensors: list[Tensor], names: list[str]) -> Tensor | None:
    """Return a table's one matrix; None when it comes as a tensor per column. Raises as `columns_of` does."""
    if len(tensors) != 1 or len(tensors[0].shape) != 2 or (len(names) == 1 and tensors[0].name == names[0]):
        return None
    (tensor,) = tensors
    if tensor.shape[1] != len(names):
        raise RequestError(
            400, f"input {tensor.name!r} has {tensor.shape[1]} columns, but the model takes {len(names)}."
        )
    _require_rows(tensor)
    return tensor


def _named(tensors: list[Tensor], names: list[str]) -> dict[str, Tensor]:
    given = {tensor.name: tensor for tensor in tensors}
    if given.keys() != set(names):
        raise RequestError(400, _difference(list(given), names))
    lengths = {len(tensor.data) for tensor in tensors}
    if len(lengths) > 1:
        raise RequestError(400, f"the inputs have different numbers of rows: {sorted(lengths)}.")
    for tensor in tensors:
        if tensor.shape not in ([len(tensor.data)], [len(tensor.data), 1]):
            raise RequestError(
                400,
                f"input {tensor.name!r} has the shape {tensor.shape}, but a column is [rows] or [rows, 1].",
            )
        _require_rows(tensor)
    return {name: given[name] for name in names}


def _require_rows(tensor: Tensor) -> None:
    if not tensor.data:
        raise RequestError(400, f"input {tensor.name!r} has no rows; send at least one.")


def _difference(given: list[str], names: list[str]) -> str:
    unknown = [name for name in given if name not in names]
    missing = [name for name in names if name not in given]
    told = f"unknown inputs: {_some(unknown)}; " if unknown else ""
    told += f"missing inputs: {_some(missing)}; " if missing else ""
    return f"{told}send one tensor of the shape [rows, {len(names)}], or one tensor per column."


def _some(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:5]) + (
        f" and {len(names) - 5} more" if len(names) > 5 else ""
    )
