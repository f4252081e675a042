"""Between tensors and numpy arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lastmile_runtime import table
from lastmile_runtime.tensors import Tensor

if TYPE_CHECKING:
    from lastmile_runtime.manifest import Version

DTYPES: dict[str, Any] = {
    "BOOL": np.bool_,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    "BYTES": np.object_,
}
_DATATYPES = {np.dtype(dtype): datatype for datatype, dtype in DTYPES.items() if datatype != "BYTES"}


def to_array(tensor: Tensor, dtype: Any = None) -> Any:
    """Return the tensor as an array of its shape, of its own datatype or of `dtype`; BYTES become strings."""
    return np.array(tensor.data, dtype=dtype or DTYPES[tensor.datatype]).reshape(tensor.shape)


def to_matrix(inputs: list[Tensor], version: Version, dtype: Any) -> Any:
    """Return a table as an array of the shape [rows, columns]; a version without columns gets its one tensor."""
    if not version.columns:
        return to_array(inputs[0], dtype)
    return np.array(table.rows_of(inputs, version.columns), dtype=dtype)


def from_array(name: str, values: Any) -> Tensor:
    """Return an array, or what makes one (a sparse matrix, a data frame, lists), as a tensor."""
    array = np.asarray(values.toarray() if hasattr(values, "toarray") else values)
    datatype = _DATATYPES.get(array.dtype)
    if datatype is None:
        return Tensor(name, "BYTES", list(array.shape), [_text(value) for value in array.ravel().tolist()])
    return Tensor(name, datatype, list(array.shape), array.ravel().tolist())


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
